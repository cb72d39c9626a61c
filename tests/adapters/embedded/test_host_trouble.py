"""What fails in an embedded host, or around it, is told once and stops nothing else."""

from __future__ import annotations

from typing import Self

import pytest
from tests.adapters.embedded.conftest import OpenDatabase
from tests.adapters.embedded.test_host import changes_on, jobs, until

from fanfold.adapters.clock import SystemClock
from fanfold.adapters.embedded import duty
from fanfold.adapters.embedded import host as module
from fanfold.adapters.embedded.bus import SqliteBus
from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.host import Function, Host
from fanfold.adapters.embedded.owners import Owner
from fanfold.messages.topology import COLLECTOR_JOBS, topology
from fanfold.ports.bus import Delivery


class TroubledHost:
    """A host whose trouble is listed, on a file of its own."""

    def __init__(self, database: Database, *, function: Function) -> None:
        self.troubles: list[str] = []
        self.owner = Owner(database)
        self.bus = SqliteBus(database, topology(), SystemClock(), lambda: 0.5)
        self.host = Host(
            self.bus,
            {"collector_relay": function},
            self.owner,
            changes_on(database),
            self.troubles.append,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.host.stop(1)
        self.owner.close()


@pytest.mark.parametrize("name", ["_extend", "_prune"])
def test_a_duty_that_fails_blocks_no_other_and_is_told_once(
    open_database: OpenDatabase, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(module, "EXTEND_EVERY_S", 0.0)
    monkeypatch.setattr(module, "PRUNE_EVERY_S", 0.0)
    monkeypatch.setattr(Host, name, lambda self: 1 / 0)
    got: list[bytes] = []
    troubled = TroubledHost(open_database(), function=lambda each: got.append(each.message.data))
    with troubled:
        troubled.host.start()
        until(lambda: len(troubled.troubles) == 1)
        troubled.bus.publish(COLLECTOR_JOBS, jobs(3))
        until(lambda: len(got) == 3)
        assert troubled.host.standing_still() == []
    assert len(troubled.troubles) == 1
    assert "ZeroDivisionError" in troubled.troubles[0]


def test_a_host_whose_census_fails_starts_and_delivers(
    open_database: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Owner) -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Owner, "free_the_dead", refused)
    got: list[bytes] = []
    troubled = TroubledHost(open_database(), function=lambda each: got.append(each.message.data))
    with troubled:
        troubled.host.start()
        troubled.bus.publish(COLLECTOR_JOBS, jobs(1))
        until(lambda: got == [b"0"])
    assert troubled.troubles[0].startswith("the census of processes failed")


def test_an_exchange_that_fails_stands_still_and_goes_on_afterwards(
    open_database: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STANDSTILL_S", 0.05)
    monkeypatch.setattr(duty, "RETRY_S", 0.01)
    got: list[bytes] = []
    troubled = TroubledHost(open_database(), function=lambda each: got.append(each.message.data))
    with troubled:
        with monkeypatch.context() as patch:
            patch.setattr(troubled.bus, "exchange", lambda *_, **__: 1 / 0)
            troubled.host.start()
            until(lambda: len(troubled.host.standing_still()) == 1)
            assert "the exchange of messages stands still" in troubled.host.standing_still()[0]
        troubled.bus.publish(COLLECTOR_JOBS, jobs(1))
        until(lambda: got == [b"0"] and not troubled.host.standing_still())


@pytest.mark.parametrize("end", [SystemExit(3), KeyboardInterrupt(), MemoryError()])
def test_nothing_that_a_message_raises_ends_its_worker(
    open_database: OpenDatabase, end: BaseException
) -> None:
    got: list[bytes] = []

    def work(delivery: Delivery) -> None:
        got.append(delivery.message.data)
        if delivery.message.data == b"0":
            raise end

    with TroubledHost(open_database(), function=work) as troubled:
        troubled.host.start()
        troubled.bus.publish(COLLECTOR_JOBS, jobs(2))
        until(lambda: got[:2] == [b"0", b"1"])
        assert troubled.host.standing_still() == []


def test_a_thread_that_ended_is_seen(open_database: OpenDatabase) -> None:
    with TroubledHost(open_database(), function=lambda _: None) as troubled:
        assert troubled.host.standing_still() == []  # it was not started yet
        troubled.host.start()
        troubled.host._work["collector_relay"].put(None)  # as if it died
        until(lambda: len(troubled.host.standing_still()) == 1)
        assert troubled.host.standing_still() == ["collector_relay: its worker thread ended"]
        troubled.host._stopping.set()
        until(lambda: len(troubled.host.standing_still()) == 2)
        assert "its thread ended" in troubled.host.standing_still()[0]
