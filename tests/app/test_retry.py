"""A retry through the use cases: kept answers, one run whoever asks, whatever fails meanwhile."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.app.doubles import Died, Fuse, died, unavailable
from tests.conftest import MakeWorld
from tests.support import MovingClock, StubClient, World, a_run, an_answer, broken, catalogue, ok

from fanfold.domain.model.states import Phase, RunStatus
from fanfold.messages import run_request
from fanfold.messages.topology import RUN_REQUESTS
from fanfold.ports.bus import Message

CONFIGURED = catalogue("dvf", "plu")


def failed_night(world: World) -> None:
    """Run ``r1``, in which plu fails and dvf succeeds; from then on plu succeeds."""
    world.client.says("plu", broken(400, retryable=False), ok(5))
    world.ask()
    world.settle()
    assert world.run().verdict is RunStatus.FAILED


def retry(world: World, run_id: str = "r1", **request: Any) -> None:
    world.ask(run_id=None, retry_of=run_id, **request)


def document(world: World, run_id: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(world.report(run_id) or b"{}")
    return loaded


def refusals(world: World) -> list[str]:
    return [run.about for run in world.ledger.recent_runs(20) if run.verdict is RunStatus.REJECTED]


def test_only_what_failed_is_called_and_the_report_is_whole(make_world: MakeWorld) -> None:
    world = make_world(configured=CONFIGURED)
    failed_night(world)
    retry(world)
    world.settle()
    assert (world.client.called("dvf"), world.client.called("plu")) == (1, 2)
    assert world.client.calls[-1].idempotency_key == "r1-try2/plu"
    report = document(world, "r1-try2")
    assert report["summary"]["succeeded"] == 2
    assert {n: c["answered_in"] for n, c in report["collectors"].items()} == {
        "dvf": "r1",
        "plu": "r1-try2",
    }
    # The first report is what it was: it knows of no retry.
    assert "try2" not in (world.report("r1") or b"").decode()


def test_the_request_of_a_retry_is_one_run_however_many_ask(make_world: MakeWorld) -> None:
    world = make_world(configured=CONFIGURED)
    failed_night(world)
    for _ in range(3):
        retry(world)
    world.settle()
    retry(world)
    world.settle()
    assert [run.run_id for run in world.ledger.recent_runs(9)] == ["r1-try2", "r1"]
    assert world.client.called("plu") == 2


def test_a_late_answer_to_the_first_run_stays_with_the_first(make_world: MakeWorld) -> None:
    world = make_world(configured=CONFIGURED)
    failed_night(world)
    retry(world)
    world.settle()
    world.comes_late(an_answer("plu", run_id="r1", writer="late/1", records=99))
    world.settle()
    assert (world.run().revision, world.run("r1-try2").revision) == (2, 1)
    assert world.ledger.lates("r1-try2") == []


def test_a_kept_collector_belongs_to_nobody_s_call(make_world: MakeWorld) -> None:
    world = make_world(configured=CONFIGURED)
    failed_night(world)
    world.client.says("plu", ok(5))
    retry(world)
    world.deliver()
    assert [job.collector for job in world.ledger.jobs("r1-try2")] == ["plu"]
    world.settle()
    assert [each.collector for each in world.ledger.answers("r1-try2")] == ["plu"]


def test_the_memory_counts_the_slot_once_and_only_those_who_were_asked(
    make_world: MakeWorld,
) -> None:
    world = make_world(configured=CONFIGURED)
    failed_night(world)
    retry(world)
    world.settle()
    past = world.ledger.past_runs(["dvf", "plu"])
    assert [each.run_id for each in past["dvf"]] == ["r1"]
    assert [(each.run_id, each.figures.outcome) for each in past["plu"]] == [
        ("r1", "f"),
        ("r1-try2", "s"),
    ]


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (None, "there is no run 'other', or it is not kept any more"),
        ({"verdict": None, "phase": Phase.OPEN}, "run other is still running"),
        ({"verdict": RunStatus.MISSED, "about": "no run came"}, "other never ran"),
        ({"verdict": RunStatus.PLANNED}, "other never ran"),
        ({"verdict": RunStatus.REJECTED}, "other never ran"),
        ({"verdict": RunStatus.FAILED, "total": 3}, "a part of its record is gone"),
        ({"verdict": RunStatus.SUCCEEDED}, "there is nothing to retry in run other"),
    ],
)
def test_what_cannot_be_retried_is_refused_with_the_reason(
    make_world: MakeWorld, stored: dict[str, Any] | None, said: str
) -> None:
    world = make_world(configured=CONFIGURED)
    if stored is not None:
        given: dict[str, Any] = {"phase": Phase.FINAL, "announced_at": world.clock.now()} | stored
        world.ledger.create_run(a_run("other", **given), ())
    retry(world, "other")
    world.deliver()
    assert world.run_or_none("other-try2") is None
    (about,) = (each for each in refusals(world) if "not started" in each)
    assert said in about
    assert world.client.calls == []


def test_a_retry_chooses_no_id_and_a_taken_one_is_refused(make_world: MakeWorld) -> None:
    world = make_world(configured=CONFIGURED)
    failed_night(world)
    world.ask(run_id="mine", retry_of="r1")
    world.deliver()
    taken = a_run("r1-try2", phase=Phase.FINAL, verdict=RunStatus.FAILED)
    world.ledger.create_run(taken, ())
    retry(world)
    world.deliver()
    said = " ".join(refusals(world))
    assert "a retry chooses no run_id: that of r1 is r1-try2" in said
    assert "the id of a retry of r1 is taken: r1-try2" in said


def test_a_request_that_names_nothing_else_is_enough_and_its_attribute_too(
    make_world: MakeWorld,
) -> None:
    world = make_world(configured=CONFIGURED)
    failed_night(world)
    world.bus.publish(RUN_REQUESTS, [Message(b"", {"retry_of": "r1"})])
    world.settle()
    assert world.run("r1-try2").verdict is RunStatus.SUCCEEDED
    assert run_request.decode_run_request(Message(b'{"retry_of": "r1"}')).retry_of == "r1"


class Deployment:
    """A process on the file in *folder*, and the one that follows it should it die."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.clock, self.client = MovingClock(), StubClient()
        self.published: list[tuple[str, Message]] = []
        self.world = self.start(Fuse())
        failed_night(self.world)
        self.world.close()

    def start(self, fuse: Fuse) -> World:
        self.world = World(
            self.folder,
            configured=CONFIGURED,
            clock=self.clock,
            client=self.client,
            published=self.published,
            wrap=fuse.wrap,
        )
        return self.world

    def play(self, fuse: Fuse) -> World:
        world = self.start(fuse)
        retry(world)
        try:
            self._live(world)
        except Died:
            world = self.start(Fuse())
            self._live(world)
        self.clock.forward(600)
        world.settle()
        return world

    def _live(self, world: World) -> None:
        world.settle()
        for _ in range(20):
            if (run := world.run_or_none("r1-try2")) is not None and run.announced_at:
                break
            world.live(60)
        world.tick()


@pytest.mark.parametrize("fail", [died, unavailable])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_step_of_a_retry_is_mended_and_calls_no_kept_collector(
    tmp_path: Path, fail: Callable[[], None], when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    whole = Fuse()
    Deployment(tmp_path / "whole").play(whole).close()
    assert len(whole.calls) > 15
    for at in range(1, len(whole.calls) + 1):
        fuse = Fuse(fail, at, after=when == "after")
        played = Deployment(tmp_path / str(at))
        world = played.play(fuse)
        where = f"{fail.__name__} {when} call {at}: {fuse.calls[at - 1]}"
        report = document(world, "r1-try2")
        assert report["summary"]["succeeded"] == report["summary"]["total"] == 2, where
        assert report["about"].startswith("all 2 succeeded, plu at the second try"), where
        assert played.client.called("dvf") == 1, where
        assert played.client.called("plu") <= 3, where
        assert [run.run_id for run in world.ledger.recent_runs(9)] == ["r1-try2", "r1"], where
        assert world.dead() == [], where
        world.close()
