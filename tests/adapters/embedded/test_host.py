"""The embedded host delivers by the topology, in threads, and stops in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from tests.adapters.embedded.conftest import OpenDatabase

from fanfold.adapters.clock import SystemClock
from fanfold.adapters.embedded import host as module
from fanfold.adapters.embedded.bus import SqliteBus
from fanfold.adapters.embedded.host import Crew, Function, Host
from fanfold.adapters.embedded.owners import Owner
from fanfold.domain.model.errors import ComeBack
from fanfold.messages.topology import COLLECTOR_JOBS, COLLECTOR_RESULTS, topology
from fanfold.ports.bus import Delivery, Message

#: Starts a host with one worker, or as many as said, for each function that is given.
StartHost = Callable[..., Host]


def until(condition: Callable[[], bool]) -> None:
    """Wait for *condition*; the test's own time limit ends a wait in vain."""
    while not condition():
        time.sleep(0.002)


@pytest.fixture
def bus(open_database: OpenDatabase) -> SqliteBus:
    return SqliteBus(open_database(), topology(), SystemClock(), lambda: 0.5)


@pytest.fixture
def start(bus: SqliteBus, open_database: OpenDatabase) -> Iterator[StartHost]:
    hosts: list[Host] = []

    def start_host(workers: int = 1, **functions: Function) -> Host:
        database = open_database()
        own = SqliteBus(database, topology(), SystemClock(), lambda: 0.5)
        crews = {
            name: Crew(function, workers, shared_limit=name == "collector_relay")
            for name, function in functions.items()
        }
        hosts.append(Host(own, crews, Owner(database), lambda _: None))
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


def test_a_host_that_met_trouble_goes_on(
    bus: SqliteBus, open_database: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STORE_PAUSE_S", 0.01)
    monkeypatch.setattr(module, "CENSUS_S", 0.0)
    troubles: list[str] = []
    got: list[bytes] = []
    database = open_database()
    owner = Owner(database)
    own = SqliteBus(database, topology(), SystemClock(), lambda: 0.5)
    crew = Crew(lambda delivery: got.append(delivery.message.data), 1)
    host = Host(own, {"collector_relay": crew}, owner, troubles.append)
    host.start()
    with monkeypatch.context() as patch:
        patch.setattr(owner, "free_the_dead", lambda: 1 / 0)
        until(lambda: len(troubles) > 1)
    bus.publish(COLLECTOR_JOBS, jobs(1))
    until(lambda: got == [b"0"])
    host.stop(1)

    assert set(troubles) == {"ZeroDivisionError('division by zero')"}


def test_no_more_than_the_shared_limit_are_worked_by_all_hosts(
    bus: SqliteBus, start: StartHost
) -> None:
    now, peak, done = [0], [0], [0]
    lock = threading.Lock()

    def work(delivery: Delivery) -> None:
        with lock:
            now[0] += 1
            peak[0] = max(peak[0], now[0])
        time.sleep(0.01)
        with lock:
            now[0] -= 1
            done[0] += 1

    for _ in range(2):
        start(workers=2, collector_relay=work)
    bus.publish(COLLECTOR_JOBS, jobs(20))
    until(lambda: done[0] == 20)

    assert peak[0] == 2


def test_a_stop_waits_for_what_is_in_hand_and_frees_the_rest(
    bus: SqliteBus, start: StartHost
) -> None:
    begun, go = threading.Event(), threading.Event()

    def work(delivery: Delivery) -> None:
        begun.set()
        assert go.wait(10)

    host = start(collector_relay=work)
    bus.publish(COLLECTOR_JOBS, jobs(2))
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
