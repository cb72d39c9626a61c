"""A run as it goes: what all displays show, and the two plain ones.

They write lines: one when a collector ends, or one that counts, now and then.
"""

from __future__ import annotations

import time
from typing import Protocol

from fanfold.cli.output.terminal import Notes
from fanfold.domain.report.sentences import UNSUCCESSFUL
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import count, local, one_line, plural
from fanfold.rendering.table_rows import Layout, collector_row
from fanfold.views.progress import (
    OPEN,
    Report,
    asked_in,
    retry_words,
    time_of,
    usual_end,
    usual_seconds,
)

#: How long a run lasts before a log is told that it goes on, in seconds.
HEADING_AFTER_S = 1.0

#: Shortest time between two lines that count, in seconds, and between two that say the same.
COUNTED_EVERY_S, UNCHANGED_EVERY_S = 10.0, 60.0

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
    """One line when each collector ends or waits for a retry: where the table is read elsewhere."""

    every_s = PLAIN_EVERY_S

    def __init__(self, note: Notes, *, concurrency: int) -> None:
        self.note = note
        self.concurrency = concurrency
        self._written: set[str] = set()
        self._warned: set[str] = set()
        self._waits: set[tuple[str, int]] = set()
        self._has_heading = False

    def update(self, report: Report) -> None:
        """See :class:`ProgressView`."""
        if not self._has_heading:
            self._has_heading = True
            self.note(heading(report, self.concurrency))
            self._written |= report["collectors"].keys() - asked_in(report).keys()
        layout, zone = Layout.of(report, 0), report["timezone"]
        for name, one in report["collectors"].items():
            if name not in self._written and one["status"] not in OPEN:
                self._written.add(name)
                self.note(collector_row(name, one, timezone=zone, layout=layout))
            elif name not in self._written and one["reason"] == "backoff":
                wait = (name, len(one["attempts"]))
                if wait not in self._waits:
                    self._waits.add(wait)
                    self.note(f"  {one_line(name, 63)}: {retry_words(one, time_of(report))}")
        note_warnings(report, self._warned, self.note)

    def close(self) -> None:
        """See :class:`ProgressView`."""


class CountingProgress:
    """A line that counts, now and then: for logs, in which the table stands at the end.

    Of a run that is over at once it says nothing: the table does.
    """

    every_s = PLAIN_EVERY_S

    def __init__(self, note: Notes, *, concurrency: int) -> None:
        self.note = note
        self.concurrency = concurrency
        self._has_heading = False
        self._told = ""
        self._told_at_s = time.monotonic()
        self._warned: set[str] = set()

    def update(self, report: Report) -> None:
        """See :class:`ProgressView`."""
        note_warnings(report, self._warned, self.note)
        passed_s, counted = time.monotonic() - self._told_at_s, done_words(report)
        if not any(one["status"] in OPEN for one in asked_in(report).values()):
            return
        if not self._has_heading and passed_s >= HEADING_AFTER_S:
            self._has_heading = True
            self.note(heading(report, self.concurrency))
        if passed_s >= (UNCHANGED_EVERY_S if counted == self._told else COUNTED_EVERY_S):
            self._told, self._told_at_s = counted, time.monotonic()
            self.note(f"  {duration(report['duration_seconds']):>7}  {counted}")

    def close(self) -> None:
        """See :class:`ProgressView`."""


def note_warnings(report: Report, told: set[str], note: Notes) -> None:
    """Tell what there is to warn of while a collector runs, each once; *told* are their names."""
    for name, one in report["collectors"].items():
        if name not in told and one["status"] in OPEN and one["warnings"]:
            told.add(name)
            note(f"  ! {one_line(name, 63)}: {one_line(one['warnings'][0])}")


def heading(report: Report, concurrency: int, *, is_under_way: bool = False) -> str:
    """Return ``run 2026-… · 3 asked, 1 skipped · usually 19m50s``.

    Of a run that *is_under_way* it says for how long, and when it ends: ``… · 12m04s · ends about
    05:39``.
    """
    collectors = report["collectors"].values()
    kept = sum(one.get("kept", False) for one in collectors)
    skipped = sum(one["status"] == "skipped" for one in collectors)
    asked = [f"{count(len(collectors) - skipped - kept)} asked"]
    asked += [f"{plural(kept, 'answer')} kept"] if kept else []
    asked += [f"{count(skipped)} skipped"] if skipped else []
    usually_s = usual_seconds(report, concurrency)
    usually = [f"usually {duration(usually_s)}"] if usually_s else []
    run = f"run {one_line(report['run_id'], 100)}"
    if not is_under_way:
        return " · ".join([run, ", ".join(asked), *usually])
    end = usual_end(report, concurrency)
    if end is not None:
        usually = [f"ends about {local(end.isoformat(), report['timezone']):%H:%M}"]
    return " · ".join([run, duration(report["duration_seconds"]), *usually, *asked[1:]])


def done_words(report: Report) -> str:
    """Return ``281 of 296 done: 265 succeeded, 16 failed   9 running, 6 waiting``."""
    statuses = [one["status"] for one in asked_in(report).values()]
    done = [each for each in statuses if each not in OPEN]
    failed = sum(each in UNSUCCESSFUL for each in done)
    kinds = [(done.count("succeeded"), "succeeded"), (failed, "failed")]
    kinds += [(done.count("cancelled"), "cancelled")]
    told = ", ".join(f"{count(number)} {word}" for number, word in kinds if number)
    kinds = [(statuses.count("running"), "running"), (statuses.count("pending"), "waiting")]
    left = ", ".join(f"{count(number)} {word}" for number, word in kinds if number)
    words = f"{count(len(done))} of {count(len(statuses))} done"
    return words + (f": {told}" if told else "") + (f"   {left}" if left else "")


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
