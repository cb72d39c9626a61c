"""The embedded bus keeps the promises of the bus, and speaks Pub/Sub's words."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.adapters.embedded.conftest import OpenBus, OpenDatabase
from tests.contracts.bus import BusContract, Connect, Receive
from tests.support import MovingClock

from fanfold.adapters.embedded.bus import MAX_MESSAGE_BYTES, RETENTION_S, SqliteBus
from fanfold.adapters.embedded.leases import LeasedMessage, PullRequest, Settlement
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.domain.model.errors import BusUnavailable
from fanfold.messages.topology import COLLECTOR_JOBS, RUN_REPORTS, topology
from fanfold.ports.bus import Delivery, Message

JOBS = topology().subscriptions[COLLECTOR_JOBS]


@pytest.fixture
def bus(open_bus: OpenBus) -> SqliteBus:
    return open_bus()


def take(
    bus: SqliteBus, count: int = 100, limit: int | None = None, holder: str = "h"
) -> list[LeasedMessage]:
    return list(bus.exchange([], [PullRequest(COLLECTOR_JOBS, count, limit)], holder=holder))


def settle(
    bus: SqliteBus, held: LeasedMessage, error: str | None = None, after_s: float | None = None
) -> None:
    bus.exchange([Settlement(held, error, after_s)], [], holder="h")


def job(name: str = "dvf") -> Message:
    return Message(b"{}", {"ce-id": f"r1/{name}"})


class TestSqliteBus(BusContract):
    @pytest.fixture
    def connect(self, open_bus: OpenBus) -> Connect:
        return open_bus

    @pytest.fixture
    def receive(self, open_bus: OpenBus) -> Receive:
        def take_all(subscription: str) -> Sequence[Delivery]:
            bus = open_bus()
            held = bus.exchange([], [PullRequest(subscription, 1000)], holder="receiver")
            bus.exchange([Settlement(each) for each in held], [], holder="receiver")
            return [each.delivery for each in held]

        return take_all


def test_a_message_under_lease_is_not_delivered_to_anyone_else(open_bus: OpenBus) -> None:
    open_bus().publish(COLLECTOR_JOBS, [job()])

    assert len(take(open_bus())) == 1
    assert take(open_bus(), holder="other") == []


def test_a_message_that_is_not_settled_in_time_is_delivered_again(
    bus: SqliteBus, clock: MovingClock
) -> None:
    bus.publish(COLLECTOR_JOBS, [job()])
    (first,) = take(bus)
    clock.forward(JOBS.ack_deadline_s - 1)
    assert take(bus) == []
    clock.forward(1)
    (second,) = take(bus)

    assert (first.delivery.attempt, second.delivery.attempt) == (1, 2)
    assert second.delivery.message_id == first.delivery.message_id


def test_an_extension_is_a_whole_ack_deadline_more(bus: SqliteBus, clock: MovingClock) -> None:
    bus.publish(COLLECTOR_JOBS, [job()])
    held = take(bus)
    clock.forward(JOBS.ack_deadline_s - 1)
    bus.extend(held, holder="h")
    clock.forward(JOBS.ack_deadline_s - 1)

    assert take(bus) == []


def test_a_lease_may_be_shorter_than_the_ack_deadline(bus: SqliteBus, clock: MovingClock) -> None:
    bus.publish(COLLECTOR_JOBS, [job()])
    want = PullRequest(COLLECTOR_JOBS, 1, lease_s=20)
    (held,) = bus.exchange([], [want], holder="h")
    clock.forward(19)
    bus.extend([held], holder="h", lease_s=20)
    clock.forward(19)
    assert take(bus) == []
    clock.forward(1)
    assert len(take(bus)) == 1


def test_who_lost_a_message_extends_it_for_nobody_else(bus: SqliteBus, clock: MovingClock) -> None:
    bus.publish(COLLECTOR_JOBS, [job()])
    held = take(bus, holder="paused")
    clock.forward(JOBS.ack_deadline_s)
    taken = take(bus, holder="other")
    clock.forward(JOBS.ack_deadline_s - 1)
    bus.extend(held, holder="paused")
    clock.forward(1)
    assert len(taken) == len(take(bus)) == 1


def test_a_lease_that_ran_out_holds_no_place(bus: SqliteBus, clock: MovingClock) -> None:
    bus.publish(COLLECTOR_JOBS, [job(str(number)) for number in range(4)])
    want = PullRequest(COLLECTOR_JOBS, 2, limit_held=2, lease_s=20)
    assert len(bus.exchange([], [want], holder="paused")) == 2
    assert bus.exchange([], [want], holder="other") == []
    clock.forward(20)
    assert len(bus.exchange([], [want], holder="other")) == 2


def test_an_acknowledged_message_is_gone(bus: SqliteBus, clock: MovingClock) -> None:
    bus.publish(COLLECTOR_JOBS, [job()])
    settle(bus, take(bus)[0])
    clock.forward(JOBS.ack_deadline_s * 2)

    assert take(bus) == []
    assert bus.waiting() == {}


def test_an_error_brings_a_message_back_after_a_growing_backoff(
    bus: SqliteBus, clock: MovingClock
) -> None:
    bus.publish(COLLECTOR_JOBS, [job()])
    for wait_s in (5, 10, 20):  # 10 s doubled each time, halved by the jitter
        settle(bus, take(bus)[0], "no")
        clock.forward(wait_s - 0.001)
        assert take(bus) == []
        clock.forward(0.001)


def test_a_message_comes_back_when_it_asks_to(bus: SqliteBus, clock: MovingClock) -> None:
    bus.publish(COLLECTOR_JOBS, [job()])
    settle(bus, take(bus)[0], "waiting", after_s=42)
    assert (bus.next_visible_at([COLLECTOR_JOBS])) == clock.at.replace(second=42)
    clock.forward(41)
    assert take(bus) == []
    clock.forward(1)
    assert len(take(bus)) == 1


def test_a_message_that_fails_too_often_is_a_dead_letter_with_its_reason(
    bus: SqliteBus, clock: MovingClock, open_database: OpenDatabase
) -> None:
    bus.publish(COLLECTOR_JOBS, [job()])
    for _ in range(JOBS.max_delivery_attempts or 0):
        settle(bus, take(bus)[0], "no luck")
        clock.forward(JOBS.max_backoff_s)

    assert bus.waiting() == {}
    (letter,) = SqliteLedger(open_database()).dead_letters(10)
    assert letter.reason == "delivered 100 times, the last time: no luck"
    assert (letter.subscription, letter.attributes) == (COLLECTOR_JOBS, {"ce-id": "r1/dvf"})


def test_a_message_that_kills_whoever_takes_it_is_a_dead_letter_too(
    bus: SqliteBus, clock: MovingClock, open_database: OpenDatabase
) -> None:
    bus.publish(COLLECTOR_JOBS, [job()])
    for _ in range(JOBS.max_delivery_attempts or 0):
        assert len(take(bus)) == 1
        clock.forward(JOBS.ack_deadline_s)
    bus.publish(COLLECTOR_JOBS, [job("plu")])

    assert [each.delivery.message for each in take(bus)] == [job("plu")]
    (letter,) = SqliteLedger(open_database()).dead_letters(10)
    assert letter.reason == "delivered 100 times, the last time: never settled"


def test_waiting_is_not_failing_however_often(
    bus: SqliteBus, clock: MovingClock, open_database: OpenDatabase
) -> None:
    bus.publish(COLLECTOR_JOBS, [job()])
    for _ in range(3 * (JOBS.max_delivery_attempts or 0)):
        settle(bus, take(bus)[0], "queued behind run r0", after_s=10)
        clock.forward(10)

    assert len(take(bus)) == 1
    assert list(SqliteLedger(open_database()).dead_letters(10)) == []


def test_who_lost_a_message_cannot_return_it(bus: SqliteBus, clock: MovingClock) -> None:
    bus.publish(COLLECTOR_JOBS, [job()])
    (old,) = take(bus)
    clock.forward(JOBS.ack_deadline_s)
    take(bus, holder="other")
    settle(bus, old, "too late", after_s=0)

    assert take(bus) == []


def test_one_waiting_copy_of_an_event_is_enough(bus: SqliteBus) -> None:
    bus.publish(COLLECTOR_JOBS, [job(), job()])
    bus.publish(COLLECTOR_JOBS, [job(), job("plu")])

    held = take(bus)
    assert [each.delivery.message for each in held] == [job(), job("plu")]
    for each in held:
        settle(bus, each)
    bus.publish(COLLECTOR_JOBS, [job()])
    assert len(take(bus)) == 1


def test_a_message_that_waits_comes_at_once_if_it_is_published_again(
    bus: SqliteBus, clock: MovingClock
) -> None:
    bus.publish(COLLECTOR_JOBS, [job()])
    (held,) = take(bus)
    bus.publish(COLLECTOR_JOBS, [job()])
    assert take(bus) == []  # somebody has it
    settle(bus, held, "waiting for its source", after_s=30)
    assert take(bus) == []

    clock.forward(1)
    bus.publish(COLLECTOR_JOBS, [job()])
    assert [each.position for each in take(bus)] == [held.position]
    assert bus.waiting()[COLLECTOR_JOBS] == 1


def test_messages_without_an_event_id_are_never_collapsed(bus: SqliteBus) -> None:
    bus.publish(COLLECTOR_JOBS, [Message(b"{}"), Message(b"{}")])

    assert len(take(bus)) == 2


def test_a_shared_limit_counts_what_every_holder_has(open_bus: OpenBus, clock: MovingClock) -> None:
    one, other = open_bus(), open_bus()
    one.publish(COLLECTOR_JOBS, [job(str(number)) for number in range(10)])

    mine = take(one, count=5, limit=3)
    assert len(mine) == 3
    assert take(other, count=5, limit=3, holder="other") == []
    settle(one, mine[0])
    assert len(take(other, count=5, limit=3, holder="other")) == 1
    clock.forward(JOBS.ack_deadline_s)
    assert len(take(other, count=5, limit=3, holder="other")) == 3


def test_messages_are_taken_in_the_order_they_were_published(bus: SqliteBus) -> None:
    messages = [job(str(number)) for number in range(10)]
    bus.publish(COLLECTOR_JOBS, messages)

    taken = [take(bus, count=1)[0].delivery.message for _ in range(10)]
    assert taken == messages


def test_what_no_function_reads_is_kept_for_the_retention(
    bus: SqliteBus, clock: MovingClock
) -> None:
    bus.publish(RUN_REPORTS, [Message(b"old")])
    bus.publish(COLLECTOR_JOBS, [job()])
    clock.forward(RETENTION_S)
    bus.publish(RUN_REPORTS, [Message(b"new")])
    clock.forward(1)
    bus.prune()

    assert [each.message.data for each in bus.messages(RUN_REPORTS, 10)] == [b"new"]
    assert len(take(bus)) == 1


def test_a_message_over_pubsubs_limit_is_not_published(bus: SqliteBus) -> None:
    with pytest.raises(BusUnavailable, match="over the limit"):
        bus.publish(COLLECTOR_JOBS, [job(), Message(b"x" * (MAX_MESSAGE_BYTES + 1))])
    assert bus.waiting() == {}


def test_a_publish_stirs_the_host(bus: SqliteBus) -> None:
    assert not bus.stirred.is_set()
    bus.publish(COLLECTOR_JOBS, [job()])
    assert bus.stirred.is_set()


def test_a_look_at_a_queue_leases_nothing(bus: SqliteBus) -> None:
    bus.publish(COLLECTOR_JOBS, [job()])

    assert [each.message for each in bus.messages(COLLECTOR_JOBS, 1)] == [job()]
    assert bus.waiting() == {COLLECTOR_JOBS: 1}
    assert len(take(bus)) == 1
