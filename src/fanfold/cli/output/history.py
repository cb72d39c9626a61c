"""What ``fanfold history`` prints: a line for each run, missed slot and refused request."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import json_text
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import one_line, plural, weekday
from fanfold.views.past import Listed, listed_document

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


def print_history(rows: Sequence[Listed], form: str) -> None:
    """Print *rows* on stdout as *form*: table, json or csv."""
    if form == "json":
        out(json_text([listed_document(row) for row in rows]))
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
        document = listed_document(row)
        writer.writerow({**document, "retried_by": " ".join(row.retried_by)})
    return written.getvalue()


_COLUMNS = (
    *("run_id", "status", "slot", "start_time", "end_time", "seconds", "records"),
    *("retry_of", "retried_by", "about"),
)
