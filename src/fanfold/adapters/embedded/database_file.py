"""The SQLite file itself: opening it, its schema, and whether it still is the one that was opened.

A file that may not be written is opened for reading alone where the caller only looks.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from fanfold.adapters.file_owner import make_folder, take_owner
from fanfold.domain.model.errors import StoreUnavailable

#: The version of schema.sql. A file of an older version is migrated, a newer one refused.
SCHEMA_VERSION = 3

#: Marks a file as fanfold's: "fanf" in SQLite's header.
APPLICATION_ID = 0x66616E66

#: How long a write waits for another process's write, in seconds.
BUSY_TIMEOUT_S = 10.0

#: Largest write-ahead log that is left behind after a checkpoint, in bytes.
WAL_LIMIT_BYTES = 16 * 1024 * 1024

#: What SQLite answers where a file, or one that it needs beside it, cannot be written.
_NOT_WRITABLE = (
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
)


class DatabaseFile:
    """The file at *path*, with the newest schema. Close it after the last connection.

    Args:
        path: It and its folder are made if absent, readable by the owner alone.
        looking: Whether the caller only reads. A file that cannot be written is then opened as
            it is, and ``is_read_only`` is true.

    Raises:
        StoreUnavailable: The file cannot be opened, is no database of fanfold's, or was written
            by a newer version.
    """

    def __init__(self, path: Path, *, looking: bool = False) -> None:
        self.path = path
        self.is_read_only = False
        self._address = f"file:{quote(str(path.absolute()))}"
        self._log = path.with_name(f"{path.name}-wal")
        self._copy: Path | None = None
        self._identity: dict[Path, tuple[int, int]] = {}
        with translated(path):
            try:
                self._create()
            except (OSError, sqlite3.Error) as exc:
                if not looking or not _is_not_writable(exc):
                    raise
                self._open_for_reading()

    def connect(self) -> sqlite3.Connection:
        """Return a new connection. Its owner closes it."""
        connection = sqlite3.connect(
            self._address,
            uri=True,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )
        # One damaged text must not keep every other row of its query from being read.
        connection.text_factory = partial(str, encoding="utf-8", errors="replace")
        try:
            _refuse_strangers(connection, self.path)
            if not self.is_read_only:
                _use_wal(connection)
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
        except BaseException:
            connection.close()
            raise
        return connection

    def is_in_place(self) -> bool:
        """Return whether the path still leads to the file that was opened, and to its log.

        What is written to a deleted or replaced file is lost without any error from SQLite.
        """
        return all(_identity_of(path) == known for path, known in self._identity.items())

    def check_in_place(self) -> None:
        """Return if the file is in place.

        Raises:
            StoreUnavailable: It was deleted or replaced.
        """
        if not self.is_in_place():
            raise StoreUnavailable(f"{self.path} was deleted or replaced while it was in use")

    def close(self) -> None:
        """Remove the copy that a read-only folder needed, if there is one."""
        if self._copy is not None:
            shutil.rmtree(self._copy, ignore_errors=True)

    def _create(self) -> None:
        make_folder(self.path.parent)
        with suppress(FileExistsError):
            descriptor = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
            try:
                take_owner(descriptor, self.path.parent.stat())
            finally:
                os.close(descriptor)
        if not os.access(self.path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        connection = self.connect()
        try:
            _prepare_schema(connection)
        finally:
            connection.close()
        self._note(self.path)

    def note_log(self) -> None:
        """Remember which file the write-ahead log is, now that a connection keeps it there."""
        if not self.is_read_only:
            self._note(self._log)

    def _note(self, path: Path) -> None:
        identity = _identity_of(path)
        if identity is not None:
            self._identity[path] = identity

    def _open_for_reading(self) -> None:
        """Open the file without writing beside it.

        SQLite needs a shared-memory file beside a database with a write-ahead log. Where it can
        make none, a database without a log is declared immutable, and one with a log is copied. A
        file of an older version is copied too: its copy can be migrated.
        """
        self.is_read_only = True
        plain = self._address
        self._address = f"{plain}?mode=ro"
        has_log = self._log.exists() and self._log.stat().st_size > 0
        if not self._can_read():
            if has_log:
                self._copy_it()
            else:
                self._address = f"{plain}?immutable=1"
        connection = self.connect()
        try:
            if self._copy is None and _version_of(connection) < SCHEMA_VERSION:
                connection.close()
                self._copy_it()
                connection = self.connect()
            if self._copy is not None:
                _prepare_schema(connection)
        finally:
            connection.close()

    def _copy_it(self) -> None:
        self._copy = Path(tempfile.mkdtemp(prefix="fanfold-"))
        for each in (self.path, self._log):
            if each.exists():
                shutil.copyfile(each, self._copy / each.name)
        self._address = f"file:{quote(str(self._copy / self.path.name))}"

    def _can_read(self) -> bool:
        try:
            self.connect().close()
        except sqlite3.OperationalError as exc:
            if _is_not_writable(exc):
                return False
            raise
        return True


def _identity_of(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_not_writable(exc: Exception) -> bool:
    if isinstance(exc, sqlite3.Error):
        return getattr(exc, "sqlite_errorcode", 0) & 0xFF in _NOT_WRITABLE
    return isinstance(exc, OSError)


def _refuse_strangers(connection: sqlite3.Connection, path: Path) -> None:
    """Leave another program's database, and one of a newer fanfold, untouched."""
    application, version, tables = connection.execute(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master) "
        "FROM pragma_application_id, pragma_user_version"
    ).fetchone()
    if application != APPLICATION_ID and (application or version or tables):
        raise StoreUnavailable(
            f"{path} is another program's database; set FANFOLD_DB to another file"
        )
    if version > SCHEMA_VERSION:
        raise StoreUnavailable(
            f"{path} was written by a newer fanfold (schema {version}, this one "
            f"knows {SCHEMA_VERSION}); upgrade fanfold, or set FANFOLD_DB to another file"
        )


def _version_of(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _prepare_schema(connection: sqlite3.Connection) -> None:
    if _version_of(connection) == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version_of(connection)
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


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise SQLite's and the file system's errors as StoreUnavailable, in this one place."""
    try:
        yield
    except (sqlite3.Error, OSError) as exc:
        raise StoreUnavailable(f"{path}: {_why(path, exc)}") from exc


def _why(path: Path, exc: sqlite3.Error | OSError) -> str:
    """Return why the file could not be used: whose it is, where SQLite only says that it cannot."""
    is_there = os.access(path, os.F_OK)
    if not is_there or not _is_not_writable(exc) or os.access(path, os.R_OK | os.W_OK):
        return str(exc)
    may = "read" if not os.access(path, os.R_OK) else "written"
    found = path.stat()
    return (
        f"it cannot be {may} by user {os.geteuid()}: it belongs to user {found.st_uid}, "
        f"and its mode is {found.st_mode & 0o777:04o}"
    )
