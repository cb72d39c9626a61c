"""A slot has one run: who asks for it again is told so, and the carrier's repetitions are not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.conftest import MakeWorld
from tests.support import RUN_ID, START, World, after, broken, catalogue, collector

from fanfold.domain.model.states import RunStatus

NIGHTLY = catalogue(collector("dvf", cron="15 2 * * *"), "plu", missed_after_s=2700.0)

#: As the message of a job of Cloud Scheduler has it.
TICK: dict[str, Any] = {"run_id": None, "schedule": "nightly", "cron": "15 2 * * *"}


def ask(world: World, at: datetime, **request: Any) -> None:
    world.clock.at = at
    world.ask(**({"run_id": None} | request))
    world.settle()


def night(make_world: MakeWorld, *, fails: bool = True, **changes: Any) -> World:
    world = make_world(configured=catalogue(*NIGHTLY.collectors, **changes))
    if fails:
        world.client.says("dvf", broken(400, retryable=False))
    ask(world, START, **TICK)
    return world


def refusals(world: World) -> list[str]:
    return [run.about for run in world.ledger.recent_runs(50) if run.status is RunStatus.REJECTED]


def test_a_job_that_somebody_runs_hours_later_starts_nothing_and_says_so(
    make_world: MakeWorld,
) -> None:
    world = night(make_world)
    ask(world, after(5 * 3600), **TICK)

    sentence = (
        f"not started: this slot already has run {RUN_ID} (failed); nothing was started; "
        f"`fanfold retry {RUN_ID}`"
    )
    assert refusals(world) == [sentence]
    assert world.client.called("dvf") == 1
    [line] = [(severity, text) for severity, text, _ in world.logged if "already has" in text]
    assert line == ("WARNING", sentence)


@pytest.mark.parametrize(("fails", "instead"), [(False, "`fanfold run`"), (True, "`fanfold retry")])
def test_what_to_do_instead_depends_on_how_the_run_ended(
    make_world: MakeWorld, instead: str, *, fails: bool
) -> None:
    world = night(make_world, fails=fails)
    ask(world, after(5 * 3600), **TICK)
    [sentence] = refusals(world)
    assert instead in sentence


@pytest.mark.parametrize("late_s", [0, 1, 59, 599, 600])
def test_a_tick_that_its_carrier_repeats_says_nothing(make_world: MakeWorld, late_s: float) -> None:
    world = night(make_world)
    ask(world, after(late_s), **TICK)
    assert refusals(world) == []


def test_a_tick_at_the_same_time_of_day_after_the_clock_was_set_back_says_nothing(
    make_world: MakeWorld,
) -> None:
    cron = "30 2 * * *"
    paris = catalogue(collector("dvf", cron=cron), timezone="Europe/Paris")
    world = make_world(configured=paris)
    first = datetime.fromisoformat("2027-10-31T02:30+02:00")
    for at in (first, first + timedelta(hours=1)):  # 02:30 twice, an hour apart
        ask(world, at, schedule="nightly", cron=cron)
    assert [run.run_id for run in world.ledger.recent_runs(9)] == ["2027-10-31T0030Z-nightly"]


def test_the_timer_that_names_its_slot_again_says_nothing(make_world: MakeWorld) -> None:
    world = night(make_world)
    ask(world, after(2600), **TICK, slot=START)
    assert refusals(world) == []


def test_a_slot_that_is_asked_for_by_hand_has_its_run_once(make_world: MakeWorld) -> None:
    world = make_world(configured=NIGHTLY)
    ask(world, after(400_000), slot=START)
    assert world.run(RUN_ID).scheduled_for == START
    assert world.client.calls[0].run_id == RUN_ID

    ask(world, after(400_001), slot=START)
    [sentence] = refusals(world)
    assert f"this slot already has run {RUN_ID} (succeeded); nothing was started" in sentence
    assert world.client.called("dvf") == 1


def test_a_plan_of_a_slot_may_be_made_twice(make_world: MakeWorld) -> None:
    world = make_world(configured=NIGHTLY)
    for at in (after(60), after(7200)):
        ask(world, at, slot=START, dry_run=True)
    assert refusals(world) == []


def test_a_missed_slot_that_is_made_up_for_is_not_overdue_and_keeps_its_record(
    make_world: MakeWorld,
) -> None:
    world = make_world(configured=NIGHTLY)
    ask(world, START - timedelta(hours=23), run_id="yesterday")
    world.tick()
    world.clock.at = after(2700)
    world.tick()
    assert world.run(f"{RUN_ID}-missed").status is RunStatus.MISSED

    ask(world, after(9000), slot=START)
    assert world.run(RUN_ID).status is RunStatus.SUCCEEDED
    assert world.run(f"{RUN_ID}-missed").status is RunStatus.MISSED
    assert world.parts.sweeper.sweep(world.configured).missed == []
