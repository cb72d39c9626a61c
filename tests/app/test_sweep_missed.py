"""The sweep: a slot that stayed without a run is recorded as missed."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.conftest import MakeWorld
from tests.support import (
    START,
    World,
    after,
    catalogue,
    collector,
)

from fanfold.app.sweep import Swept
from fanfold.domain.model.states import RunStatus


def sweep(world: World) -> Swept:
    return world.parts.sweeper.sweep(world.configured)


NIGHTLY = catalogue(collector("dvf", cron="15 2 * * *"), missed_after_s=2700.0)


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
