"""What every form of the report shows of a run and of a collector, as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fanfold.domain.report.causes import Named
from fanfold.domain.report.sentences import MARKS, UNSUCCESSFUL, notes
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import change, count, day, local, one_line, size, zone

#: What stands where there is nothing to say.
NOTHING = "\N{EN DASH}"

#: Most characters of a collector's name that a form shows; real names are shorter.
MAX_NAME = 63

_RUN_MARKS = {
    "succeeded": "✓",
    "failed": "✗",
    "rejected": "✗",
    "missed": "✗",
    "dispatching": "…",
    "running": "…",
}

_ORDER = ("failed", "timed_out", "cancelled", "running", "pending", "succeeded", "skipped")

_TRIGGERS = {"schedule": "scheduled", "ad_hoc": "asked by hand", "retry": "a retry"}

#: The sign of each status on the page; for who cannot tell the colours apart.
_ICONS = {"succeeded": "ok", "failed": "bad", "timed_out": "late", "cancelled": "off"}

#: The statuses of collectors that did not succeed, and of those that have no answer yet.
BAD = frozenset({"failed", "timed_out", "cancelled"})
OPEN = frozenset({"running", "pending"})


@dataclass(frozen=True, slots=True)
class Row:
    """One collector, every figure in words, :data:`NOTHING` where there is none."""

    name: str
    status: str
    mark: str
    records: str
    change: str
    size: str
    duration: str
    attempts: str
    notes: tuple[str, ...]

    @property
    def words(self) -> str:
        """The status as people write it."""
        return self.status.replace("_", " ")

    @property
    def note(self) -> str:
        """All notes in one line."""
        return " · ".join(self.notes)


def row(name: str, one: Mapping[str, Any], timezone: str) -> Row:
    """Return what is shown of the collector *name*, whose part of the report is *one*."""
    return Row(
        name=one_line(name, MAX_NAME),
        status=one["status"],
        mark=MARKS.get(one["status"], NOTHING),
        records=NOTHING if one["records"] is None else count(one["records"]),
        change=change(one["records"], one["records_previous"]),
        size=NOTHING if one["bytes"] is None else size(one["bytes"]),
        duration=NOTHING if one["start_time"] is None else duration(one["duration"]),
        attempts=str(len(one["attempts"]) or NOTHING),
        notes=tuple(notes(one, timezone)),
    )


def icon_of(one: Mapping[str, Any]) -> str:
    """Return the sign of a collector's status: ``ok``, ``bad``, ``late``, ``off``, ``run`` …."""
    return _ICONS.get(one["status"], "skip" if one["status"] == "skipped" else "run")


def run_mark(report: Mapping[str, Any]) -> str:
    """Return the run's own mark."""
    return _RUN_MARKS.get(report["status"], NOTHING)


def problems(report: Mapping[str, Any]) -> list[Named]:
    """Return the collectors that failed or timed out, required ones first."""
    bad = [
        (name, one) for name, one in report["collectors"].items() if one["status"] in UNSUCCESSFUL
    ]
    return sorted(bad, key=lambda named: not named[1]["required"])


def group_lines(report: Mapping[str, Any]) -> list[str]:
    """Return a line for each group: what was expected of it, and what came."""
    marks = {True: "✓", False: "✗", None: "…"}
    return [
        f"{marks[group['satisfied']]} group {one_line(name, MAX_NAME)}: {one_line(group['about'])}"
        for name, group in report.get("groups", {}).items()
    ]


def problems_first(collectors: Iterable[Named]) -> list[Named]:
    """Return *collectors* with what went wrong first and what was skipped last."""
    return sorted(collectors, key=lambda named: _ORDER.index(named[1]["status"]))


def skipped_last(collectors: Iterable[Named]) -> list[Named]:
    """Return *collectors* in the configuration's order, but what was skipped last."""
    return sorted(collectors, key=lambda named: named[1]["status"] == "skipped")


def when(report: Mapping[str, Any]) -> str:
    """Return ``Mon 23 Nov 2026, 03:15:00 → 03:36:04 Europe/Paris · 21m04s``."""
    timezone = report["timezone"]
    start = local(report["start_time"], timezone)
    text = f"{day(start)}, {start:%H:%M:%S}"
    if report["end_time"] and report["end_time"] != report["start_time"]:
        end = local(report["end_time"], timezone)
        text += f" → {'' if end.date() == start.date() else day(end) + ', '}{end:%H:%M:%S}"
    lasted = report["duration_seconds"]
    return f"{text} {zone(timezone)}" + (f" · {duration(lasted)}" if lasted else "")


def why(report: Mapping[str, Any]) -> str:
    """Return who asked for the run: ``scheduled (nightly)``, ``a retry of …``."""
    trigger = report["trigger"]
    text = _TRIGGERS.get(trigger["kind"], one_line(trigger["kind"], 40))
    if report["retry_of"]:
        text = f"a retry of {one_line(report['retry_of'], 100)}"
    elif trigger["by"]:
        text += f" ({one_line(trigger['by'], 100)})"
    text += f": {one_line(trigger['reason'], 200)}" if trigger["reason"] else ""
    # Only what a command shows has it: a report is never written again.
    following = report.get("retried_by")
    return text + (f" · retried by {one_line(following, 100)}" if following else "")
