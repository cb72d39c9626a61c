"""A world with a nightly schedule, and which slots its sweep calls missed."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.conftest import MakeWorld
from tests.support import (
    START,
    World,
    catalogue,
    collector,
)

from fanfold.app.sweep import Swept


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
