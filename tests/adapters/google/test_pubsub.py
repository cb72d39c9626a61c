"""The Pub/Sub bus keeps the bus's promises, on the official emulator."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from contextlib import closing

import pytest
from tests.adapters.google.on_pubsub import project, pubsub_host, take
from tests.contracts.bus import BusContract, Connect, Receive

from fanfold.adapters.google.bus import channels
from fanfold.adapters.google.bus.pubsub import PubSubBus
from fanfold.devstack import topics as setup
from fanfold.domain.model.errors import BusUnavailable
from fanfold.messages.topology import COLLECTOR_JOBS, topology
from fanfold.ports.bus import Delivery, Message

__all__ = ["project", "pubsub_host"]

pytestmark = pytest.mark.emulator

PREFIX = "test-"


@pytest.fixture
def made(project: str) -> str:
    setup.create_topology(project, PREFIX)
    return project


class TestPubSubBus(BusContract):
    @pytest.fixture
    def connect(self, made: str) -> Connect:
        return lambda: PubSubBus(made, PREFIX)

    @pytest.fixture
    def receive(self, made: str) -> Receive:
        def receive(subscription: str) -> Sequence[Delivery]:
            return [
                Delivery(
                    Message(each.message.data, dict(each.message.attributes)),
                    each.message.message_id,
                    each.message.publish_time,
                    subscription,
                )
                for each in take(made, PREFIX + subscription)
            ]

        return receive

    def test_a_large_burst_keeps_its_order_and_count(self, made: str) -> None:
        messages = [Message(b"{}", {"ce-id": str(number)}) for number in range(2500)]

        ids = PubSubBus(made, PREFIX).publish(COLLECTOR_JOBS, messages)

        assert len(set(ids)) == 2500


def test_setting_up_again_makes_nothing(project: str) -> None:
    wanted = len(topology().topics) + len(topology().subscriptions)

    assert setup.create_topology(project, PREFIX) == wanted
    assert setup.create_topology(project, PREFIX) == 0
    assert setup.create_topology(project, "other-") == wanted


def test_a_missing_topic_is_said_with_the_command_that_makes_it(project: str) -> None:
    with pytest.raises(BusUnavailable) as caught:
        PubSubBus(project, "dev-").publish(COLLECTOR_JOBS, [Message(b"{}")])

    fix = f"gcloud pubsub topics create dev-collector-jobs --project={project}"
    assert fix in str(caught.value)


def test_nobody_listening_is_unavailable_within_five_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(channels.EMULATOR, "127.0.0.1:9")
    started = time.monotonic()

    with pytest.raises(BusUnavailable, match="ServiceUnavailable"):
        PubSubBus("demo").publish(COLLECTOR_JOBS, [Message(b"{}")])

    assert time.monotonic() - started < 5


def test_a_silent_network_is_unavailable_within_five_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        monkeypatch.setenv(channels.EMULATOR, f"127.0.0.1:{silent.getsockname()[1]}")
        started = time.monotonic()

        with pytest.raises(BusUnavailable):
            PubSubBus("demo").publish(COLLECTOR_JOBS, [Message(b"{}")])

        assert time.monotonic() - started < 5
