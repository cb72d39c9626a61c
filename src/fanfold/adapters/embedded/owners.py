"""Which processes live: so that what a dead one held is free at once, not when its lease runs out.

Every process that works on the file holds an operating-system lock on a small file of its own
beside it. The lock goes with the process, however it ends (``kill -9``, power cut, crash), so
whoever can take a lock knows that its owner is dead.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import uuid
from functools import partial
from pathlib import Path

from fanfold.adapters.embedded.database import Database


class Owner:
    """This process (or one host in it), among those that share the file.

    ``name`` is what it writes wherever it holds something. Make it before holding anything, close
    it when nothing is held any more.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.name = uuid.uuid4().hex[:12]
        self._folder = database.path.with_name(f"{database.path.name}-hosts")
        self._folder.mkdir(exist_ok=True)
        self._path = self._folder / f"{self.name}.lock"
        # Locked before it has its name: nobody can find it unlocked and take it for dead.
        unnamed = self._path.with_suffix(".new")
        self._lock = os.open(unnamed, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        unnamed.rename(self._path)

    def free_the_dead(self) -> list[str]:
        """Free every message and job that a dead process held; return the names of the dead."""
        dead = []
        for path in self._folder.glob("*.lock"):
            if path != self._path and _is_dead(path):
                self.database.write(partial(_free, path.stem))
                path.unlink(missing_ok=True)
                dead.append(path.stem)
        return dead

    def close(self) -> None:
        """Free what this process still holds, and leave. Closing again does nothing."""
        if self._lock < 0:
            return
        self.database.write(partial(_free, self.name))
        self._path.unlink(missing_ok=True)
        os.close(self._lock)
        self._lock = -1


def _is_dead(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)


def _free(name: str, connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE queued SET holder = NULL, visible_at = 0 WHERE holder = ?", (name,))
    connection.execute(
        "UPDATE job SET holder = NULL, taken_at = NULL, leased_until = NULL WHERE holder = ?",
        (name,),
    )
