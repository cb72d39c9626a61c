"""The sweep: the slots of an outage are each recorded as missed, and told together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.app.nightly import missed_at, sweep, used_before
from tests.conftest import MakeWorld
from tests.support import (
    START,
    World,
    after,
    catalogue,
    collector,
)

from fanfold.domain.rules import overdue
from fanfold.messages.topology import RUN_REPORTS

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
