"""What is promised of slots, on both backends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.promises.conftest import Backend
from tests.support import RUN_ID, START, World, after, catalogue, collector

from fanfold.app.health import look
from fanfold.app.note_schedules import schedules_now
from fanfold.domain.model.states import RunStatus
from fanfold.domain.rules.backfill import Stretch, backfill_plan
from fanfold.views.past import Listed, Wanted, past_of

NIGHTLY = catalogue(collector("dvf", cron="15 2 * * *"), "plu", missed_after_s=2700.0)

DAY = timedelta(days=1)


def used(backend: Backend) -> World:
    """Return a world that swept, and ran by hand, on the day before the first slot."""
    world = backend(configured=NIGHTLY)
    world.clock.at = START - timedelta(hours=23)
    world.ask(run_id="yesterday")
    world.tick()
    return world


def ask(world: World, **request: object) -> None:
    world.ask(**({"run_id": None} | request))
    world.settle()


def overdue(world: World) -> list[object]:
    return list(look(world.ledger, world.configured, world.clock.at).known.overdue)


def test_each_slot_of_an_outage_is_recorded_once_and_made_up_for(backend: Backend) -> None:
    world = used(backend)
    world.clock.at = START + 2 * DAY + timedelta(seconds=2700)
    world.tick()
    world.tick()
    slots = [START, START + DAY, START + 2 * DAY]
    missed = [run for run in world.ledger.recent_runs(9) if run.verdict is RunStatus.MISSED]
    assert sorted(run.scheduled_for for run in missed if run.scheduled_for) == slots
    assert overdue(world) == slots[-1:]

    stretch = Stretch(START, world.clock.at)
    chosen = NIGHTLY.collectors
    plan = backfill_plan(NIGHTLY, stretch, chosen, world.ledger, world.clock.at)
    assert list(plan.to_run) == slots
    for slot in plan.to_run:
        world.clock.forward(60)
        ask(world, slot=slot)
    assert world.run(RUN_ID).scheduled_for == START
    assert overdue(world) == []
    again = backfill_plan(NIGHTLY, stretch, chosen, world.ledger, world.clock.at)
    assert (dict(again.to_run), again.answered) == ({}, 3)
    listed: list[Listed] = past_of(world.ledger, Wanted(50))
    made_up = {row.run.scheduled_for: row.made_up_by for row in listed if row.made_up_by}
    assert made_up[START] == RUN_ID
    assert sorted(each for each in made_up if each) == slots


def test_since_when_a_schedule_is_known_is_remembered(backend: Backend) -> None:
    world = used(backend)
    known = schedules_now(world.ledger, NIGHTLY, after(0))
    assert known.since == {"15 2 * * * UTC": START - timedelta(hours=23)}

    world.configured = replace(
        world.configured, collectors=(collector("dvf", cron="0 1 * * *"), collector("plu"))
    )
    ask(world, slot=START - timedelta(minutes=75))  # what was due at 01:00
    world.clock.at = after(7200)
    world.tick()
    assert overdue(world) == []
    world.clock.at = START + DAY
    world.tick()
    assert overdue(world) == [START + DAY - timedelta(minutes=75)]


def test_who_asks_again_for_a_slot_finds_a_record_and_nothing_is_started(backend: Backend) -> None:
    world = used(backend)
    world.clock.at = START
    ask(world, schedule="nightly", cron="15 2 * * *")
    world.clock.at = after(5 * 3600)
    ask(world, schedule="nightly", cron="15 2 * * *")
    assert world.run(f"{RUN_ID}-rejected").about == (
        f"not started: this slot already has run {RUN_ID} (succeeded); nothing was started; "
        "`fanfold run`"
    )
    assert world.client.called("dvf") == 2  # yesterday, and in the slot
