"""The sweep: a slot that stayed without a run is recorded as missed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.app.doubles import Ports
from tests.conftest import MakeWorld
from tests.support import (
    START,
    World,
    a_run,
    accepted,
    after,
    catalogue,
    collector,
)

from fanfold.app.health import look
from fanfold.app.sweep import Swept
from fanfold.domain.model.states import Phase, RunStatus
from fanfold.domain.rules import overdue
from fanfold.messages import events
from fanfold.messages.topology import RUN_REPORTS, SWEEP_TICKS


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
    world.tick()
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


EVERY_MINUTE = catalogue(collector("dvf", cron="* * * * *"), missed_after_s=2700.0)


def serve(world: World, at: datetime) -> None:
    """Start the slot of *at*, as a timer would, and sweep."""
    world.clock.at = at
    world.ask(run_id=None, schedule="nightly", cron="* * * * *")
    world.tick()


def events_of(world: World) -> list[Mapping[str, Any]]:
    """Return the missed events that were published."""
    documents = [json.loads(m.data) for topic, m in world.published if topic == RUN_REPORTS]
    return [each for each in documents if each["status"] == "missed"]


def test_an_outage_of_n_slots_is_n_missed_records_told_together(make_world: MakeWorld) -> None:
    world = make_world(configured=EVERY_MINUTE)
    serve(world, START)
    serve(world, after(240))  # nothing ran for three slots

    assert missed_at(world, after(60 + 2699)) == []
    assert missed_at(world, after(60 + 2700)) == [
        f"2026-11-23T{time}Z-nightly-missed" for time in ("0216", "0217", "0218")
    ]
    # Each once, and all that belong together in each event.
    told = [f"2026-11-23T02:{minute}:00.000000Z" for minute in (16, 17, 18)]
    assert [each["scheduled_for"] for each in events_of(world)] == told
    assert [each["slots"] for each in events_of(world)] == [told] * 3
    assert missed_at(world, after(180 + 2700)) == []
    assert [each.figures.outcome for each in world.ledger.past_runs(["dvf"])["dvf"]] == [*"ssmmm"]


def test_an_outage_that_goes_on_is_recorded_slot_by_slot(make_world: MakeWorld) -> None:
    world = make_world(configured=EVERY_MINUTE)
    serve(world, START)
    assert missed_at(world, after(60 + 2700)) == ["2026-11-23T0216Z-nightly-missed"]
    assert missed_at(world, after(60 + 2700 + 15)) == []
    assert missed_at(world, after(120 + 2700)) == ["2026-11-23T0217Z-nightly-missed"]


def test_a_later_slot_that_is_not_up_is_not_missed_for_the_one_before_was_answered(
    make_world: MakeWorld,
) -> None:
    world = make_world(configured=EVERY_MINUTE)
    serve(world, START)
    serve(world, after(60))
    serve(world, after(180))
    assert missed_at(world, after(60 + 2700)) == []
    assert missed_at(world, after(120 + 2700)) == ["2026-11-23T0217Z-nightly-missed"]


def test_what_comes_after_an_answered_slot_is_another_outage(make_world: MakeWorld) -> None:
    world = make_world(configured=EVERY_MINUTE)
    for seconds in (0, 120, 240):  # nothing came at 02:16 and 02:18
        serve(world, after(seconds))
    assert missed_at(world, after(120 + 2700)) == ["2026-11-23T0216Z-nightly-missed"]
    assert missed_at(world, after(180 + 2700)) == ["2026-11-23T0218Z-nightly-missed"]


def test_nights_that_were_missed_within_a_week_are_recorded_at_once(make_world: MakeWorld) -> None:
    world = used_before(make_world)
    sweep(world)
    missed = missed_at(world, START + timedelta(days=9, seconds=2700))
    assert missed == [f"{day}T0215Z-nightly-missed" for day in _days("2026-11-26", 7)]
    assert sweep(world).missed == []


def _days(first: str, number: int) -> list[str]:
    begin = datetime.fromisoformat(first)
    return [f"{begin + timedelta(days=each):%Y-%m-%d}" for each in range(number)]


def test_a_run_by_hand_answers_for_the_last_slot_before_it_and_for_no_other(
    make_world: MakeWorld,
) -> None:
    world = used_before(make_world)
    world.clock.at = START + timedelta(days=2, hours=5)
    world.ask(run_id="by-hand")
    world.settle()
    assert missed_at(world, START + timedelta(days=2, hours=6)) == [
        "2026-11-23T0215Z-nightly-missed",
        "2026-11-24T0215Z-nightly-missed",
    ]


def test_two_runs_by_hand_that_ask_all_who_were_due_answer_for_the_slot(
    make_world: MakeWorld,
) -> None:
    both = catalogue(*(collector(name, cron="15 2 * * *") for name in ("dvf", "plu")))
    world = make_world(configured=both)
    world.clock.at = START - timedelta(hours=23)
    world.ask(run_id="yesterday")
    world.tick()
    for number, name in enumerate(("dvf", "plu")):
        world.clock.at = after(60 * (number + 1))
        world.ask(run_id=name, collectors=(name,))
        world.settle()
    assert missed_at(world, after(2700)) == []


def test_a_run_that_is_still_open_answers_for_its_slot(make_world: MakeWorld) -> None:
    world = used_before(make_world)
    world.client.says("dvf", accepted())
    world.clock.at = after(60)
    world.ask(run_id="by-hand")
    world.settle()
    assert world.run("by-hand").announced_at is None
    assert missed_at(world, after(2700)) == []


def test_a_long_outage_is_recorded_in_parts_and_leaves_collectors_their_past(
    make_world: MakeWorld,
) -> None:
    world = make_world(configured=EVERY_MINUTE)
    serve(world, START)
    world.clock.at = START + timedelta(days=1)
    first, second = sweep(world).missed, sweep(world).missed

    # Of the first ones judged one had its run.
    assert (len(first) + 1, len(second)) == (overdue.MOST_SLOTS, overdue.MOST_SLOTS)
    assert first[0] == "2026-11-23T0216Z-nightly-missed"
    assert second[0] == "2026-11-23T1035Z-nightly-missed"
    past = world.ledger.past_runs(["dvf"])["dvf"]
    assert [each.figures.outcome for each in past] == ["s", *"m" * 20]


@pytest.mark.parametrize(
    "moved",
    [{"cron": "30 2 * * *"}, {"timezone": "Europe/Paris", "cron": "30 3 * * *"}],
    ids=["the time", "the zone"],
)
def test_a_schedule_that_is_moved_is_not_missed_for_a_time_before_it_was_known(
    make_world: MakeWorld, moved: dict[str, str]
) -> None:
    world = used_before(make_world)
    world.clock.at = START
    world.ask(run_id=None, schedule="nightly")
    world.settle()
    # In the afternoon somebody moves the schedule to what was last night.
    zone = moved.get("timezone", "UTC")
    world.configured = replace(
        world.configured,
        timezone=zone,
        collectors=(collector("dvf", cron=moved["cron"]), collector("plu")),
    )
    assert missed_at(world, after(36_000)) == []
    assert look(world.ledger, world.configured, after(36_000)).known.overdue == {}
    # From now on it counts.
    assert missed_at(world, after(86_400 + 900 + 2700)) == ["2026-11-24T0230Z-nightly-missed"]


def test_a_schedule_that_was_taken_out_and_came_back_is_new(make_world: MakeWorld) -> None:
    world = used_before(make_world)
    nightly = world.configured
    world.configured = replace(nightly, collectors=(collector("dvf"), collector("plu")))
    assert missed_at(world, after(-60)) == []
    world.configured = nightly
    assert missed_at(world, after(2700)) == []
    assert missed_at(world, after(86_400 + 2700)) == ["2026-11-24T0215Z-nightly-missed"]


def test_whoever_only_looks_takes_a_new_schedule_for_as_old_as_the_file(
    make_world: MakeWorld,
) -> None:
    world = used_before(make_world)
    moved = replace(world.configured, collectors=(collector("dvf", cron="0 5 * * *"),))
    now = after(86_400)

    def overdue_if_changed(changed_at: datetime) -> list[datetime]:
        return list(look(world.ledger, moved, now, changed_at=changed_at).known.overdue)

    assert overdue_if_changed(after(3 * 3600)) == []  # 05:15, after the slot
    assert overdue_if_changed(after(2 * 3600)) == [START.replace(hour=5, minute=0)]


def test_a_file_of_an_older_version_knows_the_last_slot_alone(make_world: MakeWorld) -> None:
    world = used_before(make_world)
    world.database.write(lambda c: c.execute("DELETE FROM meta WHERE name = 'schedules'"))
    later = START + timedelta(days=3, seconds=2700)
    assert list(look(world.ledger, NIGHTLY, later).known.overdue) == [START + timedelta(days=3)]
    assert missed_at(world, later) == ["2026-11-26T0215Z-nightly-missed"]


def test_a_clock_that_was_ahead_silences_no_slot_for_longer(make_world: MakeWorld) -> None:
    world = used_before(make_world)
    missed_at(world, START + timedelta(days=300))
    before = sweep(world).missed
    assert before == []
    assert missed_at(world, after(2700)) == ["2026-11-23T0215Z-nightly-missed"]
    assert missed_at(world, after(86_400 + 2700)) == ["2026-11-24T0215Z-nightly-missed"]


def test_a_sweep_that_finds_no_new_slot_reads_no_runs(make_world: MakeWorld) -> None:
    ports = Ports()
    world = make_world(configured=NIGHTLY, wrap=ports.wrap)
    world.clock.at = START - timedelta(hours=23)
    world.ask(run_id="yesterday")
    world.tick()
    missed_at(world, after(2700))

    def fail() -> None:
        raise AssertionError("the runs are read though no slot came")

    ports["ledger"].once_before("runs_between", fail)
    assert sweep(world).trouble == []


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
