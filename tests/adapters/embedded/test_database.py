"""One SQLite file, shared by threads and processes."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.adapters.embedded.conftest import OpenDatabase

from fanfold.adapters.embedded import database_file as module
from fanfold.adapters.embedded.database import Database, _Operation
from fanfold.domain.model.errors import StoreUnavailable

Work = Callable[[sqlite3.Connection], str]


def put(name: str, value: str = "x") -> Work:
    def work(connection: sqlite3.Connection) -> str:
        connection.execute("INSERT INTO meta VALUES (?, ?)", (name, value))
        return name

    return work


def names(database: Database) -> list[str]:
    return [row[0] for row in database.rows("SELECT name FROM meta ORDER BY name")]


def test_what_was_written_is_there_when_write_returns(open_database: OpenDatabase) -> None:
    writer, reader = open_database(), open_database()

    assert writer.write(put("a")) == "a"
    assert names(reader) == ["a"]


def test_a_reader_is_told_that_another_connection_wrote(open_database: OpenDatabase) -> None:
    one, other = open_database(), open_database()
    before = one.data_version()
    other.write(put("a"))

    assert one.data_version() != before


def test_reading_sees_one_moment(open_database: OpenDatabase) -> None:
    database = open_database()
    with database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM meta").fetchone() == (0,)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(database.write, put("a")).result()
        assert connection.execute("SELECT count(*) FROM meta").fetchone() == (0,)
    assert names(database) == ["a"]


def grouped(database: Database, works: list[Work]) -> list[str]:
    """Run *works* in one group: they wait together while the first commit is held up."""
    entered, go = threading.Event(), threading.Event()

    def hold(connection: sqlite3.Connection) -> str:
        entered.set()
        assert go.wait(10)
        return "held"

    def outcome(work: Work) -> str:
        try:
            return database.write(work)
        except (ValueError, StoreUnavailable) as exc:
            return type(exc).__name__

    with ThreadPoolExecutor(len(works) + 1) as pool:
        first = pool.submit(database.write, hold)
        assert entered.wait(10)
        rest = [pool.submit(outcome, work) for work in works]
        while len(database._waiting) < len(works):
            time.sleep(0.001)
        go.set()
        assert first.result() == "held"
        return [each.result() for each in rest]


def test_writers_that_wait_together_share_one_commit(
    open_database: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database()
    sizes: list[int] = []
    commit = database._commit

    def counted(operations: list[_Operation[str]]) -> None:
        sizes.append(len(operations))
        commit(operations)

    monkeypatch.setattr(database, "_commit", counted)

    assert grouped(database, [put(f"n{n}") for n in range(20)]) == [f"n{n}" for n in range(20)]
    assert sizes == [1, 20]
    assert len(names(database)) == 20


def test_work_that_raises_undoes_its_own_changes_alone(open_database: OpenDatabase) -> None:
    database = open_database()

    def spoil(connection: sqlite3.Connection) -> str:
        put("spoilt")(connection)
        raise ValueError("no")

    outcomes = grouped(database, [put("a"), spoil, put("b"), put("a")])

    assert outcomes == ["a", "ValueError", "b", "StoreUnavailable"]
    assert names(database) == ["a", "b"]
    assert database.write(put("c")) == "c"


def test_two_objects_on_one_file_lose_no_write(open_database: OpenDatabase) -> None:
    databases = [open_database(), open_database()]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: databases[n % 2].write(put(f"{n:03}")), range(100)))

    assert names(databases[0]) == [f"{n:03}" for n in range(100)]


def test_what_work_read_nobody_changes_before_it_writes(open_database: OpenDatabase) -> None:
    one, other = open_database(), open_database()
    with ThreadPoolExecutor(1) as pool:

        def read_then_write(connection: sqlite3.Connection) -> int:
            count: int = connection.execute("SELECT count(*) FROM meta").fetchone()[0]
            waiting.append(pool.submit(other.write, put("other")))
            time.sleep(0.1)  # time in which the other one could write, were it not kept waiting
            assert not waiting[0].done()
            put("mine", str(count))(connection)
            return count

        waiting: list[Future[str]] = []
        assert one.write(read_then_write) == 0
        assert waiting[0].result() == "other"
    assert names(one) == ["mine", "other"]


def test_a_file_that_stays_locked_is_unavailable_to_all_that_wait_at_once(
    open_database: OpenDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 0.2)
    database = open_database()
    other = sqlite3.connect(tmp_path / "fanfold.db", isolation_level=None, check_same_thread=False)

    other.execute("BEGIN IMMEDIATE")
    tries: list[int] = []
    commit = database._commit

    def counted(operations: list[_Operation[str]]) -> None:
        tries.append(len(operations))
        commit(operations)

    monkeypatch.setattr(database, "_commit", counted)
    with ThreadPoolExecutor(6) as pool:
        failed = [pool.submit(database.write, put(f"n{n}")) for n in range(6)]
        for each in failed:
            with pytest.raises(StoreUnavailable, match="locked"):
                each.result()

    assert sum(tries) == 6
    other.execute("ROLLBACK")
    other.close()
    assert database.write(put("after")) == "after"


def test_a_full_disk_is_unavailable_and_loses_nothing_else(open_database: OpenDatabase) -> None:
    database = open_database()
    database.write(put("small"))
    pages = database._writer.execute("PRAGMA page_count").fetchone()[0]
    database._writer.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StoreUnavailable, match="full"):
        database.write(put("large", "x" * 1_000_000))

    assert names(database) == ["small"]
    database._writer.execute("PRAGMA max_page_count = 1000000")
    database.write(put("large", "x" * 1_000_000))
    assert names(database) == ["large", "small"]


def test_a_file_that_cannot_be_written_is_unavailable(open_database: OpenDatabase) -> None:
    database = open_database()
    database._writer.execute("PRAGMA query_only = ON")

    with pytest.raises(StoreUnavailable, match="readonly"):
        database.write(put("a"))


def test_what_is_remembered_is_made_once(open_database: OpenDatabase) -> None:
    assert open_database().remembered("key", lambda: "first") == "first"
    assert open_database().remembered("key", lambda: "second") == "first"


def test_every_thread_reads_on_a_connection_of_its_own(open_database: OpenDatabase) -> None:
    database = open_database()
    database.write(put("a"))
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda _: names(database), range(9))) == [["a"]] * 9
