"""The file itself: new, old, newer, another's, half made, out of reach."""

from __future__ import annotations

import errno
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.adapters.embedded.conftest import OpenDatabase
from tests.support import RUN_ID, a_job

from fanfold.adapters.embedded import database_file as module
from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.database_file import SCHEMA_VERSION
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.domain.model.errors import StoreUnavailable


def raw(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def test_a_new_file_and_its_folder_are_made_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "fanfold.db"
    Database(path).close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_is_opened_again_with_what_it_holds(open_database: OpenDatabase) -> None:
    open_database().remembered("key", lambda: "kept")

    assert open_database().remembered("key", lambda: "new") == "kept"


def test_many_who_make_the_file_at_once_make_it_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: Database(tmp_path / "new.db"), range(8)))
    keys = {each.remembered("key", lambda: "made") for each in opened}
    for each in opened:
        each.close()

    assert keys == {"made"}


def test_every_commit_waits_for_the_disk(open_database: OpenDatabase) -> None:
    database = open_database()

    for connection in (database._writer, database._watch):
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_newer_schema_is_refused_and_left_as_it_is(
    open_database: OpenDatabase, tmp_path: Path
) -> None:
    open_database().close()
    newer = raw(tmp_path / "fanfold.db")
    newer.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")

    with pytest.raises(StoreUnavailable, match="upgrade fanfold"):
        open_database()
    assert newer.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION + 1,)
    newer.close()


def test_what_is_no_database_is_refused(open_database: OpenDatabase, tmp_path: Path) -> None:
    (tmp_path / "fanfold.db").write_bytes(b"this is a text, long enough to be looked at" * 50)

    with pytest.raises(StoreUnavailable, match="not a database"):
        open_database()


@pytest.mark.parametrize("mark", ["CREATE TABLE users (id)", "PRAGMA user_version = 1"])
def test_another_programs_database_is_refused_and_left_as_it_is(
    open_database: OpenDatabase, tmp_path: Path, mark: str
) -> None:
    foreign = raw(tmp_path / "fanfold.db")
    foreign.execute(mark)
    foreign.execute("PRAGMA journal_mode = DELETE")
    before = (tmp_path / "fanfold.db").read_bytes()

    with pytest.raises(StoreUnavailable, match="another program's database"):
        open_database()
    foreign.close()
    assert (tmp_path / "fanfold.db").read_bytes() == before


def test_a_schema_that_failed_half_way_is_made_whole_at_the_next_start(
    open_database: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = module._scripts_from(0)[0]
    broken = whole.replace("CREATE TABLE late", "CREATE TABLE late(; --")
    monkeypatch.setattr(module, "_scripts_from", lambda version: [broken])
    with pytest.raises(StoreUnavailable):
        open_database()
    monkeypatch.undo()

    assert open_database().rows("SELECT * FROM late") == []


def test_an_older_file_is_migrated_step_by_step(
    open_database: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database()
    database.remembered("key", lambda: "kept")
    database.close()
    monkeypatch.setattr(module, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    monkeypatch.setattr(
        module,
        "_scripts_from",
        lambda version: ["CREATE TABLE added (x);"] if version == SCHEMA_VERSION else [],
    )

    migrated = open_database()
    again = open_database()
    assert migrated.rows("SELECT * FROM added") == []
    assert again.row("PRAGMA user_version") == (SCHEMA_VERSION + 1,)
    assert again.remembered("key", lambda: "new") == "kept"


def test_a_way_that_leads_nowhere_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreUnavailable):
        Database(tmp_path / "file" / "fanfold.db")
    with pytest.raises(StoreUnavailable):
        Database(tmp_path)


#: Makes of a file of the newest version one of the first.
TO_THE_FIRST = (
    "DROP TABLE pause",
    "DROP TABLE upstream",
    "DROP INDEX job_waiting",
    "ALTER TABLE job DROP COLUMN wait",
    "ALTER TABLE job DROP COLUMN waits_for",
    "PRAGMA user_version = 1",
)


def tables(database: sqlite3.Connection) -> list[tuple[str, object]]:
    """Return what there is: of a table its columns, which a migration adds as text of its own."""
    found = database.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()
    return [
        (name, database.execute("SELECT * FROM pragma_table_info(?)", (name,)).fetchall())
        if kind == "table"
        else (name, sql)
        for kind, name, sql in found
    ]


def test_a_file_of_the_first_version_is_brought_to_the_newest_with_what_it_holds(
    open_database: OpenDatabase, tmp_path: Path
) -> None:
    database = open_database()
    database.remembered("key", lambda: "kept")
    SqliteLedger(database).create_jobs(RUN_ID, [a_job("dvf")])
    new = raw(tmp_path / "fanfold.db")
    expected = tables(new)
    for undo in TO_THE_FIRST:
        new.execute(undo)

    database = open_database()
    assert database.remembered("key", lambda: "new") == "kept"
    assert SqliteLedger(database).jobs(RUN_ID) == [a_job("dvf")]
    assert tables(new) == expected
    assert new.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    new.close()


def test_a_file_of_the_first_version_that_can_only_be_read_is_read_and_left_as_it_is(
    open_database: OpenDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database()
    SqliteLedger(database).create_jobs(RUN_ID, [a_job("dvf")])
    old = raw(tmp_path / "fanfold.db")
    for undo in TO_THE_FIRST:
        old.execute(undo)

    def refuse(_: object) -> None:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(module.DatabaseFile, "_create", refuse)
    looking = Database(tmp_path / "fanfold.db", looking=True)
    assert SqliteLedger(looking).jobs(RUN_ID) == [a_job("dvf")]
    looking.close()
    assert old.execute("PRAGMA user_version").fetchone() == (1,)
    old.close()
