"""The disk stands still, or another program locks the file, while calls are under way."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.scenarios.collectors import Collectors, Says
from tests.scenarios.embedded import EmbeddedWorld

from fanfold.domain.model.request import RunRequest

NAMES = [f"c{number:02}" for number in range(12)]


@pytest.fixture
def world(tmp_path: Path, collectors: Collectors) -> Iterator[EmbeddedWorld]:
    for name in NAMES:
        # Large, so that somebody must read all along; and soon over its time, if nobody did.
        collectors.script[name] = lambda *_: Says({"records": 5, "more": "x" * 700_000}, wait_s=0.5)
    EmbeddedWorld.configure_in(
        tmp_path, collectors, NAMES, run_timeout="60s", defaults={"timeout": "5s"}
    )
    made = EmbeddedWorld(tmp_path, collectors)
    yield made
    made.stop()


def asked(world: EmbeddedWorld) -> str:
    """Start a run, and return its id once every collector is being called."""
    world.start()
    world.ask(RunRequest(run_id="r1"))
    until = time.monotonic() + 20
    while len(world.collectors.asked) < len(NAMES):
        assert time.monotonic() < until
        time.sleep(0.01)
    return "r1"


def check(world: EmbeddedWorld, run_id: str) -> None:
    run = world.wait_for(run_id)
    assert run.status.value == "succeeded", run.about
    assert world.collectors.counts() == dict.fromkeys(NAMES, 1)
    answers = world.parts.ledger.answers(run_id)
    # Each attempt ended when its collector answered, and not when the disk was well again.
    for answer in answers:
        (attempt,) = answer.attempts
        assert (attempt.end_time - attempt.start_time).total_seconds() < 5.5


@pytest.mark.slow
def test_a_file_that_another_program_locks_for_14_s_costs_no_answer(world: EmbeddedWorld) -> None:
    run_id = asked(world)
    other = sqlite3.connect(world.settings.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    time.sleep(14)
    other.execute("ROLLBACK")
    other.close()

    check(world, run_id)


@pytest.mark.slow
def test_a_disk_that_stands_still_for_7_s_costs_no_answer(
    world: EmbeddedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = asked(world)
    database, stalled = world.running.host.bus.database, threading.Event()  # type: ignore[union-attr]
    real = database._commit

    def commit(operations: list[object]) -> None:
        if not stalled.is_set():
            stalled.set()
            time.sleep(7)  # as fsync may
        real(operations)  # type: ignore[arg-type]

    monkeypatch.setattr(database, "_commit", commit)

    check(world, run_id)
    assert stalled.is_set()


@pytest.mark.slow
def test_fifteen_hostile_collectors_of_sixteen_slow_no_neighbour(
    tmp_path: Path, collectors: Collectors
) -> None:
    good = [f"good{number:02}" for number in range(60)]
    hostile = [f"bad{number:02}" for number in range(15)]
    kinds = (
        Says(wait_s=20),
        Says(b"x" * 5_000_000),
        Says(b"{" * 100_000, headers={"Content-Type": "application/json"}),
    )
    for number, name in enumerate(hostile):
        collectors.script[name] = lambda *_, n=number: kinds[n % len(kinds)]
    EmbeddedWorld.configure_in(
        tmp_path, collectors, [*hostile, *good], run_timeout="30s", defaults={"timeout": "4s"}
    )
    world = EmbeddedWorld(tmp_path, collectors)
    try:
        world.start()
        world.ask(RunRequest(run_id="r1"))
        run = world.wait_for("r1")
        answers = {each.collector: each for each in world.parts.ledger.answers("r1")}
    finally:
        world.stop()

    assert run.asked == len(answers)
    assert {answers[name].outcome.value for name in good} == {"succeeded"}
    assert not {answers[name].outcome.value for name in hostile} & {"succeeded"}
    # Of the hostile ones, five hold their places to the end; all the good were through before.
    assert max(answers[name].end_time for name in good) < max(
        answers[name].end_time for name in hostile
    )
