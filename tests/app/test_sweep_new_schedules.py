"""The sweep: a schedule that is moved, or new, is not missed for a time before it was known."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from tests.app.nightly import missed_at, used_before
from tests.conftest import MakeWorld
from tests.support import (
    START,
    after,
    collector,
)

from fanfold.app.health import look


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
