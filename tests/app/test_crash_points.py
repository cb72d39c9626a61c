"""Whatever port call fails, and however: the redelivery and the sweep end the run, balanced."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.app.doubles import Died, Fuse, died, unavailable
from tests.support import MovingClock, StubClient, World, after, broken, catalogue, collector, ok

CONFIGURED = catalogue(
    "dvf",
    collector("plu", backoff_s=10.0),
    collector("old", enabled=False),
)


def start(folder: Path, fuse: Fuse, clock: MovingClock, client: StubClient) -> World:
    folder.mkdir(exist_ok=True)
    return World(folder, configured=CONFIGURED, clock=clock, client=client, wrap=fuse.wrap)


def client_with_one_retry() -> StubClient:
    client = StubClient()
    client.says("plu", broken(503), ok(5))
    return client


def live_until_announced(world: World) -> None:
    """Live on to the announcement, at the latest to the deadline, and one sweep more."""
    world.settle()
    while world.run_or_none() is None or world.run().announced_at is None:
        world.live(60)
        assert world.clock.at < after(3600)
    world.tick()


def live_through(folder: Path, fuse: Fuse) -> tuple[World, StubClient]:
    """Ask for a run, and start another process on the file should the first one die."""
    clock, client = MovingClock(), client_with_one_retry()
    world = start(folder, fuse, clock, client)
    world.ask()
    try:
        live_until_announced(world)
    except Died:
        # Its locks go with it; nothing of it is closed in order.
        world = start(folder, Fuse(), clock, client)
        live_until_announced(world)
    world.clock.forward(600)
    world.settle()
    return world, client


@pytest.mark.parametrize("fail", [died, unavailable])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_failure_of_any_port_call_is_mended(
    tmp_path: Path, fail: Callable[[], None], when: str
) -> None:
    whole = Fuse()
    live_through(tmp_path / "whole", whole)
    count = len(whole.calls)
    assert count > 30

    for at in range(1, count + 1):
        fuse = Fuse(fail, at, after=when == "after")
        world, client = live_through(tmp_path / str(at), fuse)
        where = f"{fail.__name__} {when} call {at}: {fuse.calls[at - 1]}"

        assert world.outcomes() == {"dvf": "succeeded", "plu": "succeeded"}, where
        document = json.loads(world.report() or b"{}")
        summary = document["summary"]
        assert list(document["collectors"]) == ["dvf", "plu", "old"], where
        assert (summary["total"], summary["succeeded"], summary["skipped"]) == (3, 2, 1), where
        assert set(world.finished_events()) == {"r1/1"}, where
        run = world.run()
        assert (run.revision, run.announced_at is not None) == (1, True), where
        assert world.dead() == [], where
        assert world.bus.waiting().keys() <= {"run-reports"}, where
        # One call and one retry; a crash in the middle of a call may repeat it.
        assert client.called("dvf") <= 2, where
        assert client.called("plu") <= 3, where
        world.close()
