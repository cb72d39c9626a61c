"""The google backend's bus: Pub/Sub, one confirmed publish request at a time.

The official client's batching publisher answers through futures and retries for ten minutes in
the background. Here a burst is one request of up to 1,000 messages, which is confirmed or fails
within seconds: what a door needs before it acknowledges.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from typing import Any

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError

from fanfold.adapters.google.bus import channels
from fanfold.adapters.google.bus.message_limits import (
    MAX_REQUEST_BYTES,
    MAX_REQUEST_MESSAGES,
    REQUEST_OVERHEAD_BYTES,
    checked_size_bytes,
)
from fanfold.domain.model.errors import BusUnavailable
from fanfold.domain.rules.backoff import backoff_s
from fanfold.messages.topology import topology
from fanfold.ports.bus import Message

#: How long one publish request is tried in all, in seconds; its door holds a message meanwhile.
PATIENCE_S = 4.0

#: Bounds of the waits between two tries, in seconds.
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 1.0


class PubSubBus:
    """See :class:`fanfold.ports.bus.Bus`. Safe to share between threads.

    Args:
        project: The Google Cloud project.
        prefix: Put before every topic's name.
        publisher: The client; absent, one is made at the first publish.
    """

    def __init__(self, project: str, prefix: str = "", publisher: Any = None) -> None:
        self.project = project
        self.prefix = prefix
        self._publisher = publisher

    def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        """See :meth:`fanfold.ports.bus.Bus.publish`.

        Raises:
            BadMessage: A message is over one of Pub/Sub's limits; none was sent.
        """
        if topic not in topology().topics:
            raise BusUnavailable(f"there is no topic {topic!r}")
        path = f"projects/{self.project}/topics/{self.prefix}{topic}"
        requests = list(_requests(messages))
        ids: list[str] = []
        for request in requests:
            ids += self._confirmed(path, request)
        return ids

    def _confirmed(self, path: str, messages: Sequence[Message]) -> Sequence[str]:
        """Publish *messages* in one request, again if need be, until it is confirmed."""
        until = time.monotonic() + PATIENCE_S
        request = {
            "topic": path,
            "messages": [
                {"data": each.data, "attributes": dict(each.attributes)} for each in messages
            ],
        }
        attempt = 0
        while True:
            attempt += 1
            left_s = max(until - time.monotonic(), 0.1)
            try:
                response = self._client().publish(request=request, retry=None, timeout=left_s)
                return tuple(response.message_ids)
            except (exceptions.NotFound, exceptions.PermissionDenied) as exc:
                raise BusUnavailable(_fix(path, exc)) from exc
            except (exceptions.GoogleAPICallError, GoogleAuthError) as exc:
                pause_s = backoff_s(
                    attempt,
                    base_s=FIRST_PAUSE_S,
                    cap_s=LONGEST_PAUSE_S,
                    jitter=random.random(),  # noqa: S311 - spreads retries, keeps no secret
                )
                if not _may_pass(exc) or time.monotonic() + pause_s >= until:
                    raise BusUnavailable(f"publishing to {path}: {_said(exc)}") from exc
                time.sleep(pause_s)

    def _client(self) -> Any:
        if self._publisher is None:
            # Two threads may make one each at the start; the one that is kept serves both.
            self._publisher = channels.publisher_client()
        return self._publisher


def _requests(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    """Cut *messages* into publish requests within Pub/Sub's limits, in order."""
    request: list[Message] = []
    request_bytes = REQUEST_OVERHEAD_BYTES
    sizes_bytes = [checked_size_bytes(message) for message in messages]
    for message, size_bytes in zip(messages, sizes_bytes, strict=True):
        is_full = len(request) == MAX_REQUEST_MESSAGES
        if request and (is_full or request_bytes + size_bytes > MAX_REQUEST_BYTES):
            yield request
            request, request_bytes = [], REQUEST_OVERHEAD_BYTES
        request.append(message)
        request_bytes += size_bytes
    if request:
        yield request


def _may_pass(exc: Exception) -> bool:
    """Return whether trying again soon may help: the codes that the official client retries."""
    return isinstance(
        exc,
        (
            exceptions.Aborted,
            exceptions.Cancelled,
            exceptions.DeadlineExceeded,
            exceptions.InternalServerError,
            exceptions.ResourceExhausted,
            exceptions.ServiceUnavailable,
            exceptions.Unknown,
        ),
    )


def _fix(path: str, exc: Exception) -> str:
    """Return what is missing, and the command that mends it."""
    _, project, _, name = path.split("/")
    if isinstance(exc, exceptions.NotFound):
        return (
            f"there is no topic {path}: apply infra/, "
            f"or `gcloud pubsub topics create {name} --project={project}`"
        )
    return (
        f"no permission to publish to {path}: apply infra/, or `gcloud pubsub topics "
        f"add-iam-policy-binding {name} --project={project} "
        "--member=serviceAccount:EMAIL --role=roles/pubsub.publisher`"
    )


def _said(exc: Exception) -> str:
    return f"{type(exc).__name__}: {' '.join(str(exc).split())[:300]}"
