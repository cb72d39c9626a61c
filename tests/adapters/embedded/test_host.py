"""The embedded host delivers by the topology, in threads, and stops in order."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.adapters.embedded.conftest import OpenDatabase

from fanfold.adapters.clock import SystemClock
from fanfold.adapters.embedded import host as module
from fanfold.adapters.embedded import wants
from fanfold.adapters.embedded.bus import SqliteBus
from fanfold.adapters.embedded.clock_changes import ClockChanges
from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.host import Function, Host
from fanfold.adapters.embedded.leases import PullRequest
from fanfold.adapters.embedded.owners import Owner
from fanfold.adapters.embedded.wants import HANDFUL
from fanfold.domain.model.errors import ComeBack
from fanfold.messages.topology import (
    COLLECTOR_JOBS,
    COLLECTOR_RESULTS,
    NOTIFICATIONS,
    RUN_REPORTS,
    RUN_REQUESTS,
    topology,
)
from fanfold.ports.bus import Delivery, Message

#: Starts a host of the functions that are given, by name.
StartHost = Callable[..., Host]


def until(condition: Callable[[], bool]) -> None:
    """Wait for *condition*; the test's own time limit ends a wait in vain."""
    while not condition():
        time.sleep(0.002)


def changes_on(database: Database) -> ClockChanges:
    return ClockChanges(database, SystemClock())


@pytest.fixture
def bus(open_database: OpenDatabase) -> SqliteBus:
    return SqliteBus(open_database(), topology(), SystemClock(), lambda: 0.5)


@pytest.fixture
def start(bus: SqliteBus, open_database: OpenDatabase) -> Iterator[StartHost]:
    hosts: list[Host] = []

    def start_host(**functions: Function) -> Host:
        database = open_database()
        own = SqliteBus(database, topology(), SystemClock(), lambda: 0.5)
        hosts.append(Host(own, functions, Owner(database), changes_on(database), lambda _: None))
        hosts[-1].start()
        return hosts[-1]

    yield start_host
    for host in hosts:
        if not host._stopping.is_set():
            host.stop(1)


def jobs(count: int) -> list[Message]:
    return [Message(str(number).encode()) for number in range(count)]


def test_a_message_goes_to_the_function_that_its_subscription_feeds(
    bus: SqliteBus, start: StartHost
) -> None:
    got: list[tuple[str, bytes]] = []
    start(
        collector_relay=lambda d: got.append(("relay", d.message.data)),
        aggregator=lambda d: got.append(("aggregator", d.message.data)),
    )
    bus.publish(COLLECTOR_JOBS, [Message(b"job")])
    bus.publish(COLLECTOR_RESULTS, [Message(b"result")])
    until(lambda: len(got) == 2)

    assert set(got) == {("relay", b"job"), ("aggregator", b"result")}
    until(lambda: bus.waiting() == {})


def test_a_target_of_notify_that_is_slow_keeps_no_answer_waiting(
    bus: SqliteBus, start: StartHost
) -> None:
    got: list[bytes] = []
    target_answers = threading.Event()
    start(
        aggregator=lambda d: got.append(d.message.data),
        notifications=lambda _: target_answers.wait() and None,
    )
    bus.publish(RUN_REPORTS, jobs(3))
    until(lambda: bus.waiting().get(NOTIFICATIONS) == 3)
    bus.publish(COLLECTOR_RESULTS, [Message(b"result")])
    until(lambda: got == [b"result"])

    target_answers.set()
    until(lambda: NOTIFICATIONS not in bus.waiting())
    assert got == [b"result"]


def test_a_bug_in_one_message_ends_neither_the_worker_nor_the_message(
    bus: SqliteBus, start: StartHost
) -> None:
    got: list[bytes] = []

    def work(delivery: Delivery) -> None:
        got.append(delivery.message.data)
        if delivery.message.data == b"0":
            raise ZeroDivisionError("a bug")

    start(collector_relay=work)
    bus.publish(COLLECTOR_JOBS, jobs(3))
    until(lambda: len(got) == 3 and bus.waiting() == {COLLECTOR_JOBS: 1})


def test_a_message_that_comes_back_is_delivered_when_it_asked(
    bus: SqliteBus, start: StartHost
) -> None:
    attempts: list[int | None] = []

    def work(delivery: Delivery) -> None:
        attempts.append(delivery.attempt)
        if len(attempts) < 3:
            raise ComeBack("not yet", 0.01)

    start(collector_relay=work)
    bus.publish(COLLECTOR_JOBS, jobs(1))
    until(lambda: bus.waiting() == {})

    assert len(attempts) == 3


def test_an_idle_host_frees_what_a_dead_process_held(
    bus: SqliteBus, open_database: OpenDatabase, start: StartHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CENSUS_S", 0.1)
    got: list[bytes] = []
    bus.publish(COLLECTOR_JOBS, jobs(1))
    dead = Owner(open_database())
    bus.exchange([], [PullRequest(COLLECTOR_JOBS, 1)], holder=dead.name)
    start(collector_relay=lambda delivery: got.append(delivery.message.data))
    time.sleep(0.3)  # the host has nothing to do, and nothing in the file changes
    assert got == []
    lock, dead._lock = dead._lock, None
    assert lock is not None
    os.close(lock)
    began = time.monotonic()
    until(lambda: got == [b"0"])
    assert time.monotonic() - began < 1.0


def test_a_message_whose_lease_ran_out_is_not_worked_twice_in_one_process(
    bus: SqliteBus, start: StartHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wants, "LEASE_S", 0.02)
    monkeypatch.setattr(module, "EXTEND_EVERY_S", 3600.0)
    got: list[int | None] = []

    def work(delivery: Delivery) -> None:
        got.append(delivery.attempt)
        time.sleep(0.3)

    start(collector_relay=work)
    bus.publish(COLLECTOR_JOBS, jobs(1))
    until(lambda: bus.waiting() == {})
    assert got == [1]


def test_an_idle_host_does_not_touch_the_file_for_writing(
    bus: SqliteBus, start: StartHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    got: list[bytes] = []
    host = start(aggregator=lambda d: got.append(d.message.data))
    bus.publish(COLLECTOR_RESULTS, [Message(b"one")])
    until(lambda: got == [b"one"] and bus.waiting() == {} and not host._may_move)
    exchanges: list[object] = []
    real = host.bus.exchange

    def exchange(*args: Any, **more: Any) -> Any:
        exchanges.append(args)
        return real(*args, **more)

    monkeypatch.setattr(host.bus, "exchange", exchange)
    time.sleep(module.CLOCK_LOOK_S * 1.5)
    assert exchanges == []

    bus.publish(COLLECTOR_RESULTS, [Message(b"two")])  # by another bus, as another process does
    until(lambda: got == [b"one", b"two"])


def test_a_stop_waits_for_what_is_in_hand_and_frees_the_rest(
    bus: SqliteBus, start: StartHost
) -> None:
    begun, go = threading.Event(), threading.Event()

    def work(delivery: Delivery) -> None:
        begun.set()
        assert go.wait(10)

    host = start(collector_relay=work)
    bus.publish(COLLECTOR_JOBS, jobs(1 + HANDFUL))
    assert begun.wait(10)
    threading.Timer(0.05, go.set).start()

    assert host.stop(grace_s=10) == 0
    assert bus.waiting() == {COLLECTOR_JOBS: 1}


def test_a_stop_without_grace_gives_back_what_is_in_hand(bus: SqliteBus, start: StartHost) -> None:
    begun, go = threading.Event(), threading.Event()

    def work(delivery: Delivery) -> None:
        begun.set()
        go.wait(10)

    host = start(collector_relay=work)
    bus.publish(COLLECTOR_JOBS, jobs(1))
    assert begun.wait(10)

    assert host.stop(grace_s=0) == 1
    go.set()
    got: list[int | None] = []
    start(collector_relay=lambda delivery: got.append(delivery.attempt))
    until(lambda: got == [1])


def test_short_work_is_taken_in_handfuls(bus: SqliteBus, start: StartHost) -> None:
    """What is in hand counts against the handful, what is done does not."""
    began = threading.Semaphore(0)
    may_end = threading.Event()

    def wait(_: Delivery) -> None:
        began.release()
        may_end.wait()

    host = start(aggregator=wait, dispatcher=wait)
    for topic in (COLLECTOR_RESULTS, RUN_REQUESTS):
        bus.publish(topic, jobs(HANDFUL + 5))
    try:
        for _ in range(2):
            began.acquire()
        until(lambda: len(host._in_hand) == HANDFUL * 2)
        time.sleep(0.1)
        taken = Counter(each.delivery.subscription for each in host._in_hand.values())
    finally:
        may_end.set()
    assert taken == {COLLECTOR_RESULTS: HANDFUL, RUN_REQUESTS: HANDFUL}
    until(lambda: bus.waiting() == {})
