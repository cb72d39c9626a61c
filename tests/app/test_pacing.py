"""Jobs are held back until there is a place for them, and none is forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.app.doubles import Ports
from tests.support import World, accepted, broken, catalogue, collector, ok

from fanfold.domain.protocol.contract import Call, Reply
from fanfold.messages.topology import COLLECTOR_JOBS

NAMES = ("a", "b", "c", "d", "e")


def a_world(folder: Path, *, places: int = 2, **changes: object) -> World:
    configured = catalogue(
        *(
            collector(name, max_attempts=2, backoff_s=3000.0, max_backoff_s=3000.0)
            for name in NAMES
        ),
        max_concurrent_collectors=places,
    )
    world = World(folder, configured=configured, is_paced=True, **changes)  # type: ignore[arg-type]
    world.ask()
    return world


def jobs_published(world: World) -> list[str]:
    ids = [each.attributes["ce-id"] for topic, each in world.published if topic == COLLECTOR_JOBS]
    return [each.removeprefix("r1/") for each in ids]


def test_the_dispatcher_publishes_as_many_jobs_as_there_are_places(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    world.deliver()

    assert jobs_published(world) == ["a", "b"]


def test_each_answer_brings_out_one_job_and_each_job_leaves_once(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    world.settle()

    assert sorted(jobs_published(world)) == list(NAMES)
    assert world.outcomes() == dict.fromkeys(NAMES, "succeeded")


def test_no_place_is_promised_twice(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    under_way: list[int] = []

    def looks(_: Call) -> Reply:
        under_way.append(world.bus.waiting().get(COLLECTOR_JOBS, 0))
        return ok(1)

    for name in NAMES:
        world.client.says(name, looks)
    world.settle()

    assert len(under_way) == len(NAMES)
    assert max(under_way) <= 2


def test_a_collector_that_accepts_frees_its_place(tmp_path: Path) -> None:
    world = a_world(tmp_path, places=1)
    world.client.says("a", accepted())
    world.settle()

    assert jobs_published(world) == list(NAMES)


def test_a_sweep_fills_the_place_of_a_collector_that_waits_long_for_its_retry(
    tmp_path: Path,
) -> None:
    world = a_world(tmp_path, places=1)
    world.client.says("a", broken(503))
    world.settle()
    assert jobs_published(world) == ["a"]

    world.live(300)

    assert set(jobs_published(world)) == set(NAMES)
    assert [world.client.called(name) for name in NAMES[1:]] == [1, 1, 1, 1]


def test_a_repeated_job_does_not_run_down_the_chain(tmp_path: Path) -> None:
    world = a_world(tmp_path, places=1)
    world.settle()
    before = len(jobs_published(world))
    first = next(each for topic, each in world.published if topic == COLLECTOR_JOBS)
    world.publish(COLLECTOR_JOBS, first)
    world.settle()

    assert len(jobs_published(world)) == before


def test_a_relay_that_died_before_it_released_does_so_when_its_job_comes_again(
    tmp_path: Path,
) -> None:
    ports = Ports()
    world = a_world(tmp_path, places=1, wrap=ports.wrap)
    world.deliver()

    def dies() -> None:
        ports["bus"].once_before("publish", fails)

    def fails() -> None:
        raise ConnectionResetError

    # The result event leaves, then the process loses the bus.
    ports["bus"].once_after("publish", dies)
    world.deliver()
    assert jobs_published(world) == ["a"]

    world.live(120)

    assert world.outcomes() == dict.fromkeys(NAMES, "succeeded")


def test_a_released_job_whose_message_is_lost_is_published_again(tmp_path: Path) -> None:
    world = a_world(tmp_path, places=1)
    world.deliver()
    world.deliver()
    world.database.write(lambda connection: connection.execute("DELETE FROM queued"))
    assert jobs_published(world) == ["a", "b"]

    world.live(600)
    assert jobs_published(world) == ["a", "b"]
    world.live(600)

    assert world.outcomes() == dict.fromkeys(NAMES, "succeeded")


def test_jobs_that_are_held_back_for_long_are_not_taken_for_lost(tmp_path: Path) -> None:
    configured = catalogue(collector("a", timeout_s=3000.0), "b", "c", max_concurrent_collectors=1)
    world = World(tmp_path, configured=configured, is_paced=True)
    world.ask()
    world.deliver()
    world.ledger.claim("r1", "a", holder="another", now=world.clock.now())

    world.live(2000)

    assert jobs_published(world) == ["a"]


@pytest.mark.parametrize("places", [1, 2, 3, 5, 9])
def test_every_number_of_places_ends_the_run_without_a_sweep(tmp_path: Path, places: int) -> None:
    world = a_world(tmp_path, places=places)
    world.settle()

    assert world.outcomes() == dict.fromkeys(NAMES, "succeeded")
    assert sorted(jobs_published(world)) == list(NAMES)


def test_with_cloud_tasks_nothing_is_held_back(tmp_path: Path) -> None:
    configured = catalogue(*NAMES, max_concurrent_collectors=1, use_cloud_tasks=True)
    world = World(tmp_path, configured=configured, is_paced=True)
    world.ask()
    world.deliver()

    assert jobs_published(world) == list(NAMES)


def test_a_sweep_reads_no_manifest_where_every_job_was_begun(tmp_path: Path) -> None:
    ports = Ports()
    configured = catalogue(collector("a", timeout_s=3000.0), max_concurrent_collectors=1)
    world = World(tmp_path, configured=configured, is_paced=True, wrap=ports.wrap)
    world.ask()
    world.deliver()
    world.ledger.claim("r1", "a", holder="another", now=world.clock.now())
    ports["ledger"].called.clear()
    world.tick()

    assert "jobs" in ports["ledger"].called
    assert "manifest" not in ports["ledger"].called
