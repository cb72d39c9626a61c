"""The report as lines for a terminal: a row for each collector, failures and the verdict last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fanfold.domain.report.causes import Named
from fanfold.domain.report.sentences import UNSUCCESSFUL, odd_words
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import count, one_line, plural
from fanfold.rendering.cause_lines import cause_lines
from fanfold.rendering.causes import causes
from fanfold.rendering.colours import painted
from fanfold.rendering.columns import wrap
from fanfold.rendering.rows import (
    MAX_NAME,
    NOTHING,
    group_lines,
    problems,
    run_mark,
    skipped_last,
    when,
    why,
)
from fanfold.rendering.table_rows import Layout, row_lines

#: Of more collectors than this, those that went well have no row and are counted.
MAX_ROWS = 40

#: Most rows that many collectors have of which there is more to say than that all went well.
MAX_ODD_ROWS = 12

#: Most causes of failures that are told.
MAX_CAUSES = 40

#: Most lines of the collectors' logs that are shown, shared between the causes.
MAX_LOG_LINES = 8


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
        width: In columns; what is longer is wrapped, and nothing is cut. 0 or less wraps nothing.
        colour: Whether to mark statuses with ANSI colours too.
        only_failed: Whether to leave out whoever neither failed nor timed out.
    """
    lines = wrap(heading(report), width)
    if not only_failed:
        lines += _rows(report, width, colour=colour)
    failed = _failures(report, width, colour=colour)
    lines += failed
    for line in group_lines(report):
        lines += wrap(line, width, "  ", "    ")
    for change in _late_lines(report):
        lines += wrap(f"late: {change}", width, "  ", "        ")
    if failed:
        lines.append("─" * max(width, 0))
    return [*lines, verdict(report, colour=colour)]


def _rows(report: Mapping[str, Any], width: int, *, colour: bool) -> list[str]:
    layout, zone = Layout.of(report, width), report["timezone"]
    rows = _told_in_rows(report)
    lines = [
        line for name, one in rows for line in row_lines(name, one, zone, layout, colour=colour)
    ]
    if len(report["collectors"]) > MAX_ROWS:
        lines += wrap(_counted(report, rows), width, "  ")
    return lines


def _failures(report: Mapping[str, Any], width: int, *, colour: bool) -> list[str]:
    """Return what went wrong, the most frequent cause last: it stands nearest to the prompt."""
    bad = problems(report)
    if not bad:
        return []
    asked = sum(one["status"] != "skipped" for one in report["collectors"].values())
    words = f" {count(len(bad))} of {count(asked)} did not succeed "
    title = words.center(width, "═") if width > 0 else words.strip()
    lines = [painted(title, "failed", colour=colour)]
    told = causes(bad, report)
    if len(told) > MAX_CAUSES:
        more = f"{plural(len(told) - MAX_CAUSES, 'cause')} more: in the page and the JSON"
        lines += ["", *wrap(more, width)]
    for cause in reversed(told[:MAX_CAUSES]):
        logged = MAX_LOG_LINES // len(told)
        lines += ["", *cause_lines(cause, width, most_log_lines=logged, colour=colour)]
    return [*lines, ""] if width > 0 else lines


def _told_in_rows(report: Mapping[str, Any]) -> list[Named]:
    """Return the collectors with a row: of many, only those of which there is more to say."""
    named = skipped_last(report["collectors"].items())
    rows = [each for each in named if each[1]["status"] not in UNSUCCESSFUL]
    if len(named) <= MAX_ROWS:
        return rows
    odd = [(name, one) for name, one in rows if _is_odd(one)]
    return odd[:MAX_ODD_ROWS]


def _is_odd(one: Mapping[str, Any]) -> bool:
    has_more = bool(one["warnings"] or odd_words(one))
    return one["status"] not in {"succeeded", "skipped"} or has_more


def _counted(report: Mapping[str, Any], rows: list[Named]) -> str:
    """Return how many of many collectors have no row: ``✓ 277 succeeded``, and how many skipped."""
    told = {name for name, _ in rows}
    left = [one for name, one in report["collectors"].items() if name not in told]
    odd = [one for one in left if one["status"] == "succeeded" and _is_odd(one)]
    more = "more " if rows else ""
    kinds = (
        ("✓", sum(one["status"] == "succeeded" for one in left) - len(odd), f"{more}succeeded"),
        ("!", len(odd), "more succeeded with a warning"),
        (NOTHING, sum(one["status"] == "cancelled" for one in left), f"{more}cancelled"),
        ("…", sum(one["status"] in {"running", "pending"} for one in left), f"{more}not done"),
        (NOTHING, sum(one["status"] == "skipped" for one in left), "skipped"),
    )
    return "   ".join(f"{mark} {count(number)} {words}" for mark, number, words in kinds if number)


def heading(report: Mapping[str, Any]) -> str:
    """Return the line above the table: which run, when, who asked for it."""
    revision = f" (revision {report['revision']})" if report["revision"] > 1 else ""
    return f"run {one_line(report['run_id'], 100)}{revision} · {when(report)} · {why(report)}"


def verdict(report: Mapping[str, Any], *, colour: bool = False) -> str:
    """Return the last line: the run's mark, its sentence and how long it took. Never cut."""
    lasted = report["duration_seconds"]
    line = f"{run_mark(report)} {one_line(report['about'], 1000)}"
    line += f"   {duration(lasted)}" if lasted else ""
    return painted(line, report["status"], colour=colour)


def _late_lines(report: Mapping[str, Any]) -> list[str]:
    if report["changes"]:
        return [one_line(change) for change in report["changes"]]
    return [
        f"{one_line(late['collector'], MAX_NAME)} {late['outcome']},"
        f" {duration(late['late_seconds'])} after its answer was fixed"
        for late in report["late"]
    ]
