"""Where two sides meet: what the sweep records as missed is what ``status`` calls overdue."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import MakeWorld
from tests.support import START, World, after, catalogue, collector

from fanfold.app.health import look
from fanfold.app.note_schedules import schedules_now
from fanfold.domain.rules.overdue import overdue_slot
from fanfold.domain.rules.verdict import MISSING

#: Two schedules: dvf fires at each START, plu an hour later.
NIGHTLY = catalogue(
    collector("dvf", cron="15 2 * * *"),
    collector("plu", cron="15 3 * * *"),
    collector("byhand"),
    missed_after_s=2700.0,
)

#: What people and schedules do, each by its request; and the time that passes, in minutes.
DEEDS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                {"run_id": None, "schedule": "nightly"},
                {"due": True},
                {},
                {"collectors": ("dvf",)},
                {"collectors": ("plu",)},
                {"collectors": ("byhand",)},
                {"due": True, "dry_run": True},
                {"collectors": ("nobody",)},
            ]
        ),
        st.integers(1, 200),
    ),
    max_size=6,
)


def overdue_at(world: World, now: datetime) -> datetime | None:
    return overdue_slot(NIGHTLY, schedules_now(world.ledger, NIGHTLY, now), world.ledger, now)


@settings(max_examples=60, deadline=None)
@given(DEEDS)
def test_status_says_overdue_exactly_when_the_sweep_says_missed(
    deeds: Sequence[dict[str, object] | int],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), configured=NIGHTLY)
        world.clock.at = START - timedelta(hours=23)
        world.ask(run_id="yesterday")
        world.tick()
        world.clock.at = START - timedelta(minutes=10)
        for number, deed in enumerate(deeds):
            if isinstance(deed, int):
                world.clock.forward(60.0 * deed)
            else:
                world.ask(**({"run_id": f"r{number}"} | deed))
                world.settle()
            now = world.clock.at
            overdue = overdue_at(world, now)
            seen = look(world.ledger, NIGHTLY, now)
            # Beside the schedule's last slot, status knows each collector's own last one.
            assert overdue is None or overdue in seen.known.overdue
            assert (seen.health.code == MISSING) == bool(seen.known.overdue)
            missed = world.parts.sweeper.sweep(world.configured).missed
            recorded = None
            if overdue is not None:
                recorded = world.run_or_none(f"{overdue:%Y-%m-%dT%H%MZ}-nightly-missed")
            # Recorded by this sweep or an earlier one, for the very slot.
            assert overdue is None or recorded is not None
            # What is recorded now is up, and no run was made for it.
            for run_id in missed:
                slot = world.run(run_id).scheduled_for
                assert slot is not None
                assert slot <= now - timedelta(seconds=NIGHTLY.missed_after_s)
                assert world.run_or_none(run_id.removesuffix("-missed")) is None
            # The record of it changes nothing: only a run answers for a slot.
            assert overdue_at(world, now) == overdue
            assert look(world.ledger, NIGHTLY, now).known.overdue == seen.known.overdue
        world.close()


def test_a_future_run_does_not_answer_for_today(make_world: MakeWorld) -> None:
    world = make_world(configured=NIGHTLY)
    ahead = after(400 * 86_400)  # the clock is set ahead for a moment
    for run_id, at in (("yesterday", after(-82_800)), ("ahead", ahead), (None, ahead)):
        world.clock.at = at
        world.ask(run_id=run_id, schedule=None if run_id else "nightly")
        world.deliver()
        world.parts.sweeper.sweep(NIGHTLY)
    world.clock.at = after(2700)

    assert list(look(world.ledger, NIGHTLY, after(2700)).known.overdue) == [START]
