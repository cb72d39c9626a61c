"""What ``fanfold status`` says without a RUN: latest, running, next, overdue, last successes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fanfold.cli.exit_codes import CODE_OF_STATUS, OK, OVERDUE
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import (
    FIRST_RUN,
    REPORT_LATEST,
    RUN_WHAT_IS_DUE,
    in_or_ago,
    json_text,
    next_line,
    slot_words,
    status_of,
    weekday,
)
from fanfold.domain.model.collector import Catalogue, CollectorHistory
from fanfold.domain.model.run import Run
from fanfold.domain.rules import schedule
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import instant

#: The overview as JSON where nothing ever ran.
EMPTY: Mapping[str, Any] = {
    "latest": None,
    "running": [],
    "next": None,
    "overdue": None,
    "last_success": {},
}

#: Most collectors whose last success is listed.
MOST_LISTED = 12

_NOTHING = "\N{EN DASH}"
_MARKS = {"succeeded": "✓", "cancelled": _NOTHING}


@dataclass(frozen=True, slots=True)
class Overview:
    """What there is to say. ``overdue`` is the slot whose run never came, if there is one."""

    now: datetime
    latest: Run | None
    running: Sequence[Run]
    catalogue: Catalogue | None
    overdue: datetime | None
    histories: Mapping[str, CollectorHistory]

    @property
    def code(self) -> int:
        """The exit code: a missing run weighs more than a failed one."""
        if self.overdue is not None:
            return OVERDUE
        return OK if self.latest is None else CODE_OF_STATUS[self.latest.status.value]

    @property
    def timezone(self) -> str:
        """The zone in which times are shown."""
        return self.catalogue.timezone if self.catalogue else "UTC"

    def next_slot(self) -> datetime | None:
        """Return when a schedule fires next, None if none does or the configuration is unknown."""
        slots = schedule.next_slots(self.catalogue, self.now) if self.catalogue else []
        return slots[0] if slots else None


def print_overview(overview: Overview, form: str) -> None:
    """Print the overview on stdout as *form*: table, json or markdown."""
    if form == "json":
        out(json_text(_document(overview)))
        return
    for line in _lines(overview):
        out(line if form == "table" else f"- {line.strip()}")


def _lines(overview: Overview) -> list[str]:
    lines = []
    now, latest = overview.now, overview.latest
    if overview.overdue is not None:
        late = duration((now - overview.overdue).total_seconds())
        expected = slot_words(overview.overdue, overview.timezone)
        lines.append(
            f"overdue  expected {expected}, and no run after {late} — is a fanfold serve running?"
        )
    lines.append(f"latest   {_run_words(latest, now) if latest else 'no runs yet'}")
    running = [f"{run.run_id} since {in_or_ago(run.start_time, now)}" for run in overview.running]
    lines.append(f"running  {', '.join(running) or _NOTHING}")
    lines.append(f"next     {_next_words(overview)}")
    if overview.histories:
        lines.append(f"last success  {_successes(overview)}")
    lines += _following(overview)
    return lines


def _run_words(run: Run, now: datetime) -> str:
    mark = _MARKS.get(run.status.value, "…" if run.verdict is None else "✗")
    parts = [run.run_id, f"{mark} {run.about or run.status.value}"]
    if run.end_time is not None:
        parts.append(duration((run.end_time - run.start_time).total_seconds()))
    return "   ".join([*parts, in_or_ago(run.end_time or run.start_time, now)])


def _next_words(overview: Overview) -> str:
    slot = overview.next_slot()
    if slot is None:
        return "unknown" if overview.catalogue is None else "no schedule"
    return f"{slot_words(slot, overview.timezone)} ({in_or_ago(slot, overview.now)})"


def _successes(overview: Overview) -> str:
    known = [
        f"{name} {duration((overview.now - past.last_success).total_seconds())}"
        if past.last_success
        else f"{name} never"
        for name, past in overview.histories.items()
    ]
    more = len(known) - MOST_LISTED
    return "   ".join(known[:MOST_LISTED]) + (f"   and {more} more" if more > 0 else "")


def _following(overview: Overview) -> list[str]:
    if overview.overdue is not None:
        return [next_line(RUN_WHAT_IS_DUE)]
    if overview.running:
        return [next_line(status_of(overview.running[0].run_id))]
    if overview.latest is None:
        return [next_line(FIRST_RUN)]
    if overview.code != OK:
        return [next_line(REPORT_LATEST)]
    return []


def _document(overview: Overview) -> Mapping[str, Any]:
    slot = overview.next_slot()
    return {
        "latest": _run_document(overview.latest) if overview.latest else None,
        "running": [_run_document(run) for run in overview.running],
        "next": instant(slot) if slot else None,
        "next_local": weekday(slot, overview.timezone) if slot else None,
        "overdue": instant(overview.overdue) if overview.overdue else None,
        "last_success": {
            name: instant(past.last_success) if past.last_success else None
            for name, past in overview.histories.items()
        },
    }


def _run_document(run: Run) -> Mapping[str, Any]:
    return {
        "run_id": run.run_id,
        "status": run.status.value,
        "about": run.about,
        "start_time": instant(run.start_time),
        "end_time": instant(run.end_time) if run.end_time else None,
        "summary": run.summary,
        "report": run.report,
    }
