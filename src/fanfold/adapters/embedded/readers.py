"""The connections that read, lent to one thread at a time."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fanfold.domain.model.errors import StoreUnavailable

#: Most connections that read. A thread that finds them all in use waits for one: a read takes
#: less than a millisecond, and each connection costs two file descriptors.
READERS = 4


class Readers:
    """Connections to read with, lent to one thread at a time; at most :data:`READERS`."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._free = threading.Condition()
        self._idle: list[sqlite3.Connection] = [connect()]
        self._opened = 1
        self._own = threading.local()

    @contextmanager
    def lent(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection; within the block the same thread is lent the same one again."""
        held: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if held is not None:
            yield held
            return
        self._own.connection = connection = self._take()
        try:
            yield connection
        finally:
            self._own.connection = None
            with self._free:
                self._idle.append(connection)
                self._free.notify()

    def _take(self) -> sqlite3.Connection:
        with self._free:
            while not self._idle:
                if self._opened < READERS and self._open_another():
                    break
                self._free.wait()
            return self._idle.pop()

    def _open_another(self) -> bool:
        """Return whether there is one more; out of descriptors, the first one does for all."""
        try:
            self._idle.append(self._connect())
        except (sqlite3.Error, OSError, StoreUnavailable):
            return False
        self._opened += 1
        return True
