"""Pub/Sub's limits hold before a message leaves: the emulator would let it pass."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fanfold.adapters.google.bus import pubsub
from fanfold.adapters.google.bus.message_limits import MAX_REQUEST_BYTES, MAX_REQUEST_MESSAGES
from fanfold.domain.model.errors import BadMessage
from fanfold.messages.topology import COLLECTOR_JOBS
from fanfold.ports.bus import Message


class Publisher:
    """Confirms everything, and keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []

    def publish(self, *, request: dict[str, Any], retry: None, timeout: float) -> Any:
        self.requests.append(request)

        class Response:
            message_ids = tuple(str(each) for each in range(len(request["messages"])))

        return Response()


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (Message(b"x" * MAX_REQUEST_BYTES), "10,000,064 bytes"),
        (Message(b"x", {"name": "é" * 513}), "'name': a value of 1026 bytes"),
        (Message(b"x", {"n" * 257: ""}), "a name of 257 bytes"),
        (Message(b"x", {"": "v"}), "a name of 0 bytes"),
        (Message(b"x", {"google": "v"}), "belong to Google"),
        (Message(b"x", {str(number): "" for number in range(101)}), "101 attributes"),
        (Message(), "data or at least one attribute"),
    ],
)
def test_what_pubsub_would_refuse_is_refused_with_its_size(message: Message, says: str) -> None:
    publisher = Publisher()

    with pytest.raises(BadMessage, match=re.escape(says)):
        pubsub.PubSubBus("p", "", publisher).publish(COLLECTOR_JOBS, [Message(b"ok"), message])

    assert publisher.requests == []


def test_what_just_fits_goes() -> None:
    attributes = {f"{number:0256}": "v" * 1024 for number in range(100)}
    publisher = Publisher()

    pubsub.PubSubBus("p", "", publisher).publish(COLLECTOR_JOBS, [Message(b"x", attributes)])

    assert len(publisher.requests) == 1


def test_a_burst_is_cut_by_count_and_by_size() -> None:
    publisher = Publisher()
    bus = pubsub.PubSubBus("p", "dev-", publisher)

    assert len(bus.publish(COLLECTOR_JOBS, [Message(b"x")] * (MAX_REQUEST_MESSAGES + 1))) == 1001
    assert len(bus.publish(COLLECTOR_JOBS, [Message(b"x" * 4_000_000)] * 5)) == 5

    assert [len(each["messages"]) for each in publisher.requests] == [1000, 1, 2, 2, 1]
    assert {each["topic"] for each in publisher.requests} == {
        "projects/p/topics/dev-collector-jobs"
    }
