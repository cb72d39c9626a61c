"""What Pub/Sub's push and Eventarc send to a function, and the HTTP client that sends it.

The shapes are documented at https://docs.cloud.google.com/pubsub/docs/push and
https://docs.cloud.google.com/eventarc/docs/cloudevents.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from google.pubsub_v1.types import ReceivedMessage

#: How long a function may take to accept a connection, in seconds.
CONNECT_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Push:
    """One request."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class PushSource:
    """Where a message comes from, by full names."""

    topic: str
    subscription: str


#: Makes the request that delivers a message.
Shape = Callable[[PushSource, ReceivedMessage], Push]


@dataclass(frozen=True, slots=True)
class PushAnswer:
    """What a request came to: ``status`` is None if nobody answered."""

    status: int | None
    retry_after_s: float | None = None


def wrapped(source: PushSource, received: ReceivedMessage) -> Push:
    """Return a wrapped push, as a Pub/Sub subscription with a dead letter policy sends it."""
    body = json.dumps(_envelope(source, received)).encode()
    return Push({"Content-Type": "application/json"}, body)


def eventarc(source: PushSource, received: ReceivedMessage) -> Push:
    """Return the CloudEvent in binary mode that Eventarc sends."""
    message_id = received.message.message_id
    headers = {
        "Content-Type": "application/json",
        "ce-id": message_id,
        "ce-source": f"//pubsub.googleapis.com/{source.topic}",
        "ce-specversion": "1.0",
        "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
        "ce-time": received.message.publish_time.rfc3339(),
    }
    return Push(headers, json.dumps(_envelope(source, received)).encode())


def _envelope(source: PushSource, received: ReceivedMessage) -> dict[str, Any]:
    message = received.message
    published = message.publish_time.rfc3339()
    content: dict[str, Any] = {
        "messageId": message.message_id,
        "message_id": message.message_id,
        "publishTime": published,
        "publish_time": published,
    }
    # Production leaves out what is empty.
    if message.data:
        content["data"] = base64.b64encode(message.data).decode()
    if message.attributes:
        content["attributes"] = dict(message.attributes)
    envelope: dict[str, Any] = {"message": content, "subscription": source.subscription}
    if received.delivery_attempt:
        envelope["deliveryAttempt"] = received.delivery_attempt
    return envelope


#: A wait in seconds, as ``Retry-After`` writes it.
_DIGITS = re.compile(r"[0-9]{1,9}")


class Poster:
    """Posts to one function. Safe to share between threads.

    Args:
        url: Where it listens.
        concurrency: Most requests at a time.
        timeout_s: How long an answer may take, in seconds.
    """

    def __init__(self, url: str, concurrency: int, timeout_s: float) -> None:
        self.url = url
        self._pool = urllib3.PoolManager(
            maxsize=concurrency,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=timeout_s),
        )

    def __call__(self, push: Push) -> PushAnswer:
        """Return what came of posting *push*."""
        try:
            response = self._pool.request(
                "POST", self.url, body=push.body, headers=dict(push.headers), redirect=False
            )
        except (urllib3.exceptions.HTTPError, OSError):
            return PushAnswer(None)
        return PushAnswer(response.status, _seconds(response.headers.get("Retry-After")))


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and _DIGITS.fullmatch(text) else None
