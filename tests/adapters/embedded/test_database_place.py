"""The file that was opened is the one that is worked on; one that cannot be written is read."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from tests.adapters.embedded.conftest import OpenDatabase
from tests.adapters.embedded.other_user import OTHER, as_other_user, open_folder

from fanfold.adapters.embedded import database_file
from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.readers import READERS
from fanfold.domain.model.errors import StoreUnavailable

LOOK = """
import sys
from pathlib import Path
from fanfold.adapters.embedded.database import Database
from tests.adapters.embedded.other_user import become_other
become_other()
database = Database(Path(sys.argv[1]), looking=True)
print(database.file.is_read_only, database.rows("SELECT value FROM meta"))
try:
    database.remembered("new", lambda: "x")
except Exception as exc:
    print(type(exc).__name__)
database.close()
"""


WORK = """
import sys
from pathlib import Path
from fanfold.adapters.embedded.database import Database
from tests.adapters.embedded.other_user import become_other
become_other()
for looking in (True, False):
    try:
        Database(Path(sys.argv[1]), looking=looking)
    except Exception as exc:
        print(exc)
"""


def descriptors() -> int:
    """Return how many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def put(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO meta VALUES (hex(randomblob(8)), 'x')")


@pytest.mark.parametrize("what", ["deleted", "replaced", "log deleted"])
def test_a_file_that_was_taken_away_is_neither_written_nor_read(
    open_database: OpenDatabase, tmp_path: Path, what: str
) -> None:
    database = open_database()
    path = tmp_path / "fanfold.db"
    assert database.file.is_in_place()
    if what == "replaced":
        shutil.copyfile(path, tmp_path / "copy")
        (tmp_path / "copy").rename(path)
    else:
        path.with_name("fanfold.db-wal" if "log" in what else "fanfold.db").unlink()

    assert not database.file.is_in_place()
    for use in (
        lambda: database.write(put),
        lambda: database.rows("SELECT * FROM meta"),
        database.data_version,
    ):
        with pytest.raises(StoreUnavailable, match="deleted or replaced"):
            use()


def test_the_file_stays_in_place_when_others_come_and_go(open_database: OpenDatabase) -> None:
    database = open_database()
    for _ in range(3):
        other = open_database()
        other.write(put)
        other.close()
        database.write(put)
    assert database.file.is_in_place()


@pytest.mark.parametrize("log", ["none", "closed", "open"])
def test_a_file_that_may_not_be_written_can_be_looked_at(log: str) -> None:
    with open_folder() as folder:
        path = folder / "it's 100 %.db"
        database = Database(path)
        database.remembered("key", lambda: "kept")
        if log == "none":
            database.close()
        elif log == "closed":  # what a killed process, or a copy of the files, leaves
            kept = {each: each.read_bytes() for each in folder.iterdir() if each.suffix != "-shm"}
            database.close()
            for each, content in kept.items():
                each.write_bytes(content)
            path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
        for each in folder.iterdir():
            each.chmod(0o444)
        folder.chmod(0o555)
        before = sorted(each.name for each in folder.iterdir())

        assert as_other_user(LOOK, path) == "True [('kept',)]\nStoreUnavailable"
        assert sorted(each.name for each in folder.iterdir()) == before
        database.close()


@pytest.mark.needs("root")
@pytest.mark.parametrize(("mode", "said"), [(0o600, ["read", "read"]), (0o644, ["written"])])
def test_a_file_of_another_user_is_said_to_be_his(mode: int, said: list[str]) -> None:
    with open_folder() as folder:
        path = folder / "fanfold.db"
        Database(path).close()
        path.chmod(mode)

        assert as_other_user(WORK, path).splitlines() == [
            f"{path}: it cannot be {each} by user {OTHER}: it belongs to user 0, "
            f"and its mode is {mode:04o}"
            for each in said
        ]


def test_a_copy_to_look_at_is_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    database = Database(tmp_path / "fanfold.db")
    database.remembered("key", lambda: "kept")

    def refuse(self: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(database_file.DatabaseFile, "_create", refuse)
    monkeypatch.setattr(database_file.DatabaseFile, "_can_read", lambda self: False)
    looking = Database(tmp_path / "fanfold.db", looking=True)
    assert looking.rows("SELECT value FROM meta") == [("kept",)]
    assert len(list(temporary.iterdir())) == 1
    looking.close()
    database.close()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    "code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_READONLY_DIRECTORY]
)
def test_a_file_on_a_full_disk_can_be_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    database = Database(tmp_path / "fanfold.db")
    database.remembered("key", lambda: "kept")
    database.close()
    connect = database_file.DatabaseFile.connect

    def full(self: database_file.DatabaseFile) -> sqlite3.Connection:
        if "immutable" in self._address:
            return connect(self)
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = code
        raise error

    monkeypatch.setattr(database_file.DatabaseFile, "connect", full)
    looking = Database(tmp_path / "fanfold.db", looking=True)
    assert looking.rows("SELECT value FROM meta") == [("kept",)]
    looking.close()
    with pytest.raises(StoreUnavailable, match="disk I/O error"):
        Database(tmp_path / "fanfold.db")


def test_who_wants_to_write_is_told_that_it_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: object) -> None:
        raise PermissionError(13, "Permission denied")

    Database(tmp_path / "fanfold.db").close()
    monkeypatch.setattr(database_file.DatabaseFile, "_create", refuse)
    with pytest.raises(StoreUnavailable, match="Permission denied"):
        Database(tmp_path / "fanfold.db")


@pytest.mark.needs("root")
def test_what_root_makes_belongs_to_the_owner_of_the_folder() -> None:
    with open_folder() as folder:
        os.chown(folder, OTHER, OTHER)
        Database(folder / "deep" / "fanfold.db").close()
        for made in (folder / "deep", folder / "deep" / "fanfold.db"):
            assert (made.stat().st_uid, made.stat().st_gid) == (OTHER, OTHER)
        assert stat.S_IMODE((folder / "deep" / "fanfold.db").stat().st_mode) == 0o600


def test_the_write_ahead_log_does_not_stay_large(
    open_database: OpenDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_file, "WAL_LIMIT_BYTES", 200_000)
    database = open_database()
    log = tmp_path / "fanfold.db-wal"
    database.write(
        lambda connection: connection.execute(
            "INSERT INTO meta VALUES ('large', hex(randomblob(3000000)))"
        )
    )
    assert log.stat().st_size > 6_000_000
    for _ in range(3):
        database.write(put)
    assert log.stat().st_size <= 200_000


def test_any_number_of_threads_read_with_few_connections(open_database: OpenDatabase) -> None:
    database = open_database()
    before = descriptors()
    together = threading.Barrier(32)
    seen: list[object] = []

    def read() -> None:
        together.wait()
        for _ in range(20):
            with database.reading() as connection:
                # What is read inside is read on the connection that is held already.
                assert database.row("SELECT 1") == (1,)
                seen.append(connection)

    threads = [threading.Thread(target=read) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(seen) == 640
    assert len(set(map(id, seen))) <= READERS
    assert descriptors() - before <= 2 * READERS


#: Opens the file, uses up every descriptor, and goes on reading and writing in ten threads.
WITHOUT_DESCRIPTORS = """
import os, resource, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from fanfold.adapters.embedded.database import Database
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
database = Database(Path(sys.argv[1]))
with ThreadPoolExecutor(10) as pool:
    list(pool.map(lambda _: None, range(10)))
    try:
        while True:
            os.open(os.devnull, os.O_RDONLY)
    except OSError:
        pass
    write = lambda n: database.remembered(str(n), lambda: "x")
    read = lambda n: database.row("SELECT count(*) FROM meta")
    print(sum(len(value) for value in pool.map(write, range(50))))
    print(set(map(len, pool.map(read, range(50)))))
"""


def test_a_process_without_free_descriptors_reads_and_writes_on(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_DESCRIPTORS, str(tmp_path / "fanfold.db")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split("\n") == ["50", "{1}", ""], done.stderr


def test_a_file_that_is_opened_and_closed_leaves_no_descriptor(tmp_path: Path) -> None:
    Database(tmp_path / "fanfold.db").close()
    before = descriptors()
    for _ in range(5):
        Database(tmp_path / "fanfold.db").close()
    (tmp_path / "bad.db").write_bytes(b"no database" * 100)
    for _ in range(5):
        with pytest.raises(StoreUnavailable):
            Database(tmp_path / "bad.db")
    assert descriptors() == before


def test_who_looks_at_a_file_that_is_worked_on_reads_the_file_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy, or a file that is said to be immutable, would show an old state."""
    database = Database(tmp_path / "fanfold.db")
    database.remembered("key", lambda: "before")

    def refuse(self: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(database_file.DatabaseFile, "_create", refuse)
    looking = Database(tmp_path / "fanfold.db", looking=True)
    assert looking.rows("SELECT value FROM meta") == [("before",)]
    database.remembered("other", lambda: "after")
    assert len(looking.rows("SELECT value FROM meta")) == 2
    looking.close()
    database.close()
