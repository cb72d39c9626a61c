"""The google backend's bus: Pub/Sub, one confirmed publish request at a time.

The official client's batching publisher answers through futures and retries for ten minutes in
the background. Here a burst is one request of up to 1,000 messages, which is confirmed or fails
within seconds: what a door needs before it acknowledges.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fanfold.adapters.google import errors
from fanfold.adapters.google.bus import channels
from fanfold.adapters.google.bus.message_limits import (
    MAX_REQUEST_BYTES,
    MAX_REQUEST_MESSAGES,
    REQUEST_OVERHEAD_BYTES,
    checked_size_bytes,
)
from fanfold.domain.model.errors import BusUnavailable
from fanfold.messages.topology import topology
from fanfold.ports.bus import Message

#: How long one try of a publish request may take, in seconds.
CALL_TIMEOUT_S = 4.0


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
            Unacceptable: Pub/Sub will never take one of them.
        """
        if topic not in topology().topics:
            raise BusUnavailable(f"there is no topic {topic!r}")
        ids: list[str] = []
        for request in list(_requests(messages)):
            ids += self._confirmed(self.prefix + topic, request)
        return ids

    def _confirmed(self, name: str, messages: Sequence[Message]) -> Sequence[str]:
        """Publish *messages* in one request, again if need be, until it is confirmed."""
        path = f"projects/{self.project}/topics/{name}"
        request = {
            "topic": path,
            "messages": [
                {"data": each.data, "attributes": dict(each.attributes)} for each in messages
            ],
        }

        def publish() -> Sequence[str]:
            response = self._client().publish(request=request, retry=None, timeout=CALL_TIMEOUT_S)
            return tuple(response.message_ids)

        return errors.call(
            errors.TOPIC,
            f"publishing to {path}",
            publish,
            {"project": self.project, "name": name},
        )

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
