"""The three shapes in which a message reaches a door, all read by one decoder.

* A *wrapped* Pub/Sub push: ``{"message": {...}, "subscription": ..., "deliveryAttempt": n}``.
* An *Eventarc* CloudEvent in binary mode: the same body, with ``ce-`` headers about the carrier.
* An *unwrapped* push with metadata: the body is the data, headers are the attributes.

functions-framework's own conversion of a wrapped push loses deliveryAttempt and subscription, and
answers 400 to a message that has only attributes: hence this decoder, behind HTTP signatures.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fanfold.domain.model.errors import BadMessage
from fanfold.domain.protocol.strict_json import NotJson, read_json
from fanfold.messages import run_request
from fanfold.messages.records import instant
from fanfold.ports.bus import Delivery, Message

#: The type of Eventarc's event around a Pub/Sub message.
EVENTARC_TYPE = "google.cloud.pubsub.topic.v1.messagePublished"


def decode(headers: Mapping[str, str], body: bytes, *, now: datetime) -> Delivery:
    """Return the delivery in an HTTP request, whichever of the three shapes it has.

    Args:
        headers: The request's headers, in any case.
        body: The request's body.
        now: Stands in for a publish time that the carrier did not give.

    Raises:
        BadMessage: It has none of the shapes. The caller keeps it as a dead letter.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    if _is_unwrapped(lower):
        return _unwrapped(lower, body, now)
    return _wrapped(body, now)


def undecodable(headers: Mapping[str, str], body: bytes, *, now: datetime) -> Delivery:
    """Return a delivery that holds what :func:`decode` could not read, for the dead letters.

    Its id is made of the body, so that a redelivery is the same letter.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    return Delivery(
        Message(body, {"content-type": lower.get("content-type", "")}),
        message_id=hashlib.sha256(body).hexdigest()[:32],
        published_at=now,
    )


def _is_unwrapped(headers: Mapping[str, str]) -> bool:
    if "x-goog-pubsub-message-id" in headers:
        return True
    return "ce-type" in headers and headers["ce-type"] != EVENTARC_TYPE


def _unwrapped(headers: Mapping[str, str], body: bytes, now: datetime) -> Delivery:
    message_id = headers.get("x-goog-pubsub-message-id") or headers.get("ce-id")
    if not message_id:
        raise BadMessage("not a Pub/Sub delivery: neither a message id nor a ce-id")
    attributes = {
        name: value
        for name, value in headers.items()
        if name.startswith("ce-") or name in ("content-type", "traceparent", "tracestate")
    }
    # Of a request's other attributes only those that a run request knows are told from the
    # carrier's own headers, by their plain names; WSGI turns an underscore into a dash.
    for key in run_request.KEYS:
        for name in (key, key.replace("_", "-")):
            if name in headers:
                attributes[key] = headers[name]
    attempt = headers.get("x-goog-pubsub-delivery-attempt", "")
    return Delivery(
        Message(body, attributes),
        message_id=message_id,
        published_at=_instant(headers.get("x-goog-pubsub-publish-time"), now),
        subscription=_short(headers.get("x-goog-pubsub-subscription-name", "")),
        attempt=_attempt(int(attempt) if re.fullmatch(r"[0-9]{1,9}", attempt, re.ASCII) else None),
    )


def _wrapped(body: bytes, now: datetime) -> Delivery:
    try:
        envelope = read_json(body)
    except NotJson as exc:
        raise BadMessage(f"not a Pub/Sub delivery: the body is not JSON: {exc}") from exc
    message = envelope.get("message") if isinstance(envelope, dict) else None
    if not isinstance(message, dict):
        raise BadMessage("not a Pub/Sub delivery: there is no object under 'message'")
    attributes = message.get("attributes") or {}
    if not isinstance(attributes, dict) or not all(
        isinstance(value, str) for value in attributes.values()
    ):
        raise BadMessage("not a Pub/Sub delivery: 'attributes' is not an object of strings")
    message_id = message.get("messageId") or message.get("message_id")
    if not isinstance(message_id, str) or not message_id:
        raise BadMessage("not a Pub/Sub delivery: 'messageId' is missing")
    return Delivery(
        Message(_decoded(message.get("data")), attributes),
        message_id=message_id,
        published_at=_instant(message.get("publishTime") or message.get("publish_time"), now),
        subscription=_short(envelope.get("subscription")),
        attempt=_attempt(envelope.get("deliveryAttempt")),
    )


def _attempt(said: Any) -> int | None:
    """Return the count of deliveries; without a dead letter policy Pub/Sub says 0 or nothing."""
    return said if type(said) is int and said > 0 else None


def _decoded(data: Any) -> bytes:
    if data is None:
        return b""
    try:
        return base64.b64decode(data, validate=True)
    except (TypeError, ValueError, binascii.Error) as exc:
        raise BadMessage(f"not a Pub/Sub delivery: 'data' is not base64: {exc}") from exc


def _instant(text: Any, now: datetime) -> datetime:
    if not isinstance(text, str):
        return now
    try:
        return instant(text)
    except ValueError as exc:
        raise BadMessage(f"not a Pub/Sub delivery: publishTime {text!r:.60} is no time") from exc


def _short(name: Any) -> str:
    return name.rpartition("/")[2] if isinstance(name, str) else ""
