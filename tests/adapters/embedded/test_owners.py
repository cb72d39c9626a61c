"""Which processes live: what a dead one held is free at the next census."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.adapters.embedded.conftest import OpenDatabase
from tests.support import START, MovingClock, a_job, a_run, after, entry

from fanfold.adapters.embedded.bus import PullRequest, SqliteBus
from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.adapters.embedded.owners import Owner
from fanfold.domain.rules.claim import Granted, Held
from fanfold.messages.topology import COLLECTOR_JOBS, topology
from fanfold.ports.bus import Message

#: Takes a message and a job as the tests below do, says so, and waits to be killed.
CHILD = """
import sys, time
from pathlib import Path
from tests.adapters.embedded.test_owners import hold
from fanfold.adapters.embedded.database import Database
owner, held = hold(Database(Path(sys.argv[1])))
print(owner.name, held, flush=True)
time.sleep(600)
"""


def hold(database: Database) -> tuple[Owner, int]:
    """Take every message and the job of dvf, as a new process; return it and the messages taken."""
    owner = Owner(database)
    bus = SqliteBus(database, topology(), MovingClock(), lambda: 0.5)
    held = bus.exchange([], [PullRequest(COLLECTOR_JOBS, 10)], holder=owner.name)
    SqliteLedger(database).claim("r1", "dvf", holder=owner.name, now=START)
    return owner, len(held)


def prepare(database: Database) -> None:
    """Store an open run with one job and its message."""
    ledger = SqliteLedger(database)
    ledger.create_run(a_run("r1", manifest=[entry("dvf")]), [entry("dvf")])
    ledger.create_jobs("r1", [a_job("dvf", "r1")])
    bus = SqliteBus(database, topology(), MovingClock(), lambda: 0.5)
    bus.publish(COLLECTOR_JOBS, [Message(b"{}")])


def test_what_a_process_that_was_killed_held_is_free_at_once(
    open_database: OpenDatabase, tmp_path: Path
) -> None:
    database = open_database()
    prepare(database)
    census = Owner(database)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "fanfold.db")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert child.stdout is not None
    name, held = child.stdout.readline().split()
    assert held == "1"

    ledger = SqliteLedger(database)
    assert census.free_the_dead() == []
    assert isinstance(ledger.claim("r1", "dvf", holder="h", now=after(1)), Held)

    child.send_signal(signal.SIGKILL)
    child.wait(10)
    child.stdout.close()
    assert census.free_the_dead() == [name]
    assert census.free_the_dead() == []
    _, freed = hold(database)
    assert freed == 1
    (job,) = ledger.jobs("r1")
    assert job.started == 2
    assert job.lease is not None
    assert job.lease.fence == 2


def test_a_living_process_keeps_what_it_holds(open_database: OpenDatabase) -> None:
    prepare(open_database())
    _, held = hold(open_database())
    other = Owner(open_database())

    assert held == 1
    assert other.free_the_dead() == []
    claimed = SqliteLedger(open_database()).claim("r1", "dvf", holder="h", now=after(1))
    assert isinstance(claimed, Held)


@pytest.mark.parametrize("closings", [1, 2])
def test_who_leaves_frees_what_it_holds_and_is_not_counted_dead(
    open_database: OpenDatabase, closings: int
) -> None:
    prepare(open_database())
    owner, _ = hold(open_database())
    for _ in range(closings):
        owner.close()

    assert Owner(open_database()).free_the_dead() == []
    claimed = SqliteLedger(open_database()).claim("r1", "dvf", holder="h", now=after(1))
    assert isinstance(claimed, Granted)
    _, held = hold(open_database())
    assert held == 1


def test_every_process_has_a_name_of_its_own(open_database: OpenDatabase) -> None:
    owners = [Owner(open_database()) for _ in range(5)]

    assert len({owner.name for owner in owners}) == 5
