"""When somebody sets the machine's clock: what waits keeps its length, and nothing old is deleted.

Waits are stored as instants, so a clock that is set back would make each one longer by as much. The
file remembers how far the clock was ahead of the one that only runs (since the machine started);
whoever finds another distance moves what waits. Deadlines are instants that people were told, and
stay as they are.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from datetime import timedelta
from math import isfinite
from pathlib import Path

from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.micros import micros
from fanfold.ports.outside import Clock

#: A difference under this is the clock's usual drift, in seconds.
DRIFT_S = 2.0

#: For this long after the clock was set, nothing is done that a wrong clock would spoil: no run is
#: forgotten and no schedule is due, in seconds.
SETTLES_AFTER_S = 60.0

#: A machine that was off for longer than this is not trusted at once, in seconds.
LONGEST_PAUSE_S = 30 * 86_400.0

#: The name under which a timer notes in the file that it lives.
ALIVE = "timer_alive_at"

_KEPT = "clock"


def running_s() -> float:
    """Return the seconds since the machine started, its sleep included."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def boot_name() -> str:
    """Return a text that is another one after each start of the machine; empty if it has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


class ClockChanges:
    """Looks whether the clock was set.

    Args:
        database: Where the distance of the two clocks is kept, for every process on the file.
        clock: The one that can be set.
        running_s: The one that only runs, in seconds.
        boot: Names the start from which *running_s* counts.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        running_s: Callable[[], float] = running_s,
        boot: str | None = None,
    ) -> None:
        self.database = database
        self.clock = clock
        self.running_s = running_s
        self.boot = boot_name() if boot is None else boot
        self._distance_s: float | None = None
        self._set_at_s = float("-inf")

    def look(self) -> None:
        """Look now. What waits is moved if the clock was set back."""
        distance_s = self._read_distance_s()
        if self._distance_s is None or abs(distance_s - self._distance_s) >= DRIFT_S / 4:
            self.database.write(self._compare)
            self._distance_s = distance_s

    def is_settled(self) -> bool:
        """Return whether the clock was not set for a minute."""
        self.look()
        return self.running_s() - self._set_at_s >= SETTLES_AFTER_S

    def _read_distance_s(self) -> float:
        return self.clock.now().timestamp() - self.running_s()

    def _compare(self, connection: sqlite3.Connection) -> None:
        distance_s, set_at_s = self._read_distance_s(), float("-inf")
        row = _read(connection, _KEPT)
        kept = _numbers_after(self.boot or "-", row or "")
        if kept is not None:
            change_s, set_at_s = distance_s - kept[0], kept[1]
        else:
            change_s = self._change_while_off(connection)
        if abs(change_s) >= DRIFT_S:
            set_at_s = self.running_s()
        if change_s <= -DRIFT_S:
            now = self.clock.now()
            _move_back(connection, micros(now), micros(now + timedelta(seconds=-change_s)))
        self._set_at_s = set_at_s
        connection.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            (_KEPT, f"{self.boot or '-'} {distance_s!r} {set_at_s!r}"),
        )

    def _change_while_off(self, connection: sqlite3.Connection) -> float:
        """Return by how much the clock was set while the machine was off; 0 if nobody can tell."""
        alive = _numbers_after("", f" {_read(connection, ALIVE)} 0")
        if alive is None:
            return 0.0
        passed_s = micros(self.clock.now()) / 1e6 - alive[0] / 1e6
        return passed_s if passed_s < 0 or passed_s > LONGEST_PAUSE_S else 0.0


def _read(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def _numbers_after(name: str, text: str) -> tuple[float, float] | None:
    """Return the two numbers that *text* holds after *name*; None if it is anything else."""
    try:
        found, first, second = text.split(" ")
        numbers = float(first), float(second)
    except ValueError:
        return None
    return numbers if found == name and isfinite(numbers[0]) else None


def _move_back(connection: sqlite3.Connection, now: int, before: int) -> None:
    """Move what waits for an instant as the clock was set from *before* back to *now* (micros).

    A lease is left alone: its holder extends or ends it, and a dead holder's is freed.
    """
    moved = {"now": now, "back": before - now}
    for table, waits in (("queued", "visible_at"), ("job", "not_before")):
        unheld = "holder IS NULL"
        connection.execute(
            f"UPDATE {table} SET {waits} = max(:now, {waits} - :back) "
            f"WHERE {waits} > :now AND {unheld}",
            moved,
        )
        connection.execute(
            f"UPDATE {table} SET published_at = :now WHERE published_at > :now",
            moved,
        )
    connection.execute(
        "UPDATE meta SET value = :now WHERE name = :alive AND CAST(value AS INTEGER) > :now",
        {"now": now, "alive": ALIVE},
    )
