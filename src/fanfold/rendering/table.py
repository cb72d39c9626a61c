"""The report as lines for a terminal: a row for each collector, failures and the verdict last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fanfold.domain.report.sentences import odd_words
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import count, one_line, plural
from fanfold.rendering.cause_lines import cause_lines
from fanfold.rendering.causes import causes
from fanfold.rendering.columns import cells, cut, wrap
from fanfold.rendering.rows import (
    MAX_NAME,
    NOTHING,
    Named,
    Row,
    problems,
    row,
    run_mark,
    skipped_last,
    when,
    why,
)

#: Names longer than this push their line's columns to the right.
MAX_NAME_COLUMN = 30

#: Of more collectors than this, those that went well have no row and are counted.
MAX_ROWS = 40

#: Most causes of failures that are told.
MAX_CAUSES = 40

#: Most lines of the collectors' logs that are shown, shared between the causes.
MAX_LOG_LINES = 8

#: Below this width the size of what was gathered is left out.
NARROW = 76

_RESET = "\x1b[0m"
_COLOURS = {
    "succeeded": "\x1b[32m",
    "failed": "\x1b[31m",
    "timed_out": "\x1b[31m",
    "rejected": "\x1b[31m",
    "missed": "\x1b[31m",
    "running": "\x1b[36m",
}
_DIM = "\x1b[2m"

#: Statuses that are written out: another has the same mark, or no figure shows them.
_NEEDS_WORDS = ("timed_out", "cancelled", "running", "pending")


def table_lines(
    report: Mapping[str, Any],
    *,
    width: int = 100,
    colour: bool = False,
    only_failed: bool = False,
) -> list[str]:
    """Return the report for a terminal of *width* columns: failures last, then the verdict.

    Of more than :data:`MAX_ROWS` collectors, those that went well are only counted.

    Args:
        report: As :func:`~fanfold.domain.report.fold.fold` returns it.
        width: In columns; a row is cut with ``…``, a failure is wrapped. 0 or less does neither.
        colour: Whether to mark statuses with ANSI colours too.
        only_failed: Whether to leave out whoever neither failed nor timed out.
    """
    lines = [heading(report)]
    if not only_failed:
        lines += _rows(report, width, colour=colour)
    lines += _failures(report, width, colour=colour)
    for change in _late_lines(report):
        lines += wrap(f"late: {change}", width, "  ", "        ")
    return [*lines, verdict(report, colour=colour)]


def _rows(report: Mapping[str, Any], width: int, *, colour: bool) -> list[str]:
    lines = [
        collector_row(
            name,
            one,
            timezone=report["timezone"],
            name_width=name_column(report),
            width=width,
            colour=colour,
        )
        for name, one in _told_in_rows(report)
    ]
    if len(report["collectors"]) > MAX_ROWS:
        lines.append(_counted(report))
    return lines


def _failures(report: Mapping[str, Any], width: int, *, colour: bool) -> list[str]:
    """Return what went wrong, the most frequent cause last: it stands nearest to the prompt."""
    bad = problems(report)
    if not bad:
        return []
    asked = sum(one["status"] != "skipped" for one in report["collectors"].values())
    words = f" {count(len(bad))} of {count(asked)} did not succeed "
    lines = [words.center(width, "═") if width > 0 else words.strip()]
    told = causes(bad, report)
    if len(told) > MAX_CAUSES:
        lines.append(f"  {plural(len(told) - MAX_CAUSES, 'cause')} more: in the page and the JSON")
    for cause in reversed(told[:MAX_CAUSES]):
        title, rest = cause_lines(cause, width, most_log_lines=MAX_LOG_LINES // len(told))
        lines += [*(_coloured(line, "failed", colour) for line in title), *rest]
    return lines


def _told_in_rows(report: Mapping[str, Any]) -> list[Named]:
    """Return the collectors with a row: of many, only those of which there is more to say."""
    named = skipped_last(report["collectors"].items())
    rows = [each for each in named if each[1]["status"] not in {"failed", "timed_out"}]
    if len(named) <= MAX_ROWS:
        return rows
    quiet = {"succeeded", "skipped"}
    return [
        (name, one)
        for name, one in rows
        if one["status"] not in quiet or one["warnings"] or odd_words(one)
    ]


def _counted(report: Mapping[str, Any]) -> str:
    """Return how many of many collectors have no row: ``✓ 277 succeeded``, and how many skipped."""
    rows = {name for name, _ in _told_in_rows(report)}
    left = [one["status"] for name, one in report["collectors"].items() if name not in rows]
    marks = {"succeeded": "✓", "skipped": NOTHING}
    parts = [
        f"{mark} {count(left.count(status))} {'more ' if rows and mark == '✓' else ''}{status}"
        for status, mark in marks.items()
        if status in left
    ]
    return "  " + "   ".join(parts)


def collector_row(
    name: str,
    one: Mapping[str, Any],
    *,
    timezone: str = "UTC",
    name_width: int = 16,
    width: int = 100,
    colour: bool = False,
) -> str:
    """Return one collector's line: ``  ✓ dvf   31 874 records   4.1 MB   39s   unchanged``."""
    shown = row(name, one, timezone)
    columns = [_pad(shown.name, name_width), *_figures(shown, one["records"], width)]
    line = f"{shown.mark} {'  '.join(columns)}   {_note(shown)}"
    return "  " + _coloured(cut(line.rstrip(), width - 2 if width > 0 else 0), shown.status, colour)


def heading(report: Mapping[str, Any]) -> str:
    """Return the line above the table: which run, when, who asked for it. Never cut."""
    revision = f" (revision {report['revision']})" if report["revision"] > 1 else ""
    return f"run {one_line(report['run_id'], 100)}{revision} · {when(report)} · {why(report)}"


def verdict(report: Mapping[str, Any], *, colour: bool = False) -> str:
    """Return the last line: the run's mark, its sentence and how long it took. Never cut."""
    lasted = report["duration_seconds"]
    line = f"{run_mark(report)} {one_line(report['about'], 1000)}"
    return _coloured(line + (f"   {duration(lasted)}" if lasted else ""), report["status"], colour)


def name_column(report: Mapping[str, Any]) -> int:
    """Return how many columns the collectors' names need."""
    return min(max(map(cells, report["collectors"]), default=0), MAX_NAME_COLUMN)


def _figures(shown: Row, records: int | None, width: int) -> list[str]:
    counted = "" if records is None else plural(records, "record")
    size = [] if 0 < width < NARROW else [_blank_or(shown.size, 8)]
    return [counted.rjust(17), *size, _blank_or(shown.duration, 7)]


def _note(shown: Row) -> str:
    words = [shown.words] if shown.status in _NEEDS_WORDS else []
    tries = [] if shown.attempts in {NOTHING, "1"} else [f"{shown.attempts} attempts"]
    return " · ".join([*words, *shown.notes[:1], *tries, *shown.notes[1:]])


def _late_lines(report: Mapping[str, Any]) -> list[str]:
    if report["changes"]:
        return [one_line(change) for change in report["changes"]]
    return [
        f"{one_line(late['collector'], MAX_NAME)} {late['outcome']},"
        f" {duration(late['late_seconds'])} after its answer was fixed"
        for late in report["late"]
    ]


def _blank_or(text: str, width: int) -> str:
    return ("" if text == NOTHING else text).rjust(width)


def _pad(text: str, width: int) -> str:
    return text + " " * (width - cells(text))


def _coloured(line: str, status: str, colour: bool) -> str:  # noqa: FBT001 - as the callers say it
    return f"{_COLOURS.get(status, _DIM)}{line}{_RESET}" if colour else line
