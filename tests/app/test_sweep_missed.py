"""The sweep: a slot that stayed without a run is recorded as missed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.conftest import MakeWorld
from tests.support import (
    START,
    World,
    a_run,
    after,
    catalogue,
    collector,
)

from fanfold.app.sweep import Swept
from fanfold.domain.model.states import Phase, RunStatus
from fanfold.messages import events
from fanfold.messages.topology import SWEEP_TICKS


def sweep(world: World) -> Swept:
    return world.parts.sweeper.sweep(world.configured)


NIGHTLY = catalogue(collector("dvf", cron="15 2 * * *"), "plu", missed_after_s=2700.0)


def missed_at(world: World, at: datetime) -> list[str]:
    world.clock.at = at
    return sweep(world).missed


def used_before(make_world: MakeWorld) -> World:
    """Return a world that ran the day before."""
    world = make_world(configured=NIGHTLY)
    world.clock.at = START - timedelta(hours=23)
    world.ask(run_id="yesterday")
    world.settle()
    return world


def test_a_slot_that_stayed_without_a_run_is_missed_once(make_world: MakeWorld) -> None:
    world = used_before(make_world)
    assert missed_at(world, after(2699)) == []

    assert missed_at(world, after(2700)) == ["2026-11-23T0215Z-nightly-missed"]
    assert missed_at(world, after(2760)) == []
    run = world.run("2026-11-23T0215Z-nightly-missed")
    assert (run.status, run.scheduled_for) == (RunStatus.MISSED, START)
    assert "2026-11-23 02:15 UTC" in run.about


def test_a_slot_that_had_its_run_is_not_missed(make_world: MakeWorld) -> None:
    world = used_before(make_world)
    world.clock.at = START
    world.ask(run_id=None, schedule="nightly")
    world.settle()

    assert missed_at(world, after(2700)) == []


def test_a_slot_from_before_fanfold_was_in_use_is_not_missed(make_world: MakeWorld) -> None:
    world = make_world(configured=NIGHTLY)
    assert missed_at(world, after(2700)) == []
    world.clock.at = after(2700)
    world.ask()
    world.settle()
    assert missed_at(world, after(2760)) == []


@pytest.mark.parametrize(
    "request_", [{"due": True}, {}, {"collectors": ("dvf",)}], ids=["due", "all", "named"]
)
def test_a_slot_that_was_made_up_for_by_hand_is_not_missed(
    make_world: MakeWorld, request_: dict[str, Any]
) -> None:
    world = used_before(make_world)
    world.clock.at = after(1200)
    world.ask(run_id="by-hand", **request_)
    world.settle()

    assert missed_at(world, after(2700)) == []
    assert world.run_or_none("2026-11-23T0215Z-nightly-missed") is None


@pytest.mark.parametrize(
    "request_",
    [{"dry_run": True}, {"collectors": ("nobody",)}, {"collectors": ("plu",)}],
    ids=["planned only", "refused", "somebody else"],
)
def test_what_did_not_ask_who_was_due_answers_for_no_slot(
    make_world: MakeWorld, request_: dict[str, Any]
) -> None:
    world = used_before(make_world)
    world.clock.at = after(1200)
    world.ask(run_id="by-hand", **request_)
    world.settle()

    assert missed_at(world, after(2700)) == ["2026-11-23T0215Z-nightly-missed"]


def test_a_run_that_began_before_the_slot_does_not_answer_for_it(make_world: MakeWorld) -> None:
    world = used_before(make_world)
    world.clock.at = after(-60)
    world.ask(run_id="by-hand")
    world.settle()

    assert missed_at(world, after(2700)) == ["2026-11-23T0215Z-nightly-missed"]


def test_a_refused_request_of_the_slot_does_not_answer_for_it(make_world: MakeWorld) -> None:
    world = used_before(make_world)
    world.ask(run_id=None, schedule="nightly", collectors=("nobody",))
    world.settle()

    assert missed_at(world, after(2700)) == ["2026-11-23T0215Z-nightly-missed"]


def test_many_runs_since_the_slot_do_not_hide_the_one_that_answered(make_world: MakeWorld) -> None:
    world = used_before(make_world)
    world.clock.at = after(60)
    world.ask(run_id="by-hand", due=True)
    world.settle()
    for number in range(120):
        record = a_run(f"n{number:03}", start_time=after(61 + number), phase=Phase.FINAL)
        world.ledger.create_run(replace(record, verdict=RunStatus.REJECTED), ())

    assert missed_at(world, after(2700)) == []


def test_a_clock_that_was_just_set_calls_no_slot_missed(make_world: MakeWorld) -> None:
    world = used_before(make_world)
    world.clock.at = after(400 * 86_400)
    world.publish(SWEEP_TICKS, events.encode_tick(at=world.clock.at, clock_was_set=True))
    world.settle()
    assert [run.run_id for run in world.ledger.recent_runs(10)] == ["yesterday"]

    # The sweep itself is not silenced, and the next tick judges the slots again.
    world.clock.at = after(2700)
    world.tick()
    assert world.run("2026-11-23T0215Z-nightly-missed").status is RunStatus.MISSED
