"""One SQLite file, shared by threads and processes: grouped commits, and reads beside them.

Writers that are ready together share a commit: a caller adds its operation to those waiting; the
first one leads, commits what waits, wakes each caller once, and hands the lead to the first of
those that came meanwhile. So ``synchronous=FULL`` (a power cut loses nothing that was reported)
costs about as much as not waiting for the disk.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

from fanfold.adapters.damage import Damage
from fanfold.adapters.embedded.database_file import DatabaseFile, translated
from fanfold.adapters.embedded.readers import Readers
from fanfold.domain.model.errors import StoreUnavailable

T = TypeVar("T")


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
        looking: Whether the caller only reads; see
            :class:`~fanfold.adapters.embedded.database_file.DatabaseFile`.

    Raises:
        StoreUnavailable: The file cannot be opened, is no database of fanfold's, or was written
            by a newer version.
    """

    def __init__(self, path: Path, *, looking: bool = False) -> None:
        self.path = path
        self.file = DatabaseFile(path, looking=looking)
        #: What of the file could not be read, whichever part of it met that.
        self.damage = Damage()
        self._connections: list[sqlite3.Connection] = []
        self._order = threading.Lock()
        self._led = False
        self._own = threading.local()
        self._waiting: deque[_Operation[Any]] = deque()
        with translated(path):
            try:
                self._writer = self._connect()
                self._readers = Readers(self._connect)
                # Its own: PRAGMA data_version compares with what the same connection saw before.
                self._watch = self._connect()
                self.data_version()
                self.file.note_log()
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
        if self.file.is_read_only:
            raise StoreUnavailable(f"{self.path} can only be read")
        if (within := self._within()) is not None:
            return work(within)
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

    def together(self, work: Callable[[], T]) -> T:
        """Return what *work* returned; all that it reads and writes on this file is one commit.

        What is raised undoes everything, but for what :meth:`apart` caught. As for :meth:`write`.
        """

        def within(connection: sqlite3.Connection) -> T:
            self._own.connection = connection
            try:
                return work()
            finally:
                self._own.connection = None

        return self.write(within)

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Let what is raised in this part of :meth:`together` undo the changes of the part alone.

        It is raised again: whoever goes on after it must know that the file is well.
        """
        connection = self._within()
        assert connection is not None  # noqa: S101 - a part of something
        connection.execute("SAVEPOINT apart")
        try:
            yield
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK TO apart")
            raise
        finally:
            if connection.in_transaction:
                connection.execute("RELEASE apart")

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection to read with: each statement sees all that is committed."""
        if (within := self._within()) is not None:
            yield within
            return
        with translated(self.path):
            self.file.check_in_place()
            with self._readers.lent() as connection:
                yield connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection on which every statement sees the same moment."""
        with self.connection() as connection:
            if connection.in_transaction:
                yield connection
                return
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("COMMIT")

    def rows(self, statement: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        """Return every row that *statement* reads."""
        with self.connection() as connection:
            return connection.execute(statement, parameters).fetchall()

    def row(self, statement: str, parameters: tuple[Any, ...] = ()) -> Any:
        """Return the first row that *statement* reads, or None."""
        with self.connection() as connection:
            return connection.execute(statement, parameters).fetchone()

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

    def note(self, name: str, text: str) -> None:
        """Keep *text* under *name*, in the place of what was kept."""
        self.write(
            lambda connection: connection.execute(
                "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = ?",
                (name, text, text),
            )
        )

    def noted(self, name: str) -> str:
        """Return the text kept under *name*, empty if there is none."""
        row = self.row("SELECT value FROM meta WHERE name = ?", (name,))
        return "" if row is None else str(row[0])

    def data_version(self) -> int:
        """Return a number that changes when another connection commits."""
        with translated(self.path):
            self.file.check_in_place()
            version: int = self._watch.execute("PRAGMA data_version").fetchone()[0]
        return version

    def close(self) -> None:
        """Close every connection. Nothing may use this object afterwards."""
        while self._connections:
            self._connections.pop().close()
        self.file.close()

    def _within(self) -> sqlite3.Connection | None:
        """Return the connection of the commit that this thread is in the middle of, if it is."""
        within: sqlite3.Connection | None = getattr(self._own, "connection", None)
        return within

    def _connect(self) -> sqlite3.Connection:
        self._connections.append(self.file.connect())
        return self._connections[-1]

    def _lead(self) -> None:
        """Commit every waiting operation together, then hand the lead on, or lay it down."""
        with self._order:
            operations = list(self._waiting)
            self._waiting.clear()
        try:
            self._commit(operations)
        except BaseException as exc:  # noqa: BLE001 - it is raised in its own caller's thread
            # What the whole file suffers from, no operation escapes: none waits for it alone.
            if len(operations) == 1 or _is_shared(exc):
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
        self.file.check_in_place()
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


def _is_shared(exc: BaseException) -> bool:
    """Return whether *exc* is the file's trouble: it is locked."""
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
