"""Ticks of Cloud Scheduler in the nights in which clocks change, however it ticks then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest
from tests.conftest import MakeWorld
from tests.support import World, catalogue, collector

from fanfold.domain.model.states import RunStatus


def night(make_world: MakeWorld, cron: str, ticks: Sequence[str]) -> World:
    """Return a world to which *ticks* came, local times in Paris with their offsets."""
    paris = catalogue(collector("dvf", cron=cron), timezone="Europe/Paris")
    world = make_world(configured=paris)
    for tick in ticks:
        world.clock.at = datetime.fromisoformat(tick)
        world.ask(run_id=None, schedule="nightly", cron=cron)
        world.settle()
    return world


def runs(world: World) -> list[str]:
    found = [run for run in world.ledger.recent_runs(20) if not run.is_notice]
    return sorted(run.run_id.removesuffix("-nightly") for run in found)


def refused(world: World) -> list[str]:
    found = [run for run in world.ledger.recent_runs(20) if run.verdict is RunStatus.REJECTED]
    return [run.run_id for run in found]


@pytest.mark.parametrize(
    "ticks",
    [
        ["2027-03-28T03:00+02:00"],  # when the clock has jumped
        ["2027-03-28T03:30+02:00"],  # as if it had not jumped
        ["2027-03-28T03:00+02:00", "2027-03-28T03:00:20+02:00"],
    ],
)
def test_a_fixed_time_that_is_left_out_has_one_run_at_whatever_time_the_tick_comes(
    make_world: MakeWorld, ticks: list[str]
) -> None:
    world = night(make_world, "30 2 * * *", ticks)
    assert (runs(world), refused(world)) == (["2027-03-28T0100Z"], [])


def test_a_fixed_time_that_comes_twice_has_one_run_though_two_ticks_come(
    make_world: MakeWorld,
) -> None:
    ticks = ["2027-10-31T02:30+02:00", "2027-10-31T02:30:03+01:00"]
    world = night(make_world, "30 2 * * *", ticks)
    assert (runs(world), refused(world)) == (["2027-10-31T0030Z"], [])


def test_steps_have_a_run_for_each_tick_of_the_hour_that_comes_twice(
    make_world: MakeWorld,
) -> None:
    ticks = [
        f"2027-10-31T02:{minute}{offset}"
        for offset in ("+02:00", "+01:00")
        for minute in ("00", "30")
    ]
    world = night(make_world, "*/30 2 * * *", ticks)
    assert runs(world) == [f"2027-10-31T{time}Z" for time in ("0000", "0030", "0100", "0130")]
    assert refused(world) == []


def test_a_tick_where_steps_have_no_slot_starts_nothing_that_has_run(
    make_world: MakeWorld,
) -> None:
    before = ["2027-03-27T02:00+01:00", "2027-03-27T02:30+01:00"]
    world = night(make_world, "*/30 2 * * *", [*before, "2027-03-28T03:00+02:00"])
    assert runs(world) == ["2027-03-27T0100Z", "2027-03-27T0130Z"]
    assert refused(world) == ["2027-03-27T0130Z-nightly-rejected"]
