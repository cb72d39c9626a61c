"""Cloud Tasks in the place of the job messages: one HTTP task for each collector, to the relay.

A task's request has the body of a Pub/Sub push, so the relay cannot tell and need not. What
it gains is time: a push ends after 10 minutes, a task's request after 30. There are no dead
letters: a task that was tried too often is deleted, and the sweep answers for its collector.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from secrets import token_hex
from typing import Any

from google.api_core import exceptions

from fanfold.adapters.google import errors
from fanfold.adapters.google.bus.task_route import TaskRoute, load_library
from fanfold.adapters.google.reconnecting import client_of
from fanfold.domain.model.errors import BusUnavailable, FanfoldError
from fanfold.messages.topology import COLLECTOR_JOBS
from fanfold.ports.bus import Bus, Message

#: How long the relay may take over one task, in seconds: the longest that Cloud Tasks allows. The
#: relay itself ends an attempt in time.
DISPATCH_DEADLINE_S = 1800

#: Tasks that are created at the same time: 500 take about a second.
CONCURRENCY = 32

#: How long one try of a creation may take, in seconds.
CALL_TIMEOUT_S = 3.0

#: Characters of a task's id.
ID_LENGTH = 32


class JobsByTasks:
    """A bus whose job messages are tasks: see :class:`fanfold.ports.bus.Bus`.

    Safe to share between threads.

    Args:
        others: Carries every other topic, and jobs where there is no route.
        route: Returns how jobs travel now, None where *others* carries them too.
        client: The client of Cloud Tasks; absent, one is made at the first job.
    """

    def __init__(
        self, others: Bus, route: Callable[[], TaskRoute | None], client: Any = None
    ) -> None:
        self.others = others
        self._route = route
        self._client = client

    def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        """See :meth:`fanfold.ports.bus.Bus.publish`.

        Raises:
            NotConfigured: The library, an address or a name is missing.
            Unacceptable: Cloud Tasks will never take one of the tasks.
        """
        route = self._route() if topic == COLLECTOR_JOBS else None
        if route is None:
            return self.others.publish(topic, messages)
        taken = [route.takes(_collector(each)) for each in messages]
        pushed = [each for each, is_taken in zip(messages, taken, strict=True) if not is_taken]
        tasks = [each for each, is_taken in zip(messages, taken, strict=True) if is_taken]
        ids = {True: iter(self._create(route, tasks)), False: iter(self._push(pushed))}
        return [next(ids[is_taken]) for is_taken in taken]

    def _push(self, messages: Sequence[Message]) -> Sequence[str]:
        return self.others.publish(COLLECTOR_JOBS, messages) if messages else []

    def _create(self, route: TaskRoute, messages: Sequence[Message]) -> Sequence[str]:
        if not messages:
            return []
        creation = _Creation(self._connected(route), route)
        with ThreadPoolExecutor(min(CONCURRENCY, len(messages)), "tasks") as pool:
            # Begun in order: the first that is raised here is the one that stopped the others.
            return list(pool.map(creation, messages))

    def _connected(self, route: TaskRoute) -> Any:
        if self._client is None:
            # Two threads may make one each at the start. The one that is kept serves both.
            self._client = errors.call(
                errors.TASKS,
                "connecting to Cloud Tasks",
                partial(client_of, load_library().CloudTasksClient),
                _place(route),
            )
        return self._client


class _Creation:
    """Creates tasks, until one cannot be created."""

    def __init__(self, client: Any, route: TaskRoute) -> None:
        self.client = client
        self.route = route
        self._stopped = threading.Event()

    def __call__(self, message: Message) -> str:
        """Create the task that carries *message*, unless it is there; return its id."""
        if self._stopped.is_set():
            raise BusUnavailable("not tried: another task could not be created")
        task = _task(self.route, message)
        try:
            errors.call(
                errors.TASKS,
                f"creating a task in {self.route.path}",
                partial(self._create, task),
                _place(self.route),
                # It is this call's own, whose reply was lost, or that of a repeated publish.
                expected=(exceptions.AlreadyExists,),
            )
        except exceptions.AlreadyExists:
            pass
        except FanfoldError:
            self._stopped.set()
            raise
        return str(task["name"]).rpartition("/")[2]

    def _create(self, task: Mapping[str, Any]) -> None:
        self.client.create_task(
            parent=self.route.path, task=task, retry=None, timeout=CALL_TIMEOUT_S
        )


def _collector(message: Message) -> str:
    """Return whose job *message* is, by its subject ``run/collector``."""
    return message.attributes.get("ce-subject", "").rpartition("/")[2]


def _task(route: TaskRoute, message: Message) -> dict[str, Any]:
    url = route.relay_url.rstrip("/")
    task_id = _task_id(route, message)
    envelope: dict[str, Any] = {
        "message": {
            "data": base64.b64encode(message.data).decode(),
            "attributes": dict(message.attributes),
            "messageId": task_id,
        },
        "subscription": f"projects/{route.project}/subscriptions/{route.subscription}",
    }
    if "ce-time" in message.attributes:
        envelope["message"]["publishTime"] = message.attributes["ce-time"]
    return {
        "name": f"{route.path}/tasks/{task_id}",
        "http_request": {
            "url": f"{url}/",
            "http_method": "POST",
            "headers": {"Content-Type": "application/json"},
            "body": json.dumps(envelope).encode(),
            "oidc_token": {"service_account_email": route.account, "audience": url},
        },
        "dispatch_deadline": {"seconds": DISPATCH_DEADLINE_S},
    }


def _task_id(route: TaskRoute, message: Message) -> str:
    """Return an id that is the same for the same job in the same minute.

    Cloud Tasks remembers a name for a day after its task has gone. So the minute is
    part of it: a creation that is repeated at once is one task, and the sweep's, which is never
    sooner than 15 minutes later, is another. The relay's address keeps apart environments that
    share a queue.
    """
    event, at = message.attributes.get("ce-id"), message.attributes.get("ce-time")
    if not event or not at:
        return token_hex(ID_LENGTH // 2)
    # Ids that begin alike, such as times, make Cloud Tasks slow; a digest begins like no other.
    known = f"{route.relay_url}\n{event}\n{at[:16]}"
    return hashlib.sha256(known.encode()).hexdigest()[:ID_LENGTH]


def _place(route: TaskRoute) -> dict[str, str]:
    """Return what fills the hints of :data:`fanfold.adapters.google.errors.TASKS`."""
    return {
        "project": route.project,
        "location": route.location,
        "queue": route.queue,
        "account": route.account,
    }
