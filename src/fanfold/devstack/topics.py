"""Makes the topology's topics and subscriptions on an emulator; on Google Cloud, Terraform does.

Doing it again changes nothing. Two kinds of subscription: *pushed* ones deliver to a function's
address by the emulator's own means (two requests at a time, whatever is set), *pulled* ones are
for :mod:`fanfold.devstack.push_bridge`, which keeps the backoff itself: they have no retry
policy, so that a message waits once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.api_core import exceptions
from google.protobuf.duration_pb2 import Duration

from fanfold.adapters.google.bus import channels
from fanfold.messages.topology import DEAD_LETTERS, Subscription, Topology, topology

#: Longest wait for one call to the emulator, in seconds.
CALL_TIMEOUT_S = 10.0

#: What Pub/Sub allows for ``max_delivery_attempts``.
FEWEST_ATTEMPTS, MOST_ATTEMPTS = 5, 100


def create_topology(
    project: str,
    prefix: str = "",
    *,
    endpoints: Mapping[str, str] | None = None,
    chosen: Topology | None = None,
) -> int:
    """Create what is not there yet; return how many topics and subscriptions were made.

    Args:
        project: The emulator's project; any name.
        prefix: Put before every topic and subscription.
        endpoints: Where functions listen, by name: their subscriptions push. Others are pulled.
        chosen: The topology; the one that ships with fanfold if absent.
    """
    chosen = chosen or topology()
    names = _Names(project, prefix)
    publisher, subscriber = channels.publisher_client(), channels.subscriber_client()
    made = sum(
        _made(publisher.create_topic, {"name": names.topic(topic)}) for topic in chosen.topics
    )
    for subscription in chosen.subscriptions.values():
        endpoint = (endpoints or {}).get(subscription.function or "", "")
        made += _made(
            subscriber.create_subscription, _request(subscription, names, endpoint=endpoint)
        )
    return made


class _Names:
    def __init__(self, project: str, prefix: str) -> None:
        self.project = project
        self.prefix = prefix

    def topic(self, name: str) -> str:
        return f"projects/{self.project}/topics/{self.prefix}{name}"

    def subscription(self, name: str) -> str:
        return f"projects/{self.project}/subscriptions/{self.prefix}{name}"


def _made(create: Any, request: Mapping[str, Any]) -> bool:
    try:
        create(request=request, retry=None, timeout=CALL_TIMEOUT_S)
    except exceptions.AlreadyExists:
        return False
    return True


def _request(subscription: Subscription, names: _Names, *, endpoint: str) -> dict[str, Any]:
    request: dict[str, Any] = {
        "name": names.subscription(subscription.name),
        "topic": names.topic(subscription.topic),
        "ack_deadline_seconds": int(subscription.ack_deadline_s),
        # An empty policy: it never expires.
        "expiration_policy": {},
    }
    if subscription.max_delivery_attempts is not None:
        attempts = min(max(subscription.max_delivery_attempts, FEWEST_ATTEMPTS), MOST_ATTEMPTS)
        request["dead_letter_policy"] = {
            "dead_letter_topic": names.topic(DEAD_LETTERS),
            "max_delivery_attempts": attempts,
        }
    if endpoint:
        request["push_config"] = {"push_endpoint": endpoint}
        request["retry_policy"] = {
            "minimum_backoff": Duration(seconds=int(subscription.min_backoff_s)),
            "maximum_backoff": Duration(seconds=int(subscription.max_backoff_s)),
        }
    return request
