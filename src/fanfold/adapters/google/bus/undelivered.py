"""Letters that Pub/Sub itself gave up on, brought to where people look: the ledger.

A message that was delivered too often is forwarded to the dead-letters topic with attributes that
say where it came from. What the doors could not read is in the ledger already.
"""

from __future__ import annotations

import warnings
from typing import Any

from google.api_core import exceptions

from fanfold.adapters.google.bus import channels
from fanfold.domain.model.errors import BusUnavailable
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
    client = subscriber or channels.subscriber_client()
    path = f"projects/{project}/subscriptions/{prefix}{DEAD_LETTERS}"
    parked = 0
    try:
        while parked < limit and (received := _pull(client, path, limit - parked)):
            for each in received:
                ledger.park(_letter(each.message, prefix))
            ack_ids = [each.ack_id for each in received]
            request = {"subscription": path, "ack_ids": ack_ids}
            client.acknowledge(request=request, retry=None, timeout=CALL_TIMEOUT_S)
            parked += len(received)
    except exceptions.GoogleAPICallError as exc:
        raise BusUnavailable(f"reading {path}: {type(exc).__name__}: {exc.message}") from exc
    return parked


def _pull(client: Any, path: str, count: int) -> Any:
    request = {"subscription": path, "max_messages": min(count, 100), "return_immediately": True}
    with warnings.catch_warnings():
        # Deprecated for services that wait for work; here a person waits for what there is.
        warnings.simplefilter("ignore", DeprecationWarning)
        return client.pull(request=request, retry=None, timeout=CALL_TIMEOUT_S).received_messages


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
