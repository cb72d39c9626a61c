"""Letters that Pub/Sub itself gave up on, brought to where people look: the ledger.

A message that was delivered too often is forwarded to the dead-letters topic with attributes that
say where it came from. What the functions could not read is in the ledger already.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fanfold.adapters.google import errors
from fanfold.adapters.google.bus import channels
from fanfold.messages.topology import DEAD_LETTERS
from fanfold.ports.ledger import DeadLetter, DeadLetters

#: What Pub/Sub puts before its own attributes on a forwarded message.
FORWARDED = "CloudPubSubDeadLetterSource"

#: Longest wait for one call, in seconds.
CALL_TIMEOUT_S = 10.0


def bring_in(
    project: str, prefix: str, ledger: DeadLetters, *, limit: int, subscriber: Any = None
) -> int:
    """Park up to *limit* forwarded messages in *ledger*; return how many.

    A message is acknowledged only when it is parked, under its own id: a repeat is one letter.

    Raises:
        BusUnavailable: The subscription could not be read; what was parked stays parked.
    """
    bus = _Subscription(project, f"{prefix}{DEAD_LETTERS}", subscriber)
    parked = 0
    while parked < limit and (received := bus.pull(limit - parked)):
        for each in received:
            ledger.park(_letter(each.message, prefix))
        bus.acknowledge([each.ack_id for each in received])
        parked += len(received)
    return parked


class _Subscription:
    """The subscription that keeps what Pub/Sub gave up on."""

    def __init__(self, project: str, name: str, client: Any) -> None:
        self.project = project
        self.name = name
        self.path = f"projects/{project}/subscriptions/{name}"
        self.client = client or channels.subscriber_client()

    def pull(self, count: int) -> Any:
        """Return up to *count* messages that wait."""
        wanted = {"max_messages": min(count, 100), "return_immediately": True}
        with warnings.catch_warnings():
            # Deprecated for services that wait for work. Here a person waits for what there is.
            warnings.simplefilter("ignore", DeprecationWarning)
            return self._call(self.client.pull, wanted).received_messages

    def acknowledge(self, ack_ids: Sequence[str]) -> None:
        """Drop the messages of *ack_ids*, which are kept elsewhere."""
        self._call(self.client.acknowledge, {"ack_ids": ack_ids})

    def _call(self, method: Callable[..., Any], wanted: Mapping[str, Any]) -> Any:
        request = {"subscription": self.path, **wanted}
        return errors.call(
            errors.SUBSCRIPTION,
            f"reading {self.path}",
            lambda: method(request=request, retry=None, timeout=CALL_TIMEOUT_S),
            {"project": self.project, "name": self.name},
        )


def _letter(message: Any, prefix: str) -> DeadLetter:
    said = dict(message.attributes)
    source = said.get(f"{FORWARDED}Subscription", "")
    times = said.get(f"{FORWARDED}DeliveryCount", "several")
    return DeadLetter(
        message.message_id,
        source.removeprefix(prefix),
        f"delivered {times} times to {source or 'a subscription'}, acknowledged never",
        message.data,
        {key: value for key, value in said.items() if not key.startswith(FORWARDED)},
        message.publish_time,
    )
