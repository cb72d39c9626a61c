"""Which processes live: so that what a dead one held is free at once, not when its lease runs out.

Every process that works on the file holds an operating-system lock on a small file of its own
beside it. The lock goes with the process, however it ends (``kill -9``, power cut, crash), so
whoever can take a lock knows that its owner is dead. A lock file that cannot be opened counts as
held: what its process holds is free when its leases run out.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import uuid
from contextlib import suppress
from functools import partial
from pathlib import Path

from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.ledger.upstreams import free_places
from fanfold.adapters.file_owner import take_owner


class Owner:
    """This process (or one host in it), among those that share the file.

    ``name`` is what it writes wherever it holds something. Make it before holding anything, close
    it when nothing is held any more. ``trouble`` says why there is no lock file, and is empty
    where there is one: without it this process works all the same.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.name = uuid.uuid4().hex[:12]
        self.trouble = ""
        self._folder = database.path.with_name(f"{database.path.name}-hosts")
        self._path = self._folder / f"{self.name}.lock"
        self._lock: int | None = None
        try:
            self._lock = self._make_lock()
        except OSError as exc:
            self.trouble = (
                f"no lock file can be made in {self._folder} ({exc.strerror}): what this process "
                "holds is free only when its leases run out, should it die"
            )

    def free_the_dead(self) -> list[str]:
        """Free every message and job that a dead process held; return the names of the dead."""
        dead = []
        for path in self._folder.glob("*.lock"):
            if path != self._path and _is_dead(path):
                self.database.write(partial(_free, path.stem))
                dead.append(path.stem)
                # One that cannot be removed is found dead again, and nothing is held by then.
                with suppress(OSError):
                    path.unlink()
        return dead

    def close(self) -> None:
        """Free what this process still holds, and leave. Closing again does nothing."""
        lock, self._lock = self._lock, None
        if lock is None:
            return
        try:
            self.database.write(partial(_free, self.name))
            with suppress(OSError):
                self._path.unlink()
        finally:
            os.close(lock)

    def _make_lock(self) -> int:
        model = self.database.path.stat()
        mode = model.st_mode & 0o666
        with suppress(FileExistsError):
            self._folder.mkdir(0o700)
            # Who may read the database may look into the folder.
            self._folder.chmod(0o700 | mode | (mode & 0o444) >> 2)
        _adopt(self._folder, model)
        # Locked before it has its name: nobody can find it unlocked and take it for dead.
        unnamed = self._path.with_suffix(".new")
        lock = os.open(unnamed, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode)
        try:
            os.fchmod(lock, mode)
            take_owner(lock, model)
            fcntl.flock(lock, fcntl.LOCK_EX)
            unnamed.rename(self._path)
        except BaseException:
            os.close(lock)
            raise
        return lock


def _adopt(folder: Path, model: os.stat_result) -> None:
    """Give *folder* to the database's owner: an earlier ``sudo`` may have left it root's."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        take_owner(descriptor, model)
    finally:
        os.close(descriptor)


def _is_dead(path: Path) -> bool:
    """Return whether nobody holds the lock on *path*; one that cannot be opened counts as held."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
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
    free_places(connection, name)
