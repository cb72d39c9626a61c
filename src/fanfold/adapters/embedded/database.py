"""One SQLite file, shared by threads and processes: grouped commits, and reads beside them.

Writers that are ready together share a commit: a caller adds its operation to those waiting; the
first one leads, commits what waits, wakes each caller once, and hands the lead to the first of
those that came meanwhile. So ``synchronous=FULL`` (a power cut loses
nothing that was reported) costs about as much as not waiting for the disk.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Generic, TypeVar

from fanfold.domain.model.errors import StoreUnavailable

T = TypeVar("T")

#: The version of schema.sql. A file of an older version is migrated, a newer one refused.
SCHEMA_VERSION = 1

#: Marks a file as fanfold's: "fanf" in SQLite's header.
APPLICATION_ID = 0x66616E66

#: How long a write waits for another process's write, in seconds.
BUSY_TIMEOUT_S = 10.0

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """Return *at* as microseconds since 1970 UTC."""
    return (at - _EPOCH) // _MICROSECOND


def micros_or_none(at: datetime | None) -> int | None:
    """Return *at* as microseconds since 1970 UTC, or None for None."""
    return None if at is None else micros(at)


def instant(stored: int) -> datetime:
    """Return the instant that :func:`micros` stored."""
    return _EPOCH + timedelta(microseconds=stored)


def instant_or_none(stored: int | None) -> datetime | None:
    """Return the instant that :func:`micros_or_none` stored."""
    return None if stored is None else instant(stored)


class _Operation(Generic[T]):
    """A write that waits for its commit. ``error`` is what the commit or the work raised.

    ``woken`` is released once: when the write is done, or when its caller shall lead the next
    group.
    """

    __slots__ = ("done", "error", "result", "woken", "work")

    def __init__(self, work: Callable[[sqlite3.Connection], T]) -> None:
        self.work = work
        self.woken = threading.Lock()
        self.woken.acquire()
        self.done = False
        self.result: T | None = None
        self.error: BaseException | None = None


class Database:
    """The file, opened. Safe to share between threads; close it at the end.

    Args:
        path: The file; it and its folder are made if absent, readable by the owner alone.

    Raises:
        StoreUnavailable: The file cannot be opened, is no database of fanfold's, or was written
            by a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._connections_lock = threading.Lock()
        self._order = threading.Lock()
        self._led = False
        self._waiting: deque[_Operation[Any]] = deque()
        with _translated(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            try:
                self._writer = self._connect()
                self._prepare_schema()
            except BaseException:
                self.close()
                raise

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what *work* returned, once its changes are on disk.

        *work* may be run again after a roll-back, so it changes nothing but the database. Work
        of other callers may share its commit; what *work* raises undoes its own changes alone.

        Raises:
            StoreUnavailable: The commit did not happen.
        """
        operation = _Operation(work)
        with self._order:
            self._waiting.append(operation)
            leads = not self._led
            self._led = True
        if not leads:
            operation.woken.acquire()
        if not operation.done:
            self._lead()
        if operation.error is not None:
            raise operation.error
        return operation.result  # type: ignore[return-value]  # set when there is no error

    def read(self) -> sqlite3.Connection:
        """Return this thread's reading connection: each statement sees all that is committed."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            with _translated(self.path):
                connection = self._connect()
            self._local.connection = connection
        return connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection on which every statement sees the same moment."""
        connection = self.read()
        with _translated(self.path):
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("COMMIT")

    def rows(self, statement: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        """Return every row that *statement* reads."""
        with _translated(self.path):
            return self.read().execute(statement, parameters).fetchall()

    def row(self, statement: str, parameters: tuple[Any, ...] = ()) -> Any:
        """Return the first row that *statement* reads, or None."""
        with _translated(self.path):
            return self.read().execute(statement, parameters).fetchone()

    def remembered(self, name: str, make: Callable[[], str]) -> str:
        """Return the text kept under *name*; the first one to ask makes it."""

        def keep(connection: sqlite3.Connection) -> str:
            connection.execute(
                "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO NOTHING", (name, make())
            )
            kept: str = connection.execute(
                "SELECT value FROM meta WHERE name = ?", (name,)
            ).fetchone()[0]
            return kept

        return self.write(keep)

    def data_version(self) -> int:
        """Return a number that changes when another connection commits."""
        version: int = self.row("PRAGMA data_version")[0]
        return version

    def close(self) -> None:
        """Close every connection. Nothing may use this object afterwards."""
        with self._connections_lock:
            while self._connections:
                self._connections.pop().close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        with self._connections_lock:
            self._connections.append(connection)
        self._refuse_strangers(connection)
        _use_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _refuse_strangers(self, connection: sqlite3.Connection) -> None:
        """Leave another program's database, and one of a newer fanfold, untouched."""
        row = connection.execute(
            "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master) "
            "FROM pragma_application_id, pragma_user_version"
        ).fetchone()
        application, version, tables = row
        if application != APPLICATION_ID and (application or version or tables):
            raise StoreUnavailable(
                f"{self.path} is another program's database; set FANFOLD_DB to another file"
            )
        if version > SCHEMA_VERSION:
            raise StoreUnavailable(
                f"{self.path} was written by a newer fanfold (schema {version}, this one "
                f"knows {SCHEMA_VERSION}); upgrade fanfold, or set FANFOLD_DB to another file"
            )

    def _prepare_schema(self) -> None:
        connection = self._writer
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            for script in _scripts_from(version):
                for statement in _statements(script):
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("COMMIT")
        except BaseException:
            # Half a schema would never be completed: all of it, or none.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _lead(self) -> None:
        """Commit every waiting operation together, then hand the lead on, or lay it down."""
        with self._order:
            operations = list(self._waiting)
            self._waiting.clear()
        try:
            self._commit(operations)
        except BaseException as exc:  # noqa: BLE001 - it is raised in its own caller's thread
            # A locked file is locked for all of them: they do not wait for it one by one.
            if len(operations) == 1 or _is_locked(exc):
                for operation in operations:
                    operation.error = _store_error(exc, self.path)
            else:
                self._commit_one_by_one(operations)
        for operation in operations:
            operation.done = True
            operation.woken.release()
        with self._order:
            self._led = bool(self._waiting)
            if self._waiting:
                self._waiting[0].woken.release()

    def _commit_one_by_one(self, operations: list[_Operation[Any]]) -> None:
        for operation in operations:
            try:
                self._commit([operation])
            except BaseException as exc:  # noqa: BLE001 - it is raised in its own caller's thread
                operation.error = _store_error(exc, self.path)

    def _commit(self, operations: list[_Operation[Any]]) -> None:
        connection = self._writer
        connection.execute("BEGIN IMMEDIATE")
        try:
            for operation in operations:
                operation.result = operation.work(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _scripts_from(version: int) -> list[str]:
    """Return the scripts that bring a file of *version* (0: empty) to the newest schema."""
    folder = files("fanfold.adapters.embedded")
    if version == 0:
        return [folder.joinpath("schema.sql").read_text("utf-8")]
    return [
        folder.joinpath("migrations", f"{step:04}.sql").read_text("utf-8")
        for step in range(version + 1, SCHEMA_VERSION + 1)
    ]


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch a new file to WAL, or find it switched.

    When many open a new file at once, SQLite answers *locked* to some without waiting: its
    busy timeout does not cover this switch.
    """
    until = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
            time.sleep(0.01)
        else:
            return


def _statements(script: str) -> Iterator[str]:
    """Split *script* into statements; executescript would commit the open transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _is_locked(exc: BaseException) -> bool:
    return isinstance(exc, sqlite3.OperationalError) and exc.sqlite_errorcode & 0xFF in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    )


def _store_error(exc: BaseException, path: Path) -> BaseException:
    if not isinstance(exc, sqlite3.Error):
        return exc
    error = StoreUnavailable(f"{path}: {exc}")
    error.__cause__ = exc
    return error


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Raise SQLite's and the file system's errors as StoreUnavailable, in this one place."""
    try:
        yield
    except (sqlite3.Error, OSError) as exc:
        raise StoreUnavailable(f"{path}: {exc}") from exc
