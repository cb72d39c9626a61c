"""The machine's clock is set: what waits keeps its length, deadlines stay."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.adapters.embedded.conftest import OpenBus, OpenDatabase
from tests.support import START, MovingClock, a_job, a_run, after, an_attempt, entry

from fanfold.adapters.embedded.bus import SqliteBus
from fanfold.adapters.embedded.clock_changes import SETTLES_AFTER_S, ClockChanges
from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.leases import PullRequest, Settlement
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.adapters.embedded.timer import note_alive
from fanfold.domain.rules.claim import Granted
from fanfold.messages.topology import COLLECTOR_JOBS
from fanfold.ports.bus import Message

HOUR = timedelta(hours=1)


class Machine:
    """A machine whose clock somebody sets: ``clock`` shows it, ``passed_s`` only runs."""

    def __init__(self, clock: MovingClock, at: datetime = START) -> None:
        self.clock = clock
        self.clock.at = at
        self.passed_s = 5000.0

    def live(self, seconds: float) -> None:
        self.clock.forward(seconds)
        self.passed_s += seconds

    def changes(self, database: Database, boot: str = "boot") -> ClockChanges:
        return ClockChanges(database, self.clock, lambda: self.passed_s, boot)


@pytest.fixture
def machine(clock: MovingClock) -> Machine:
    return Machine(clock)


def take(bus: SqliteBus, holder: str = "h") -> int:
    return len(bus.exchange([], [PullRequest(COLLECTOR_JOBS, 10)], holder=holder))


def test_what_waits_by_the_old_time_comes_when_it_would_have(
    machine: Machine, open_bus: OpenBus
) -> None:
    bus = open_bus()
    changes = machine.changes(bus.database)
    machine.clock.at += HOUR
    changes.look()
    bus.publish(COLLECTOR_JOBS, [Message(b"{}")])
    (held,) = bus.exchange([], [PullRequest(COLLECTOR_JOBS, 10)], holder="h")
    bus.exchange([Settlement(held, "later", after_s=30)], [], holder="h")
    bus.publish(COLLECTOR_JOBS, [Message(b"{}")])

    machine.clock.at -= HOUR
    assert take(bus) == 0
    changes.look()
    assert take(bus) == 1
    machine.live(29)
    assert take(bus) == 0
    machine.live(1)
    assert take(bus) == 1


def test_a_retry_waits_no_longer_than_its_backoff(
    machine: Machine, open_database: OpenDatabase
) -> None:
    database = open_database()
    ledger, changes = SqliteLedger(database), machine.changes(database)
    ledger.create_run(a_run("r1", manifest=[entry("dvf")]), [entry("dvf")])
    ledger.create_jobs("r1", [a_job("dvf", "r1")])
    machine.clock.at += HOUR / 2
    changes.look()
    claimed = ledger.claim("r1", "dvf", holder="h", now=machine.clock.at)
    assert isinstance(claimed, Granted)
    not_before = machine.clock.at + timedelta(seconds=30)
    ledger.release(claimed.lease, an_attempt(), not_before=not_before)

    machine.clock.at -= HOUR / 2
    changes.look()
    (job,) = ledger.jobs("r1")
    assert job.not_before == after(30)
    assert job.deadline == after(3600)


def test_a_lease_is_left_alone(machine: Machine, open_database: OpenDatabase) -> None:
    database = open_database()
    ledger, changes = SqliteLedger(database), machine.changes(database)
    ledger.create_run(a_run("r1", manifest=[entry("dvf")]), [entry("dvf")])
    ledger.create_jobs("r1", [a_job("dvf", "r1")])
    changes.look()
    claimed = ledger.claim("r1", "dvf", holder="h", now=machine.clock.at)
    assert isinstance(claimed, Granted)
    machine.clock.at -= HOUR / 2
    changes.look()
    assert ledger.check(claimed.lease, now=machine.clock.at)


def test_one_change_is_answered_once_by_all_processes(machine: Machine, open_bus: OpenBus) -> None:
    bus = open_bus()
    first, second = machine.changes(bus.database), machine.changes(bus.database)
    machine.clock.at += HOUR
    first.look()
    second.look()
    bus.publish(COLLECTOR_JOBS, [Message(b"{}")])
    (held,) = bus.exchange([], [PullRequest(COLLECTOR_JOBS, 10)], holder="h")
    bus.exchange([Settlement(held, "later", after_s=4000)], [], holder="h")
    machine.clock.at -= HOUR
    first.look()
    second.look()
    third = machine.changes(bus.database)
    third.look()
    machine.live(3999)
    assert take(bus) == 0
    machine.live(1)
    assert take(bus) == 1


def test_a_clock_set_back_while_the_machine_was_off_is_noticed(
    machine: Machine, open_bus: OpenBus
) -> None:
    bus = open_bus()
    machine.changes(bus.database).look()
    machine.clock.at += HOUR
    note_alive(bus.database, machine.clock.at)
    bus.publish(COLLECTOR_JOBS, [Message(b"{}")])
    machine.clock.at -= HOUR
    machine.passed_s = 3.0
    changes = machine.changes(bus.database, "next boot")
    changes.look()
    assert take(bus) == 1
    assert not changes.is_settled()


@pytest.mark.parametrize("moved", [HOUR, -HOUR, timedelta(seconds=2), timedelta(days=4000)])
def test_a_clock_that_was_set_is_settled_after_a_minute(
    machine: Machine, open_database: OpenDatabase, moved: timedelta
) -> None:
    database = open_database()
    changes = machine.changes(database)
    assert changes.is_settled()
    machine.clock.at += moved
    assert not changes.is_settled()
    assert not machine.changes(database).is_settled()  # another process, later
    machine.live(SETTLES_AFTER_S - 1)
    assert not changes.is_settled()
    machine.live(1)
    assert changes.is_settled()


def test_a_clock_that_drifts_is_settled(machine: Machine, open_database: OpenDatabase) -> None:
    changes = machine.changes(open_database())
    for _ in range(100):
        machine.live(60)
        machine.clock.forward(0.4)
        assert changes.is_settled()


def test_the_real_clocks_of_this_machine_agree(open_database: OpenDatabase) -> None:
    changes = ClockChanges(open_database(), MovingClock(START))
    changes.look()
    assert changes.running_s() > 0
    assert changes.is_settled()
