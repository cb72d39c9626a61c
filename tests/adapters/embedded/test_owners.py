"""Which processes live: what a dead one held is free at the next census."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.adapters.embedded.conftest import OpenDatabase
from tests.adapters.embedded.other_user import OTHER, as_other_user, open_folder
from tests.support import START, MovingClock, a_job, a_run, after, entry

from fanfold.adapters.embedded.bus import SqliteBus
from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.leases import PullRequest
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.adapters.embedded.owners import Owner
from fanfold.domain.model.errors import StoreUnavailable
from fanfold.domain.model.upstream import Upstream
from fanfold.domain.rules.claim import Granted, Held
from fanfold.domain.rules.upstreams import enter
from fanfold.messages.topology import COLLECTOR_JOBS, topology
from fanfold.ports.bus import Message

SOURCE = Upstream("api.insee.fr", max_concurrent=2)

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
    """Take every message, the job of dvf and the place at its source, as a new process.

    Returns:
        The process, and how many messages it took.
    """
    owner = Owner(database)
    bus = SqliteBus(database, topology(), MovingClock(), lambda: 0.5)
    held = bus.exchange([], [PullRequest(COLLECTOR_JOBS, 10)], holder=owner.name)
    ledger = SqliteLedger(database)
    claimed = ledger.claim("r1", "dvf", holder=owner.name, now=START)
    if isinstance(claimed, Granted):
        lease = claimed.lease
        ledger.change_upstream(SOURCE.name, lambda state: enter(state, SOURCE, lease, START))
    return owner, len(held)


def holders(database: Database) -> list[str]:
    """Return which processes have a place at the source."""
    state = SqliteLedger(database).upstreams([SOURCE.name])[SOURCE.name]
    return [place.holder for place in state.places.values()]


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
    assert holders(database) == [name]
    assert isinstance(ledger.claim("r1", "dvf", holder="h", now=after(1)), Held)

    child.send_signal(signal.SIGKILL)
    child.wait(10)
    child.stdout.close()
    assert census.free_the_dead() == [name]
    assert holders(database) == []
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


TAKE_A_LOOK = """
import sys
from pathlib import Path
from tests.adapters.embedded.other_user import become_other
from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.owners import Owner
become_other()
database = Database(Path(sys.argv[1]))
owner = Owner(database)
print(owner.free_the_dead(), bool(owner.trouble))
owner.close()
database.close()
"""


@pytest.mark.needs("root")
def test_a_lock_file_that_may_not_be_opened_counts_as_held() -> None:
    with open_folder() as folder:
        path = folder / "fanfold.db"
        os.chown(folder, OTHER, OTHER)
        database = Database(path)
        owner = Owner(database)
        # As an earlier version left it: root's, in a folder of root's, and nobody else's.
        os.chown(owner._path, 0, 0)
        owner._path.chmod(0o600)
        for closed in (False, True):
            if closed:
                os.close(owner._lock or -1)
                owner._lock = None
            assert as_other_user(TAKE_A_LOOK, path) == "[] False"
        os.chown(owner._folder, 0, 0)
        owner._folder.chmod(0o755)
        assert as_other_user(TAKE_A_LOOK, path) == "[] True"
        database.close()


@pytest.mark.parametrize("error", [PermissionError(13, "no"), OSError(24, "Too many open files")])
def test_a_census_that_may_not_open_a_lock_frees_nothing(
    open_database: OpenDatabase, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    prepare(open_database())
    hold(open_database())
    other = Owner(open_database())

    def refused(*_: object, **__: object) -> int:
        raise error

    monkeypatch.setattr(os, "open", refused)
    assert other.free_the_dead() == []


@pytest.mark.needs("root")
@pytest.mark.parametrize("mode", [0o600, 0o660, 0o644])
def test_files_beside_the_database_have_its_owner_and_mode(mode: int) -> None:
    with open_folder() as folder:
        os.chown(folder, OTHER, OTHER)
        database = Database(folder / "fanfold.db")
        (folder / "fanfold.db").chmod(mode)
        before = os.umask(0o077)
        try:
            owner = Owner(database)
        finally:
            os.umask(before)
        assert stat.S_IMODE(owner._path.stat().st_mode) == mode
        assert stat.S_IMODE(owner._folder.stat().st_mode) == mode | 0o100 | (mode & 0o044) >> 2
        for made in folder.rglob("*"):
            assert (made.stat().st_uid, made.stat().st_gid) == (OTHER, OTHER), made
        owner.close()
        database.close()


def test_a_process_that_can_make_no_lock_file_works_without(
    open_database: OpenDatabase, tmp_path: Path
) -> None:
    prepare(open_database())
    (tmp_path / "fanfold.db-hosts").write_text("no folder")
    owner, held = hold(open_database())
    assert held == 1
    assert "no lock file can be made" in owner.trouble
    assert owner.free_the_dead() == []
    owner.close()


def test_a_census_and_a_leaving_process_leave_no_descriptor(open_database: OpenDatabase) -> None:
    database = open_database()
    owner, other = Owner(database), Owner(database)
    owner.free_the_dead()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        assert owner.free_the_dead() == []
        Owner(database).close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    other.close()
    owner.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before - 2


def test_a_lock_is_let_go_even_where_nothing_can_be_written(
    open_database: OpenDatabase, tmp_path: Path
) -> None:
    database = open_database()
    owner = Owner(database)
    lock = owner._lock
    (tmp_path / "fanfold.db").unlink()
    with pytest.raises(StoreUnavailable):
        owner.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(lock or -1)
