"""The shapes in which a message reaches a function over HTTP, all read by one decoder.

* A *wrapped* Pub/Sub push: ``{"message": {...}, "subscription": ..., "deliveryAttempt": n}``.
* A *CloudEvent*, in binary mode (``ce-`` headers, the body is the data) or in structured mode (one
  JSON body): read with the CloudEvents SDK. Eventarc's event has a wrapped push as its data; an
  event of our own is the message itself.
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
from dataclasses import replace
from datetime import datetime
from typing import Any

from fanfold.domain.model.errors import BadMessage
from fanfold.domain.protocol.strict_json import NotJson, read_json
from fanfold.messages import run_request
from fanfold.messages.records import instant
from fanfold.ports.bus import Delivery, Message

#: The type of Eventarc's event around a Pub/Sub message.
EVENTARC_TYPE = "google.cloud.pubsub.topic.v1.messagePublished"

#: What the subscriptions begin with that Eventarc makes for itself.
EVENTARC_SUBSCRIPTION = "eventarc-"

#: The content type of a CloudEvent in structured mode; batches have another one.
STRUCTURED = "application/cloudevents+json"

#: The headers by which a CloudEvent in binary mode is known.
BINARY_HEADERS = frozenset({"ce-id", "ce-source", "ce-specversion", "ce-type"})

#: The full name of a subscription.
SUBSCRIPTION_PATH = re.compile(r"projects/[^/]+/subscriptions/([^/]+)")


def decode(headers: Mapping[str, str], body: bytes, *, now: datetime) -> Delivery:
    """Return the delivery in an HTTP request, whichever of the shapes it has.

    Args:
        headers: The request's headers, in any case.
        body: The request's body.
        now: Stands in for a publish time that the carrier did not give.

    Raises:
        BadMessage: It has none of the shapes. The caller keeps it as a dead letter.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    if lower.keys() >= BINARY_HEADERS or _is_structured(lower):
        return _event(lower, body, now)
    if "x-goog-pubsub-message-id" in lower or lower.get("ce-type", EVENTARC_TYPE) != EVENTARC_TYPE:
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


def _is_structured(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").partition(";")[0].strip().lower() == STRUCTURED


def _event(headers: Mapping[str, str], body: bytes, now: datetime) -> Delivery:
    """Return the delivery in a CloudEvent, in either mode."""
    # functions-framework brings the SDK and loads it; whoever else imports this module does not.
    from cloudevents.exceptions import GenericException
    from cloudevents.http import from_http

    said: Mapping[str, Any] = {
        name.removeprefix("ce-"): value for name, value in headers.items() if name[:3] == "ce-"
    }
    if _is_structured(headers):
        said = _strict_object(body)  # the SDK also takes NaN, and the last of two equal keys
        _decoded(said.get("data_base64"))  # nor does it mind what is no base64
        about_the_body = BINARY_HEADERS | {"content-type"}
        headers = {name: value for name, value in headers.items() if name not in about_the_body}
    try:
        event = from_http(headers, body, data_unmarshaller=_as_bytes)
    except (GenericException, ValueError, TypeError, AttributeError) as exc:
        raise BadMessage(f"not a CloudEvent: {exc!s:.200}") from exc
    # A time that the event lacks the SDK makes up, by a clock that is not ours.
    attributes = {
        name: _text(name, value)
        for name, value in event.get_attributes().items()
        if name == "datacontenttype" or said.get(name) is not None
    }
    data = event.get_data() or b""
    if attributes["type"] == EVENTARC_TYPE:
        return _of_eventarc(_wrapped(data, now), attributes["source"])
    named = {_PLAIN_NAMES.get(name, f"ce-{name}"): text for name, text in attributes.items()}
    return _carried(
        Message(data, _carrier_attributes(headers) | named),
        headers,
        message_id=headers.get("x-goog-pubsub-message-id") or attributes["id"],
        published_at=_instant(attributes.get("time"), now),
    )


#: The attributes of a CloudEvent that have another name on a message than ``ce-`` and their own.
_PLAIN_NAMES = {
    "datacontenttype": "content-type",
    "traceparent": "traceparent",
    "tracestate": "tracestate",
}


def _as_bytes(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data


def _text(name: str, value: Any) -> str:
    """Return a CloudEvent's attribute as the text that a message's attribute is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str) or not value:
        raise BadMessage(f"not a CloudEvent: its attribute {name!r:.60} is no text")
    return value


def _of_eventarc(delivery: Delivery, source: str) -> Delivery:
    """Return *delivery* under the name of its topic, if Eventarc made its subscription.

    The name of such a subscription says nothing. Ours are named like their topics, and *source*
    is ``//pubsub.googleapis.com/projects/PROJECT/topics/TOPIC``.
    """
    if not delivery.subscription.startswith(EVENTARC_SUBSCRIPTION):
        return delivery
    return replace(delivery, subscription=source.rpartition("/topics/")[2])


def _unwrapped(headers: Mapping[str, str], body: bytes, now: datetime) -> Delivery:
    message_id = headers.get("x-goog-pubsub-message-id") or headers.get("ce-id")
    if not message_id:
        raise BadMessage("not a Pub/Sub delivery: neither a message id nor a ce-id")
    events_own = {name: value for name, value in headers.items() if name.startswith("ce-")}
    return _carried(
        Message(body, _carrier_attributes(headers) | events_own),
        headers,
        message_id=message_id,
        published_at=now,
    )


def _carrier_attributes(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes of a message that stand among a request's headers by plain names.

    Of a request's other attributes only those that a run request knows are told from the
    carrier's own headers; WSGI turns an underscore into a dash.
    """
    attributes = {
        name: headers[name]
        for name in ("content-type", "traceparent", "tracestate")
        if name in headers
    }
    for key in run_request.KEYS:
        for name in (key, key.replace("_", "-")):
            if name in headers:
                attributes[key] = headers[name]
    return attributes


def _carried(
    message: Message, headers: Mapping[str, str], *, message_id: str, published_at: datetime
) -> Delivery:
    """Return the delivery of *message*, with what Pub/Sub's headers say of it."""
    attempt = headers.get("x-goog-pubsub-delivery-attempt", "")
    return Delivery(
        message,
        message_id=message_id,
        published_at=_instant(headers.get("x-goog-pubsub-publish-time"), published_at),
        subscription=_short(headers.get("x-goog-pubsub-subscription-name")),
        attempt=_attempt(int(attempt) if re.fullmatch(r"[0-9]{1,9}", attempt, re.ASCII) else None),
    )


def _wrapped(body: bytes, now: datetime) -> Delivery:
    envelope = _strict_object(body)
    message = envelope.get("message")
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


def _strict_object(body: bytes) -> Mapping[str, Any]:
    try:
        document = read_json(body)
    except NotJson as exc:
        raise BadMessage(f"not a Pub/Sub delivery: the body is not JSON: {exc}") from exc
    # A list has no message either; the check of the keys says what is missing.
    return document if isinstance(document, dict) else {}


def _instant(text: Any, otherwise: datetime) -> datetime:
    if not isinstance(text, str):
        return otherwise
    try:
        return instant(text)
    except ValueError as exc:
        raise BadMessage(f"not a Pub/Sub delivery: publishTime {text!r:.60} is no time") from exc


def _short(name: Any) -> str:
    """Return a subscription's name without its project; "" if there is none.

    What is no subscription's full name stays as it is, and is no function's subscription.
    """
    if not isinstance(name, str):
        return ""
    full = SUBSCRIPTION_PATH.fullmatch(name)
    return full[1] if full else name
