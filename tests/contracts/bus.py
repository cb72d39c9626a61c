"""The promises of :class:`fanfold.ports.bus.Bus`, as tests.

Not collected by itself: each adapter subclasses it, and says how to open its bus and how to take
what waits in a subscription.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import pytest

from fanfold.domain.model.errors import BusUnavailable
from fanfold.messages.topology import COLLECTOR_JOBS, COLLECTOR_RESULTS, RUN_REPORTS
from fanfold.ports.bus import Bus, Delivery, Message

Connect = Callable[[], Bus]

#: Takes every message that a subscription has now, and acknowledges them.
Receive = Callable[[str], Sequence[Delivery]]


class BusContract(ABC):
    @pytest.fixture
    @abstractmethod
    def connect(self) -> Connect:
        """Return a function that opens the same bus anew each time; it is empty at first."""

    @pytest.fixture
    @abstractmethod
    def receive(self) -> Receive:
        """Return a function that takes and acknowledges what a subscription, by its name, has."""

    @pytest.fixture
    def bus(self, connect: Connect) -> Bus:
        return connect()

    def test_confirmed_what_was_published_is_delivered(self, bus: Bus, receive: Receive) -> None:
        message = Message(b'{"a": "\xc3\xa9"}\x00', {"ce-id": "r1/dvf", "traceparent": "00-a"})
        ids = bus.publish(COLLECTOR_JOBS, [message])

        (delivery,) = receive(COLLECTOR_JOBS)
        assert delivery.message == message
        assert [delivery.message_id] == list(ids)
        assert delivery.subscription == COLLECTOR_JOBS
        assert delivery.published_at.utcoffset() is not None
        assert receive(COLLECTOR_JOBS) == []

    def test_confirmed_another_connection_receives_it(
        self, connect: Connect, receive: Receive
    ) -> None:
        connect().publish(RUN_REPORTS, [Message(b"{}")])

        assert len(receive(RUN_REPORTS)) == 1

    def test_ids_are_returned_in_order(self, bus: Bus, receive: Receive) -> None:
        messages = [Message(str(number).encode(), {"ce-id": str(number)}) for number in range(20)]
        ids = bus.publish(COLLECTOR_JOBS, messages)

        by_id = {each.message_id: each.message for each in receive(COLLECTOR_JOBS)}
        assert [by_id[message_id] for message_id in ids] == messages

    def test_a_message_goes_to_its_topics_subscriptions_alone(
        self, bus: Bus, receive: Receive
    ) -> None:
        bus.publish(COLLECTOR_JOBS, [Message(b"job")])

        assert receive(COLLECTOR_RESULTS) == []
        assert len(receive(COLLECTOR_JOBS)) == 1

    def test_a_message_may_be_empty(self, bus: Bus, receive: Receive) -> None:
        # Pub/Sub itself wants data or at least one attribute.
        bus.publish(COLLECTOR_JOBS, [Message(b"", {"schedule": "nightly"})])

        (delivery,) = receive(COLLECTOR_JOBS)
        assert delivery.message == Message(b"", {"schedule": "nightly"})

    def test_publishing_nothing_is_nothing(self, bus: Bus, receive: Receive) -> None:
        assert list(bus.publish(COLLECTOR_JOBS, [])) == []
        assert receive(COLLECTOR_JOBS) == []

    def test_a_topic_that_is_not_there_is_unavailable(self, bus: Bus) -> None:
        with pytest.raises(BusUnavailable):
            bus.publish("no-such-topic", [Message(b"{}")])
