"""A Cloud Tasks of this machine, over its own protocol: tasks wait until the test takes them.

Like the real one it remembers the names of tasks that are gone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import grpc
from google.cloud.tasks_v2 import CloudTasksClient, CreateTaskRequest, Task
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport
from tests.adapters.google.grpc_service import Method, grpc_service

from fanfold.adapters.google.bus.task_route import TaskRoute

ROUTE = TaskRoute(
    project="demo",
    location="europe-west1",
    queue="data-collectors",
    relay_url="https://relay.example",
    account="tasks@demo.iam.gserviceaccount.com",
)


class TaskQueue:
    """The one queue of :data:`ROUTE`.

    ``failures`` are told first, one a creation; with ``losing`` the task is created all the same.
    ``most_at_once`` is how many creations were under way together.
    """

    def __init__(self) -> None:
        self.waiting: list[Task] = []
        self.names: set[str] = set()
        self.failures: list[grpc.StatusCode] = []
        self.losing = False
        self.pause_s = 0.0
        self.asked = 0
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()

    def create(self, request: CreateTaskRequest, context: grpc.ServicerContext) -> Task:
        with self._lock:
            self.asked += 1
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        time.sleep(self.pause_s)
        with self._lock:
            self._at_once -= 1
            failure = self.failures.pop(0) if self.failures else None
            if failure is None or self.losing:
                self._keep(request, context)
        if failure is not None:
            context.abort(failure, "said")
        return request.task

    def _keep(self, request: CreateTaskRequest, context: grpc.ServicerContext) -> None:
        if request.parent != ROUTE.path:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such queue")
        task = request.task
        if task.name in self.names:
            context.abort(grpc.StatusCode.ALREADY_EXISTS, "the name was used")
        self.names.add(task.name)
        self.waiting.append(task)

    def take(self) -> Sequence[Task]:
        """Return the waiting tasks; they are gone then, and their names stay used."""
        taken, self.waiting = self.waiting, []
        return taken


@contextmanager
def serving(queue: TaskQueue) -> Iterator[Any]:
    """Yield a client of *queue*."""
    methods = {"CreateTask": Method(queue.create, CreateTaskRequest, Task)}
    with (
        grpc_service("google.cloud.tasks.v2.CloudTasks", methods) as host,
        client_of(host) as client,
    ):
        yield client


@contextmanager
def client_of(host: str) -> Iterator[Any]:
    """Yield a client of the Cloud Tasks at *host*."""
    with grpc.insecure_channel(host) as channel:
        yield CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
