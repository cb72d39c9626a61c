"""What ``fanfold history`` prints: a line for each run, missed slot and refused request."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import json_text
from fanfold.domain.model.run import PastRun, Run
from fanfold.domain.rules.standing import OUTCOMES
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import instant, one_line, plural, weekday

#: Most characters of a run's sentence that a line of the table shows.
MOST_OF_SENTENCE = 200

_MARKS = {
    "succeeded": "✓",
    "cancelled": "⊘",
    "timed_out": "◷",
    "missed": "▢",
    "skipped": "-",
    "running": "…",
    "dispatching": "…",
    "planned": "·",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A run of the list.

    ``outcome`` is what became in it of the one collector that was asked for, if one was;
    ``retried_by`` are the runs of the list that repeat what failed in it, oldest first.
    ``made_up_by`` is the run of the list that was made for the slot, if this one was missed.
    """

    run: Run
    outcome: PastRun | None = None
    retried_by: Sequence[str] = ()
    made_up_by: str | None = None

    @property
    def status(self) -> str:
        """The collector's outcome, or the run's status."""
        if self.outcome is None:
            return self.run.status.value
        return OUTCOMES.get(self.outcome.figures.outcome, "skipped")

    @property
    def seconds(self) -> float | None:
        """How long the run took, None if it goes on or never ran."""
        if self.run.end_time is None or self.run.is_notice:
            return None
        return (self.run.end_time - self.run.start_time).total_seconds()


def print_history(rows: Sequence[Listed], form: str) -> None:
    """Print *rows* on stdout as *form*: table, json or csv."""
    if form == "json":
        out(json_text([_document(row) for row in rows]))
    elif form == "csv":
        out(_csv(rows).rstrip("\n"))
    else:
        for line in _lines(rows):
            out(line)


def _lines(rows: Sequence[Listed]) -> Iterator[str]:
    width = max((len(row.run.run_id) for row in rows), default=0)
    zone = next((row.run.timezone for row in rows if not row.run.is_notice), "UTC")
    for row in rows:
        run, seconds = row.run, row.seconds
        took = "\N{EN DASH}" if seconds is None else duration(seconds)
        began = weekday(run.scheduled_for or run.start_time, zone)
        yield (
            f"{_MARKS.get(row.status, '✗')} {run.run_id:<{width}}  {began:<16}  {took:>7}  "
            f"{_sentence(row)}"
        )


def _sentence(row: Listed) -> str:
    run, parts = row.run, []
    if row.outcome is not None:
        records = row.outcome.figures.records
        counted = f", {plural(records, 'record')}" if records is not None else ""
        parts.append(f"{row.status.replace('_', ' ')}{counted}")
    else:
        parts.append(one_line(run.about, MOST_OF_SENTENCE) or run.status.value)
    if run.trigger.kind == "ad_hoc" and not run.is_notice and run.retry_of is None:
        began = "" if run.scheduled_for is None else f", {weekday(run.start_time, run.timezone)}"
        parts.append(f"by hand{began}")
    if row.made_up_by is not None:
        parts.append(f"made up for by {row.made_up_by}")
    if run.retry_of is not None:
        parts.append(f"retry of {run.retry_of}")
    if row.retried_by:
        parts.append(f"retried by {', '.join(row.retried_by)}")
    return "   ".join(parts)


def _csv(rows: Sequence[Listed]) -> str:
    written = io.StringIO()
    writer = csv.DictWriter(written, _COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        document = _document(row)
        writer.writerow({**document, "retried_by": " ".join(row.retried_by)})
    return written.getvalue()


_COLUMNS = (
    *("run_id", "status", "slot", "start_time", "end_time", "seconds", "records"),
    *("retry_of", "retried_by", "about"),
)


def _document(row: Listed) -> Mapping[str, Any]:
    run = row.run
    return {
        "run_id": run.run_id,
        "status": row.status,
        "run_status": run.status.value,
        "about": run.about,
        "slot": _at(run.scheduled_for),
        "start_time": _at(run.start_time),
        "end_time": _at(run.end_time),
        "seconds": row.seconds,
        "records": row.outcome.figures.records
        if row.outcome is not None
        else (run.summary or {}).get("records"),
        "trigger": run.trigger.kind,
        "reason": run.trigger.reason,
        "retry_of": run.retry_of,
        "retried_by": list(row.retried_by),
        "made_up_by": row.made_up_by,
        "report": run.report,
    }


def _at(moment: datetime | None) -> str | None:
    return instant(moment) if moment else None
