"""The report as lines for a terminal: one for each collector, and the verdict last."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import one_line, plural
from fanfold.rendering.rows import MAX_NAME, NOTHING, Row, row, run_mark, skipped_last, when, why

#: Names longer than this push their line's columns to the right.
MAX_NAME_COLUMN = 30

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


def table_lines(report: Mapping[str, Any], *, width: int = 100, colour: bool = False) -> list[str]:
    """Return the whole report for a terminal of *width* columns; the verdict is the last line.

    Args:
        report: As :func:`~fanfold.domain.report.fold.fold` returns it.
        width: In columns; lines are cut with ``…``. 0 or less cuts nothing.
        colour: Whether to mark statuses with ANSI colours too.
    """
    lines = [heading(report)]
    name_width = name_column(report)
    for name, one in skipped_last(report["collectors"].items()):
        lines.append(
            collector_row(
                name,
                one,
                timezone=report["timezone"],
                name_width=name_width,
                width=width,
                colour=colour,
            )
        )
    lines += [cut(f"  late: {change}", width) for change in _late_lines(report)]
    return [*lines, verdict(report, colour=colour)]


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


def cells(text: str) -> int:
    """Return how many columns of a terminal *text* takes."""
    if text.isascii():
        return len(text)
    return sum(map(_cell, text))


def cut(text: str, width: int) -> str:
    """Return *text*, shortened to *width* columns with ``…`` if it is longer and width is > 0."""
    if width <= 0 or cells(text) <= width:
        return text
    kept, used = 0, 1
    while used + _cell(text[kept]) <= width:
        used += _cell(text[kept])
        kept += 1
    return text[:kept].rstrip() + "…"


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


def _cell(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _coloured(line: str, status: str, colour: bool) -> str:  # noqa: FBT001 - as the callers say it
    return f"{_COLOURS.get(status, _DIM)}{line}{_RESET}" if colour else line
