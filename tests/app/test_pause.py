"""Pause and resume: what is not asked meanwhile, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from tests.conftest import MakeWorld
from tests.support import START, World, after, broken, catalogue, collector

from fanfold.app.health import look
from fanfold.app.pause import pause, resume
from fanfold.domain.model.pause import EVERY_SCHEDULE, Pause, Target
from fanfold.domain.model.pause import PauseKind as Kind
from fanfold.domain.rules.backfill import Stretch, backfill_plan
from fanfold.domain.rules.verdict import Kind as Finding
from fanfold.ports.ledger import Pauses

PLU = Target(Kind.COLLECTOR, "plu")
NIGHTLY = Target(Kind.SCHEDULE, "15 2 * * *")


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """Return a world that ran well the night before."""
    world = make_world(
        configured=catalogue(
            collector("dvf", cron="15 2 * * *"),
            collector("plu", cron="15 2 * * *", max_attempts=1),
            missed_after_s=2700.0,
        )
    )
    world.clock.at = START - timedelta(days=1)
    world.ask(run_id=None, schedule="nightly", slot=world.clock.at)
    world.tick()
    world.clock.at = after(-60)
    return world


def paused(world: World, *targets: Target, reason: str | None = "no source") -> None:
    pause(targets, by="ann", reason=reason, until=None, ledger=world.ledger, now=world.clock.now())


def night(world: World) -> str:
    """Let the schedule tick at its slot, and work until nothing is left; return the run's id."""
    world.clock.at = START
    world.ask(run_id=None, schedule="nightly", slot=START)
    world.settle()
    return "2026-11-23T0215Z-nightly"


def test_a_paused_collector_is_skipped_and_the_report_says_why(world: World) -> None:
    paused(world, PLU)
    run_id = night(world)
    report = json.loads(world.report(run_id) or b"")
    plu = report["collectors"]["plu"]
    assert (plu["status"], plu["reason"]) == ("skipped", "paused")
    assert plu["note"] == "paused since Mon 23 Nov 02:14 by ann: no source"
    assert world.outcomes(run_id) == {"dvf": "succeeded"}


def test_a_paused_schedule_makes_no_run_and_nothing_is_missed_or_overdue(world: World) -> None:
    paused(world, EVERY_SCHEDULE)
    run_id = night(world)
    assert world.run_or_none(run_id) is None
    assert "every schedule is paused since" in world.logged[-1][1]

    world.live(2 * 3600)
    seen = look(world.ledger, world.configured, world.clock.now()).health
    assert [each.kind for each in seen.findings] == [Finding.PAUSED]
    assert (seen.code, len(world.ledger.recent_runs(9))) == (0, 1)

    resume([EVERY_SCHEDULE], by="bob", ledger=world.ledger, now=world.clock.now())
    world.live(3600)
    assert len(world.ledger.recent_runs(9)) == 1, "what the pause kept is not missed afterwards"
    world.clock.at = after(86_400)
    world.ask(run_id=None, schedule="nightly", slot=after(86_400))
    world.settle()
    assert world.run("2026-11-24T0215Z-nightly").asked == 2


def test_a_slot_without_a_run_is_missed_if_nothing_was_paused(world: World) -> None:
    """The counterpart: the same time without a pause."""
    world.clock.at = START
    world.live(2 * 3600)
    assert look(world.ledger, world.configured, world.clock.now()).health.code == 4


def test_a_collector_that_fails_is_not_red_while_it_is_paused(world: World) -> None:
    world.client.says("plu", broken(retryable=False))
    night(world)
    world.clock.forward(60)
    assert look(world.ledger, world.configured, world.clock.now()).health.code == 1

    paused(world, PLU)
    seen = look(world.ledger, world.configured, world.clock.now()).health
    assert seen.code == 0
    assert "paused: plu" in seen.sentence
    resume([PLU], by="ann", ledger=world.ledger, now=world.clock.now())
    assert look(world.ledger, world.configured, world.clock.now()).health.code == 1


def test_a_retry_leaves_out_who_is_paused_unless_it_is_named(world: World) -> None:
    world.client.says("plu", broken(retryable=False))
    world.client.says("dvf", broken(retryable=False))
    run_id = night(world)
    paused(world, PLU)
    world.ask(run_id=None, retry_of=run_id)
    world.settle()
    again = {each.name: each.skip for each in world.ledger.manifest(f"{run_id}-try2")}
    assert again["dvf"] is None
    assert again["plu"] is not None
    assert again["plu"].reason == "paused"


def test_resuming_what_is_not_paused_ends_nothing(world: World) -> None:
    now = world.clock.now()
    paused(world, PLU)
    assert resume([NIGHTLY], by="bob", ledger=world.ledger, now=now) == []
    assert [each.name for each in resume([PLU], by="bob", ledger=world.ledger, now=now)] == ["plu"]


def test_a_backfill_says_which_slots_were_paused(world: World) -> None:
    paused(world, NIGHTLY)
    chosen = world.configured.collectors
    stretch = Stretch(START, after(86_400))
    world.clock.at = after(3600)
    resume([NIGHTLY], by="bob", ledger=world.ledger, now=world.clock.now())
    plan = backfill_plan(world.configured, stretch, chosen, world.ledger, after(90_000))
    assert list(plan.to_run) == [START, after(86_400)]
    assert plan.paused == {START: "paused since Mon 23 Nov 02:14 by ann: no source"}


def test_of_two_who_resume_at_once_one_ended_it() -> None:
    there = Pause(Kind.COLLECTOR, "plu", after(0), "ann")
    by_another = replace(there, resumed_at=after(5), resumed_by="bob")

    class Contended:
        """Stores what bob did between the first look and the write."""

        def change_pauses(self, change: Callable[[Sequence[Pause]], Sequence[Pause]]) -> Any:
            change([there])
            return change([by_another])

    ledger = cast("Pauses", Contended())
    assert resume([there.target], by="ann", ledger=ledger, now=after(5)) == []
