"""What the bridge posts: production's envelope to the letter, which the functions read back."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from google.pubsub_v1.types import PubsubMessage, ReceivedMessage

from fanfold.adapters.google.bus import deliveries
from fanfold.devstack import push_requests
from fanfold.ports.bus import Delivery, Message

AT = datetime(2026, 11, 23, 2, 15, 0, 500_000, tzinfo=UTC)

SOURCE = push_requests.PushSource(
    "projects/p/topics/x-jobs", "projects/p/subscriptions/x-collector-jobs"
)


def received(**message: object) -> ReceivedMessage:
    said = PubsubMessage(message_id="7", publish_time=AT, **message)
    return ReceivedMessage(ack_id="a", message=said, delivery_attempt=3)


@pytest.mark.parametrize("shape", [push_requests.wrapped, push_requests.eventarc])
def test_a_function_reads_back_what_was_published(shape: push_requests.Shape) -> None:
    push = shape(SOURCE, received(data="{é}".encode(), attributes={"ce-id": "r1/dvf", "empty": ""}))

    assert deliveries.decode(push.headers, push.body, now=AT) == Delivery(
        Message("{é}".encode(), {"ce-id": "r1/dvf", "empty": ""}), "7", AT, "x-collector-jobs", 3
    )


def test_a_wrapped_push_has_productions_envelope_to_the_letter() -> None:
    push = push_requests.wrapped(SOURCE, received(data=b"{}", attributes={"ce-id": "r1/dvf"}))

    assert push.headers == {"Content-Type": "application/json"}
    assert json.loads(push.body) == {
        "message": {
            "data": "e30=",
            "attributes": {"ce-id": "r1/dvf"},
            "messageId": "7",
            "message_id": "7",
            "publishTime": "2026-11-23T02:15:00.5Z",
            "publish_time": "2026-11-23T02:15:00.5Z",
        },
        "subscription": "projects/p/subscriptions/x-collector-jobs",
        "deliveryAttempt": 3,
    }


def test_what_is_empty_is_left_out_as_in_production() -> None:
    bare = ReceivedMessage(message=PubsubMessage(message_id="7", publish_time=AT))

    envelope = json.loads(push_requests.wrapped(SOURCE, bare).body)
    assert envelope.keys() == {"message", "subscription"}
    assert envelope["message"].keys() == {
        *("messageId", "message_id"),
        *("publishTime", "publish_time"),
    }


def test_an_eventarc_event_has_productions_headers_to_the_letter() -> None:
    push = push_requests.eventarc(SOURCE, received(data=b"{}"))

    assert push.headers == {
        "Content-Type": "application/json",
        "ce-id": "7",
        "ce-source": "//pubsub.googleapis.com/projects/p/topics/x-jobs",
        "ce-specversion": "1.0",
        "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
        "ce-time": "2026-11-23T02:15:00.5Z",
    }
    assert push.body == push_requests.wrapped(SOURCE, received(data=b"{}")).body


def test_a_message_of_attributes_alone_has_no_data_as_in_production() -> None:
    push = push_requests.wrapped(SOURCE, received(attributes={"collectors": "dvf"}))

    assert b'"data"' not in push.body
    assert deliveries.decode(push.headers, push.body, now=AT).message.data == b""


def test_nobody_there_is_no_status() -> None:
    poster = push_requests.Poster("http://127.0.0.1:9/", 1, timeout_s=1)

    assert poster(push_requests.wrapped(SOURCE, received(data=b"{}"))) == push_requests.PushAnswer(
        None
    )
