"""A world with an open run of one collector, whose job nobody worked on yet."""

from __future__ import annotations

from tests.app.doubles import Ports
from tests.conftest import MakeWorld
from tests.support import (
    World,
    catalogue,
    collector,
)

from fanfold.domain.model.run import Job
from fanfold.messages import events
from fanfold.messages.topology import COLLECTOR_RESULTS

JOB = events.JobMessage("r1", "dvf")


def opened(make_world: MakeWorld, ports: Ports | None = None, **of: object) -> World:
    """Return a world with an open run of one collector, whose job nobody worked on."""
    given: dict[str, object] = {"backoff_s": 10.0, "max_backoff_s": 100.0, "max_attempts": 3}
    world = make_world(
        configured=catalogue(collector("dvf", **(given | of))),
        **({"wrap": ports.wrap} if ports else {}),
    )
    world.ask()
    assert world.deliver() == 1
    return world


def work(world: World) -> str:
    return world.parts.functions.relay.work(JOB).words


def the_job(world: World) -> Job:
    (job,) = world.ledger.jobs("r1")
    return job


def results(world: World) -> list[str]:
    return [each.message.attributes["ce-id"] for each in world.waiting(COLLECTOR_RESULTS)]
