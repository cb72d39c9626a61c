"""A run whose jobs travel as tasks, through the function's real client_of, to its report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from google.cloud.tasks_v2 import Task
from tests.adapters.google.task_queue import ROUTE, TaskQueue, serving
from tests.conftest import MakeWorld
from tests.functions.conftest import ClientOf, client_of
from tests.support import World, broken, ok

from fanfold.adapters.google.bus.tasks import JobsByTasks
from fanfold.domain.model.errors import StoreUnavailable
from fanfold.domain.model.states import Phase, RunStatus
from fanfold.messages.topology import COLLECTOR_JOBS
from fanfold.runtime import http_entry

__all__ = ["client_of"]


@pytest.fixture
def queue() -> TaskQueue:
    return TaskQueue()


@pytest.fixture
def world(
    make_world: MakeWorld, queue: TaskQueue, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """Return a world whose jobs are tasks; only its relay is behind HTTP."""
    with serving(queue) as client:

        def by_tasks(name: str, port: Any) -> Any:
            return JobsByTasks(port, lambda: ROUTE, client) if name == "bus" else port

        world = make_world(wrap=by_tasks)
        monkeypatch.setattr(http_entry, "function_parts", lambda: world.parts)
        yield world


def dispatched(client_of: ClientOf, task: Task) -> int:
    """Send *task* to the relay as Cloud Tasks does; return the HTTP status."""
    name = task.name.rpartition("/")[2]
    headers = {**task.http_request.headers, "X-CloudTasks-TaskName": name}
    response = client_of("collector_relay").post("/", headers=headers, data=task.http_request.body)
    return int(response.status_code)


def test_a_run_comes_to_its_report(world: World, queue: TaskQueue, client_of: ClientOf) -> None:
    world.ask()
    world.settle()
    assert not world.waiting(COLLECTOR_JOBS)

    assert [dispatched(client_of, task) for task in queue.take()] == [204, 204]
    world.settle()
    assert world.run().status is RunStatus.SUCCEEDED
    assert json.loads(world.report() or b"")["summary"]["succeeded"] == 2


def test_a_task_that_comes_twice_calls_once(
    world: World, queue: TaskQueue, client_of: ClientOf
) -> None:
    world.ask()
    world.settle()
    for task in queue.take():
        assert [dispatched(client_of, task), dispatched(client_of, task)] == [204, 204]

    assert world.client.called("dvf") == 1


def test_a_task_that_must_wait_comes_back_and_slows_nobody_else(
    world: World, queue: TaskQueue, client_of: ClientOf
) -> None:
    world.client.says("dvf", broken(), ok())
    world.ask()
    world.settle()
    tasks = queue.take()
    statuses = {task.name: dispatched(client_of, task) for task in tasks}
    # A 429 or 503 would make Cloud Tasks hold back the whole queue.
    assert sorted(statuses.values()) == [204, 425]

    world.clock.forward(60)
    again = [task for task in tasks if statuses[task.name] == 425]
    assert [dispatched(client_of, task) for task in again] == [204]
    world.settle()
    assert world.run().status is RunStatus.SUCCEEDED


def test_a_store_that_is_away_slows_the_queue(
    world: World, queue: TaskQueue, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ask()
    world.settle()

    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(world.ledger, "claim", away, raising=False)
    assert [dispatched(client_of, task) for task in queue.take()] == [503, 503]


def test_a_task_that_was_given_up_comes_again_with_the_sweep(
    world: World, queue: TaskQueue, client_of: ClientOf
) -> None:
    world.ask()
    world.settle()
    queue.take()  # tried too often: gone, and nobody is told

    world.live(16 * 60)
    assert [dispatched(client_of, task) for task in queue.take()] == [204, 204]
    world.settle()
    assert world.run().status is RunStatus.SUCCEEDED


def test_a_queue_that_stays_silent_is_closed_by_the_sweep(world: World, queue: TaskQueue) -> None:
    world.ask()
    world.live(3600 + 60)

    assert world.run().phase is Phase.FINAL
    assert set(world.outcomes().values()) == {"timed_out"}
