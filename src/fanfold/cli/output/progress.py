"""A run as it goes: what both displays show, and the plain one.

The plain one writes a line when a collector ends, and when it waits for its next attempt.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from fanfold.cli.output.terminal import Notes
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import count, one_line, plural
from fanfold.rendering import collector_row
from fanfold.rendering.table import name_column

Report = Mapping[str, Any]

#: Statuses of a collector that is not done.
OPEN = ("pending", "running")

#: Shortest time between two pictures of each display, in seconds.
PLAIN_EVERY_S, LIVE_EVERY_S = 0.2, 0.2


class ProgressView(Protocol):
    """Shows how a run goes, on stderr."""

    every_s: float

    def update(self, report: Report) -> None:
        """Show *report*, made of the run as it is now."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was; show no more."""
        ...


class PlainProgress:
    """One line when each collector ends or waits for a retry: for pipes, logs and CI."""

    every_s = PLAIN_EVERY_S

    def __init__(self, note: Notes, *, concurrency: int) -> None:
        self.note = note
        self.concurrency = concurrency
        self._written: set[str] = set()
        self._waits: set[tuple[str, int]] = set()
        self._has_heading = False

    def update(self, report: Report) -> None:
        """See :class:`ProgressView`."""
        if not self._has_heading:
            self._has_heading = True
            self.note(heading(report, self.concurrency))
            self._written |= report["collectors"].keys() - asked_in(report).keys()
        width = name_column(report)
        for name, one in report["collectors"].items():
            if name not in self._written and one["status"] not in OPEN:
                self._written.add(name)
                zone = report["timezone"]
                self.note(collector_row(name, one, timezone=zone, name_width=width, width=0))
            elif name not in self._written and one["reason"] == "backoff":
                wait = (name, len(one["attempts"]))
                if wait not in self._waits:
                    self._waits.add(wait)
                    self.note(f"  {one_line(name, 63)}: {retry_words(one, time_of(report))}")

    def close(self) -> None:
        """See :class:`ProgressView`."""


def asked_in(report: Report) -> Mapping[str, Mapping[str, Any]]:
    """Return the collectors that the run asks: neither skipped nor, in a retry, kept."""
    return {
        name: one
        for name, one in report["collectors"].items()
        if one["status"] != "skipped" and not one.get("kept")
    }


def heading(report: Report, concurrency: int) -> str:
    """Return ``run 2026-… · 3 asked, 1 skipped · usually 19m50s``."""
    collectors = report["collectors"].values()
    kept = sum(one.get("kept", False) for one in collectors)
    skipped = sum(one["status"] == "skipped" for one in collectors)
    parts = [
        f"run {one_line(report['run_id'], 100)}",
        f"{count(len(collectors) - skipped - kept)} asked",
    ]
    if kept:
        parts[-1] += f", {plural(kept, 'answer')} kept"
    if skipped:
        parts[-1] += f", {count(skipped)} skipped"
    usually_s = usual_seconds(report, concurrency)
    if usually_s:
        parts.append(f"usually {duration(usually_s)}")
    return " · ".join(parts)


def usual_seconds(report: Report, concurrency: int) -> float:
    """Return how long such a run usually takes, from the collectors' medians; 0 if unknown."""
    asked = asked_in(report).values()
    medians: list[float] = [
        one["median_seconds"] for one in asked if one["median_seconds"] is not None
    ]
    if not asked or len(medians) < len(asked):
        return 0.0
    return max(*medians, sum(medians) / max(1, concurrency))


def time_of(report: Report) -> datetime:
    """Return as at which time *report*, of a run under way, was made."""
    began = datetime.fromisoformat(report["start_time"])
    return began + timedelta(seconds=report["duration_seconds"])


def usual_end(report: Report, concurrency: int) -> datetime | None:
    """Return when such a run usually ends, None if that is unknown or has passed."""
    usually_s = usual_seconds(report, concurrency)
    if usually_s <= report["duration_seconds"]:
        return None
    return datetime.fromisoformat(report["start_time"]) + timedelta(seconds=usually_s)


def retry_words(one: Mapping[str, Any], now: datetime) -> str:
    """Return why a collector is asked again, and when: ``HTTP 503, tries again in 28 s``."""
    last = one["attempts"][-1]
    status = last["http_status"]
    why = f"HTTP {status}" if status and status >= 400 else one_line(last["error"] or "", 80)
    wait_s = 0.0
    if one["next"]:
        wait_s = max(0.0, (datetime.fromisoformat(one["next"]) - now).total_seconds())
    left = f"in {math.ceil(wait_s)} s" if 0 < wait_s < 60 else f"in {duration(wait_s)}"
    return f"{why or last['outcome']}, tries again {left if wait_s else 'now'}"


def progress_words(one: Mapping[str, Any], now: datetime) -> str:
    """Return how far a collector is that is not done: progress, attempts, its usual time."""
    parts: list[str] = []
    progress = one["progress"] or {}
    fraction = progress.get("fraction")
    if isinstance(fraction, int | float):
        parts.append(f"{fraction * 100:.0f} %")
    if progress.get("message"):
        parts.append(one_line(str(progress["message"]), 60))
    if one["reason"] == "backoff":
        parts.append(retry_words(one, now))
    elif one["reason"] == "queued_behind":
        parts.append("waits for an earlier run")
    if len(one["attempts"]) > 1:
        parts.append(plural(len(one["attempts"]), "attempt"))
    if one["median_seconds"]:
        parts.append(f"usually {duration(one['median_seconds'])}")
    return " · ".join(parts)


class Pace:
    """Says when to make the next picture, so that making them takes a twentieth of the time."""

    def __init__(self, every_s: float) -> None:
        self.every_s = every_s
        self._next = 0.0

    def is_due(self) -> bool:
        """Return whether it is time for a new picture."""
        return time.monotonic() >= self._next

    def took(self, started: float) -> None:
        """Note that a picture was made that was begun at *started*, on the monotonic clock."""
        now = time.monotonic()
        # Twice a second at least: a picture that never changes is taken for a dead one.
        self._next = now + min(max(self.every_s, (now - started) * 20), 0.5)
