"""Jobs as tasks, over the wire, on a server that speaks Cloud Tasks' own messages."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from tests.adapters.google.task_queue import ROUTE, TaskQueue, client_of, serving
from tests.contracts.bus import BusContract, Connect, Receive
from tests.support import START, MovingClock

from fanfold.adapters.embedded.bus import SqliteBus
from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.leases import PullRequest, Settlement
from fanfold.adapters.google.bus import deliveries
from fanfold.adapters.google.bus.task_route import TaskRoute
from fanfold.adapters.google.bus.tasks import CONCURRENCY, JobsByTasks
from fanfold.domain.model.errors import BusUnavailable, Unacceptable
from fanfold.messages import events
from fanfold.messages.topology import COLLECTOR_JOBS, RUN_REPORTS, topology
from fanfold.ports.bus import Delivery, Message


@pytest.fixture
def queue() -> TaskQueue:
    return TaskQueue()


@pytest.fixture
def client(queue: TaskQueue) -> Iterator[Any]:
    with serving(queue) as client:
        yield client


@pytest.fixture
def others(tmp_path: Path) -> Iterator[SqliteBus]:
    database = Database(tmp_path / "fanfold.db")
    yield SqliteBus(database, topology(), MovingClock(), lambda: 0.5)
    database.close()


@pytest.fixture
def bus(others: SqliteBus, client: Any) -> JobsByTasks:
    return JobsByTasks(others, lambda: ROUTE, client)


def jobs(number: int, *, seconds: float = 0) -> list[Message]:
    at = START + timedelta(seconds=seconds)
    return [events.encode_job("r1", f"c{each}", trace_id="a" * 32, at=at) for each in range(number)]


def _the(route: TaskRoute) -> TaskRoute:
    return route


class TestJobsByTasks(BusContract):
    @pytest.fixture
    def connect(self, others: SqliteBus, client: Any) -> Connect:
        return lambda: JobsByTasks(others, lambda: ROUTE, client)

    @pytest.fixture
    def receive(self, others: SqliteBus, queue: TaskQueue) -> Receive:
        def receive(subscription: str) -> Sequence[Delivery]:
            held = others.exchange([], [PullRequest(subscription, 1000)], holder="test")
            others.exchange([Settlement(each) for each in held], [], holder="test")
            if subscription != COLLECTOR_JOBS:
                return [each.delivery for each in held]
            assert not held
            return [
                deliveries.decode(each.http_request.headers, each.http_request.body, now=START)
                for each in queue.take()
            ]

        return receive


def test_a_task_says_where_it_goes_as_whom_and_how_long(bus: JobsByTasks, queue: TaskQueue) -> None:
    bus.publish(COLLECTOR_JOBS, jobs(1))

    (task,) = queue.take()
    assert task.http_request.url == "https://relay.example/"
    assert task.http_request.http_method.name == "POST"
    token = task.http_request.oidc_token
    assert token.service_account_email == "tasks@demo.iam.gserviceaccount.com"
    assert token.audience == "https://relay.example"
    assert task.dispatch_deadline == timedelta(minutes=30)


def test_without_a_route_jobs_are_messages(others: SqliteBus, client: Any) -> None:
    JobsByTasks(others, lambda: None, client).publish(COLLECTOR_JOBS, jobs(1))

    assert len(others.messages(COLLECTOR_JOBS, 10)) == 1


def test_the_route_is_asked_for_jobs_alone(others: SqliteBus) -> None:
    bus = JobsByTasks(others, lambda: pytest.fail("nobody else needs the configuration"))

    bus.publish(RUN_REPORTS, [Message(b"{}")])


def test_publishing_again_at_once_is_the_same_task(bus: JobsByTasks, queue: TaskQueue) -> None:
    first = bus.publish(COLLECTOR_JOBS, jobs(3))

    assert bus.publish(COLLECTOR_JOBS, jobs(3, seconds=20)) == first
    assert len(queue.take()) == 3


def test_a_later_task_of_a_job_is_not_swallowed_by_one_that_is_gone(
    bus: JobsByTasks, queue: TaskQueue
) -> None:
    bus.publish(COLLECTOR_JOBS, jobs(1))
    queue.take()  # tried too often, and deleted

    bus.publish(COLLECTOR_JOBS, jobs(1, seconds=900))
    assert len(queue.take()) == 1


def test_environments_that_share_a_queue_do_not_share_tasks(
    others: SqliteBus, client: Any, queue: TaskQueue
) -> None:
    for host in ("relay.example", "dev-relay.example"):
        route = replace(ROUTE, relay_url=f"https://{host}")
        JobsByTasks(others, partial(_the, route), client).publish(COLLECTOR_JOBS, jobs(1))

    assert len(queue.take()) == 2


def test_names_do_not_begin_alike(bus: JobsByTasks, queue: TaskQueue) -> None:
    bus.publish(COLLECTOR_JOBS, jobs(50))

    assert len({each.name.rpartition("/")[2][:8] for each in queue.take()}) == 50


def test_a_creation_whose_reply_was_lost_is_confirmed(bus: JobsByTasks, queue: TaskQueue) -> None:
    queue.failures, queue.losing = [grpc.StatusCode.UNAVAILABLE], True

    assert len(bus.publish(COLLECTOR_JOBS, jobs(1))) == 1
    assert len(queue.take()) == 1


@pytest.mark.parametrize("code", ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "INTERNAL", "ABORTED"])
def test_what_passes_is_tried_again(bus: JobsByTasks, queue: TaskQueue, code: str) -> None:
    queue.failures = [grpc.StatusCode[code]] * 2

    bus.publish(COLLECTOR_JOBS, jobs(2))
    assert len(queue.take()) == 2


def test_500_tasks_are_created_side_by_side_within_bounds(
    bus: JobsByTasks, queue: TaskQueue
) -> None:
    queue.pause_s = 0.02  # one after the other would take 10 s
    started = time.monotonic()

    assert len(set(bus.publish(COLLECTOR_JOBS, jobs(500)))) == 500
    assert len(queue.take()) == 500
    assert 1 < queue.most_at_once <= CONCURRENCY
    assert time.monotonic() - started < 8


@pytest.mark.parametrize(
    ("code", "fixes"),
    [
        ("NOT_FOUND", ["gcloud tasks queues create data-collectors --project=demo"]),
        ("PERMISSION_DENIED", ["roles/cloudtasks.enqueuer", "roles/iam.serviceAccountUser"]),
    ],
)
def test_a_refusal_stops_the_rest_and_names_its_fix(
    bus: JobsByTasks, queue: TaskQueue, code: str, fixes: list[str]
) -> None:
    queue.failures = [grpc.StatusCode[code]] * 500

    with pytest.raises(BusUnavailable) as caught:
        bus.publish(COLLECTOR_JOBS, jobs(500))
    assert all(fix in str(caught.value) for fix in fixes)
    assert queue.asked < 250


def test_a_task_that_is_never_taken_is_permanent(bus: JobsByTasks, queue: TaskQueue) -> None:
    queue.failures = [grpc.StatusCode.INVALID_ARGUMENT] * 500

    with pytest.raises(Unacceptable, match="InvalidArgument: said"):
        bus.publish(COLLECTOR_JOBS, jobs(500))
    assert queue.asked < 250


def test_nobody_listening_is_unavailable_within_seconds(others: SqliteBus) -> None:
    started = time.monotonic()

    with client_of("127.0.0.1:9") as client, pytest.raises(BusUnavailable, match="failed to conn"):
        JobsByTasks(others, lambda: ROUTE, client).publish(COLLECTOR_JOBS, jobs(500))
    assert time.monotonic() - started < 8


def test_a_silent_service_is_unavailable_within_seconds(bus: JobsByTasks, queue: TaskQueue) -> None:
    queue.pause_s = 4.0
    started = time.monotonic()

    with pytest.raises(BusUnavailable):
        bus.publish(COLLECTOR_JOBS, jobs(60))
    assert time.monotonic() - started < 10


def test_without_credentials_the_job_comes_back(
    others: SqliteBus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", f"{tmp_path}/none.json")

    with pytest.raises(BusUnavailable, match="DefaultCredentialsError"):
        JobsByTasks(others, lambda: ROUTE).publish(COLLECTOR_JOBS, jobs(1))


def test_each_job_goes_its_own_way_and_the_ids_come_in_the_order_of_the_messages(
    others: SqliteBus, queue: TaskQueue, client: Any
) -> None:
    slow_only = replace(ROUTE, takes={"c0": False, "c1": True, "c2": False}.__getitem__)
    bus = JobsByTasks(others, lambda: slow_only, client)

    ids = bus.publish(COLLECTOR_JOBS, jobs(3))

    (task,) = queue.take()
    assert ids[1] == task.name.rpartition("/")[2]
    assert others.waiting() == {COLLECTOR_JOBS: 2}
    assert len(set(ids)) == 3
