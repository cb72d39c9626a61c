"""The three shapes in which a message reaches a door."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import START, after

from fanfold.adapters.google.bus.deliveries import EVENTARC_TYPE, decode, undecodable
from fanfold.domain.model.errors import BadMessage
from fanfold.messages.run_request import KEYS
from fanfold.ports.bus import Delivery, Message

SUBSCRIPTION = "projects/p/subscriptions/collector-jobs"


def envelope(**changes: Any) -> dict[str, Any]:
    message = {
        "data": base64.b64encode(b'{"a": 1}').decode(),
        "attributes": {"ce-id": "r1/dvf"},
        "messageId": "77",
        "message_id": "77",
        "publishTime": "2026-11-23T02:15:00.123Z",
    }
    message |= changes
    return {"message": message, "subscription": SUBSCRIPTION, "deliveryAttempt": 3}


def wrapped(document: Any, **headers: str) -> Delivery:
    return decode(headers, json.dumps(document).encode(), now=after(9))


def test_a_wrapped_push_keeps_all_that_it_says() -> None:
    assert wrapped(envelope()) == Delivery(
        Message(b'{"a": 1}', {"ce-id": "r1/dvf"}),
        "77",
        START.replace(microsecond=123_000),
        "collector-jobs",
        3,
    )


def test_an_eventarc_event_is_read_like_the_push_in_it() -> None:
    headers = {"ce-type": EVENTARC_TYPE, "ce-id": "77", "Content-Type": "application/json"}
    assert wrapped(envelope(), **headers) == wrapped(envelope())


def test_an_unwrapped_push_has_its_attributes_in_headers() -> None:
    headers = {
        "X-Goog-Pubsub-Message-Id": "77",
        "X-Goog-Pubsub-Publish-Time": "2026-11-23T02:15:00Z",
        "X-Goog-Pubsub-Subscription-Name": SUBSCRIPTION,
        "X-Goog-Pubsub-Delivery-Attempt": "3",
        "Ce-Id": "r1/dvf",
        "Content-Type": "application/json",
        "Traceparent": "00-a",
        "Authorization": "Bearer secret",
        "User-Agent": "CloudPubSub",
    }
    attributes = {"ce-id": "r1/dvf", "content-type": "application/json", "traceparent": "00-a"}
    assert decode(headers, b"\x00raw", now=after(9)) == Delivery(
        Message(b"\x00raw", attributes), "77", START, "collector-jobs", 3
    )


@pytest.mark.parametrize("key", KEYS)
def test_every_key_of_a_request_is_found_in_unwrapped_headers(key: str) -> None:
    for name in (key, key.replace("_", "-").title()):
        delivery = decode({"x-goog-pubsub-message-id": "7", name: "v"}, b"", now=START)
        assert delivery.message.attributes == {key: "v"}


def test_a_cloud_event_of_our_own_is_an_unwrapped_message() -> None:
    headers = {"ce-type": "dev.fanfold.collector.job.v1", "ce-id": "r1/dvf"}
    delivery = decode(headers, b"{}", now=after(9))
    assert (delivery.message_id, delivery.published_at) == ("r1/dvf", after(9))


@pytest.mark.parametrize("data", [{}, {"data": None}, {"data": ""}])
def test_a_message_of_attributes_alone_is_read(data: dict[str, Any]) -> None:
    document = envelope(attributes={"schedule": "nightly"})
    del document["message"]["data"]
    document["message"] |= data
    assert wrapped(document).message == Message(b"", {"schedule": "nightly"})


@pytest.mark.parametrize("attempt", [None, 0, -1, "3", True, 1.0])
def test_an_attempt_that_was_not_counted_is_not_known(attempt: object) -> None:
    assert wrapped(envelope() | {"deliveryAttempt": attempt}).attempt is None


@pytest.mark.parametrize(
    ("document", "why"),
    [
        pytest.param([], "no object under 'message'", id="a list"),
        pytest.param({"message": "x"}, "no object under 'message'", id="a text for a message"),
        pytest.param(envelope(messageId=None, message_id=None), "messageId", id="no id"),
        pytest.param(envelope(messageId="", message_id=""), "messageId", id="an empty id"),
        pytest.param(envelope(messageId=7), "messageId", id="a number for an id"),
        pytest.param(envelope(data="%%%"), "not base64", id="no base64"),
        pytest.param(envelope(data=[1]), "not base64", id="a list for data"),
        pytest.param(envelope(data="é"), "not base64", id="not even ASCII"),
        pytest.param(envelope(attributes={"a": 1}), "attributes", id="a number attribute"),
        pytest.param(envelope(attributes=[1]), "attributes", id="a list of attributes"),
        pytest.param(envelope(publishTime="soon"), "is no time", id="no time"),
        pytest.param(envelope(publishTime="2026-11-23T02:15:00"), "is no time", id="no offset"),
        pytest.param(
            envelope(publishTime="0001-01-01T00:00:00+14:00"), "is no time", id="off the calendar"
        ),
    ],
)
def test_what_has_none_of_the_shapes_is_a_bad_message(document: Any, why: str) -> None:
    with pytest.raises(BadMessage, match=why):
        wrapped(document)


@pytest.mark.parametrize("body", [b"", b"garbage", b"\xff\xfe", b"[" * 100_000, b'"\\ud800"'])
def test_garbage_is_a_bad_message_and_a_letter_of_its_own(body: bytes) -> None:
    with pytest.raises(BadMessage):
        decode({}, body, now=START)
    letter = undecodable({"Content-Type": "text/x"}, body, now=START)
    assert letter.message == Message(body, {"content-type": "text/x"})
    assert letter.message_id == undecodable({}, body, now=after(9)).message_id
    assert letter.message_id != undecodable({}, body + b"!", now=START).message_id


def test_an_unwrapped_message_without_any_id_is_a_bad_message() -> None:
    with pytest.raises(BadMessage, match="neither a message id nor a ce-id"):
        decode({"ce-type": "dev.fanfold.x"}, b"{}", now=START)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
MESSAGES = st.dictionaries(
    st.sampled_from(["data", "attributes", "messageId", "publishTime"]), JSON, max_size=4
)
BODIES = st.binary() | st.builds(
    lambda message, more: json.dumps({"message": message} | more).encode(),
    MESSAGES | JSON,
    st.dictionaries(st.sampled_from(["subscription", "deliveryAttempt"]), JSON),
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "ce-type",
            "ce-id",
            "Ce-Time",
            "x-goog-pubsub-message-id",
            "x-goog-pubsub-publish-time",
            "x-goog-pubsub-delivery-attempt",
            "x-goog-pubsub-subscription-name",
            "run-id",
        ]
    ),
    st.text() | st.just(EVENTARC_TYPE),
    max_size=5,
)


@given(HEADERS, BODIES)
def test_any_request_is_a_delivery_or_a_bad_message(headers: dict[str, str], body: bytes) -> None:
    try:
        delivery = decode(headers, body, now=START)
    except BadMessage:
        delivery = undecodable(headers, body, now=START)
    assert delivery.message_id
    assert delivery.published_at.utcoffset() is not None
    assert delivery.attempt is None or delivery.attempt >= 1
    assert json.dumps(dict(delivery.message.attributes), ensure_ascii=False).encode()
