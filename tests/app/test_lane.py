"""The lane: what one commit holds, what is undone alone, and what stays in hand."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from tests.lane_world import LaneWorld
from tests.support import START, MovingClock, StubClient, broken, catalogue, collector, ok

from fanfold.adapters.embedded.lane import GATHER_S, settlement
from fanfold.domain.model.errors import StoreUnavailable
from fanfold.domain.protocol.contract import Call, Reply
from fanfold.messages.topology import COLLECTOR_JOBS, COLLECTOR_RESULTS
from fanfold.ports.outside import Came

NAMES = [f"c{number:02}" for number in range(12)]


@pytest.fixture
def world(tmp_path: Path) -> Any:
    made = LaneWorld(tmp_path, configured=catalogue(*NAMES))
    yield made
    made.close()


def begun(world: LaneWorld) -> None:
    """Ask for a run, and go on until its calls are under way."""
    world.ask()
    while not world.calls.started:
        world.host._turn(takes_more=True)
        work = world.host._work["dispatcher"]
        while not work.empty():
            held = work.get()
            assert held is not None
            world.parts.functions.take_request(held.delivery)
            world.host._done.put(settlement(held))


def test_answers_that_come_together_are_one_commit_and_one_event(world: LaneWorld) -> None:
    begun(world)
    commits = count_commits(world)
    world.calls.turn(0)
    assert world.host._turn(takes_more=True)

    assert commits == ["COMMIT"]
    assert set(world.outcomes()) == set(NAMES)
    # Only who makes the run full is told of: the count was part of the commit.
    assert world.published_ids(COLLECTOR_RESULTS) == [f"r1/{NAMES[-1]}"]
    world.settle()
    assert world.run().announced_at is not None
    assert world.bus.waiting().keys() <= {"run-reports", "notifications"}


def count_commits(world: LaneWorld) -> list[str]:
    commits: list[str] = []

    def trace(statement: str) -> None:
        if statement.startswith("COMMIT"):
            commits.append(statement)

    world.database._writer.set_trace_callback(trace)
    return commits


def test_a_run_that_is_not_full_needs_no_event(world: LaneWorld) -> None:
    begun(world)
    last = world.calls.started.pop()
    world.calls.turn(0)
    world.host._turn(takes_more=True)

    assert len(world.outcomes()) == len(NAMES) - 1
    assert world.published_ids(COLLECTOR_RESULTS) == []
    world.calls.started.append(last)
    world.settle()
    assert world.run().status.value == "succeeded"


def test_a_bug_in_one_job_is_undone_alone_and_logged(world: LaneWorld) -> None:
    def bug(_: Call) -> Reply:
        raise ZeroDivisionError("a bug")

    world.client.says("c03", bug, ok(7))
    begun(world)
    world.calls.turn(0)
    world.host._turn(takes_more=True)

    assert set(world.outcomes()) == set(NAMES) - {"c03"}
    critical = [line for line in world.logged if line[0] == "CRITICAL"]
    assert [line[1] for line in critical] == ["a bug, please report it: ZeroDivisionError: a bug"]
    assert [each.message_id for each in world.waiting(COLLECTOR_JOBS)]  # it comes back
    told = [line[2]["collector"] for line in world.logged if line[1] == "succeeded"]
    assert sorted(told) == sorted(set(NAMES) - {"c03"})  # once each, though the turn was repeated


def test_a_job_that_breaks_in_the_ledger_takes_no_other_with_it(
    world: LaneWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(world)
    real = world.ledger.record

    def record(answer: Any) -> Any:
        stored = real(answer)
        if answer.collector == "c05":
            raise ValueError("after its row was written")
        return stored

    monkeypatch.setattr(world.ledger, "record", record)
    world.calls.turn(0)
    world.host._turn(takes_more=True)

    assert set(world.outcomes()) == set(NAMES) - {"c05"}


@pytest.mark.parametrize(
    "trouble",
    [StoreUnavailable("locked"), sqlite3.OperationalError("database or disk is full")],
    ids=["locked", "full"],
)
def test_answers_in_hand_outlast_the_trouble_of_the_file(
    world: LaneWorld, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    begun(world)
    world.calls.turn(0)
    with monkeypatch.context() as patch:
        patch.setattr(world.ledger, "record", lambda _: raise_(trouble))
        for _ in range(5):
            with pytest.raises((StoreUnavailable, sqlite3.OperationalError)):
                world.host._turn(takes_more=True)
            world.clock.forward(3)
    assert world.outcomes() == {}
    assert [line for line in world.logged if line[0] == "CRITICAL"] == []
    world.settle()

    assert set(world.outcomes().values()) == {"succeeded"}
    assert {world.client.called(name) for name in NAMES} == {1}


def raise_(error: Exception) -> None:
    raise error


def test_a_lease_is_looked_at_again_if_its_commit_took_long(
    world: LaneWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that stood still between the claim and the call: somebody may have taken over."""
    looked: list[str] = []
    real = world.parts.functions.relay.ledger.check

    def check(lease: Any, *, now: Any) -> bool:
        looked.append(lease.collector)
        return real(lease, now=now)

    monkeypatch.setattr(world.ledger, "check", check)
    together = world.database.together

    def slow(work: Any) -> Any:
        made = together(work)
        world.clock.forward(5)
        return made

    monkeypatch.setattr(world.database, "together", slow)
    begun(world)

    assert sorted(looked) == NAMES


def test_a_failed_attempt_waits_and_an_accepted_one_ends(tmp_path: Path) -> None:
    world = LaneWorld(tmp_path, configured=catalogue(collector("dvf", backoff_s=10.0), "plu"))
    world.client.says("dvf", broken(503), ok(5))
    world.client.says("plu", Reply(202, accepted=True))
    world.ask()
    world.settle()
    assert world.client.called("dvf") == 1
    assert world.waiting(COLLECTOR_JOBS)[0].attempt == 0  # a wait that was asked for counts not
    world.clock.forward(20)
    world.settle()

    assert world.outcomes() == {"dvf": "succeeded"}
    assert world.waiting(COLLECTOR_JOBS) == []
    job = {each.collector: each for each in world.ledger.jobs("r1")}["plu"]
    assert job.accepted_until is not None
    world.close()


def test_places_are_those_of_all_processes_on_the_file(tmp_path: Path) -> None:
    clock, client = MovingClock(), StubClient()
    configured = catalogue(*(f"c{n:02}" for n in range(40)))
    first, second = (
        LaneWorld(tmp_path, configured=configured, clock=clock, client=client) for _ in range(2)
    )
    begun(first)
    for _ in range(3):
        first.host._turn(takes_more=True)
        second.host._turn(takes_more=True)
    assert (len(first.calls.started), len(second.calls.started)) == (16, 0)
    first.calls.turn(0)
    first.host._turn(takes_more=False)
    second.host._turn(takes_more=True)
    assert len(second.calls.started) == 16
    for _ in range(20):
        first.deliver()
        second.deliver()
    clock.forward(1)
    first.settle()

    assert len(client.calls) == 40
    assert first.run().status.value == "succeeded"
    first.close()
    second.close()


def test_late_evidence_has_an_event_of_its_own(world: LaneWorld) -> None:
    begun(world)
    world.clock.forward(4000)  # past the deadline: the sweep answers
    world.parts.sweeper.sweep(None)
    world.calls.turn(0)
    world.settle()

    assert world.run().revision == len(NAMES) + 1


def test_a_call_that_lasts_beyond_its_run_s_deadline_is_seen(
    world: LaneWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed_s = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: passed_s[0])
    begun(world)
    passed_s[0] = 3500.0
    world.clock.forward(3500)
    assert world.watch.standing_still() == []
    passed_s[0] = 4000.0
    world.clock.forward(500)
    assert len(world.watch.standing_still()) == len(NAMES)
    world.calls.turn(0)
    world.host._turn(takes_more=True)
    assert world.watch.standing_still() == []


def test_calls_that_end_together_share_a_commit_and_a_lone_one_does_not_wait_in_vain(
    world: LaneWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(world)
    world.lane._calling = 3
    waits: list[float] = []
    came = Came(object(), ok(), START)

    def turn(wait_s: float) -> bool:
        waits.append(wait_s)
        if len(waits) % 2:
            world.calls.came.append(came)
        return bool(world.calls.came)

    now_s = [0.0]
    monkeypatch.setattr(world.calls, "turn", turn)

    def monotonic() -> float:
        now_s[0] += 0.0004
        return now_s[0]

    monkeypatch.setattr(time, "monotonic", monotonic)
    assert world.lane.wait(5.0, lambda: False)
    assert len(waits) > 1  # the looks after the first are for others, and short
    assert max(waits[1:]) < GATHER_S
    world.lane._alone = 1  # one waited in vain
    world.lane._came.clear()
    waits.clear()
    assert world.lane.wait(5.0, lambda: False)
    assert len(waits) == 1
