"""What the bridge posts is what the doors read, in both shapes."""

from __future__ import annotations

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
def test_a_door_reads_back_what_was_published(shape: push_requests.Shape) -> None:
    push = shape(SOURCE, received(data="{é}".encode(), attributes={"ce-id": "r1/dvf", "empty": ""}))

    assert deliveries.decode(push.headers, push.body, now=AT) == Delivery(
        Message("{é}".encode(), {"ce-id": "r1/dvf", "empty": ""}), "7", AT, "x-collector-jobs", 3
    )


def test_a_message_of_attributes_alone_has_no_data_as_in_production() -> None:
    push = push_requests.wrapped(SOURCE, received(attributes={"collectors": "dvf"}))

    assert b'"data"' not in push.body
    assert deliveries.decode(push.headers, push.body, now=AT).message.data == b""


def test_an_event_names_its_topic() -> None:
    push = push_requests.eventarc(SOURCE, received(data=b"{}"))

    assert push.headers["ce-source"] == "//pubsub.googleapis.com/projects/p/topics/x-jobs"
    assert push.headers["ce-type"] == deliveries.EVENTARC_TYPE


def test_nobody_there_is_no_status() -> None:
    poster = push_requests.Poster("http://127.0.0.1:9/", 1, timeout_s=1)

    assert poster(push_requests.wrapped(SOURCE, received(data=b"{}"))) == push_requests.PushAnswer(
        None
    )
