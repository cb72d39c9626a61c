"""What ``fanfold report --compare`` prints: what is new, what is over, and what moved by much."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from fanfold.domain.report.compare import MOVED, SLOWER_BY_S
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import change, count, one_line, percent, weekday
from fanfold.rendering.colours import painted
from fanfold.rendering.columns import cells, in_columns, pad, wrap
from fanfold.rendering.rows import MAX_NAME

#: Most collectors that each heading lists; the JSON has all.
MOST_LISTED = 40

Pair = Mapping[str, Any]


def comparison_lines(
    compared: Mapping[str, Any], timezone: str, *, width: int, colour: bool = False
) -> list[str]:
    """Return what *compared* says for a terminal of *width* columns, the verdict last.

    Args:
        compared: As :func:`fanfold.domain.report.compare.compare` returns it.
        timezone: The zone in which times are shown.
        width: In columns; 0 or less wraps nothing.
        colour: Whether to mark outcomes with ANSI colours too.
    """
    run, before = compared["run"], compared["before"]
    title = f"run {_run_words(run, timezone)}, compared with {_run_words(before, timezone)}"
    lines = wrap(title, width)
    for key, heading in (("still_failing", "still failing"), ("new_failures", "new failures")):
        lines += _failed(compared, key, heading, width, colour=colour)
    recovered = compared["recovered"]
    if recovered:
        lines.append(painted(f"recovered: {count(len(recovered))}", "succeeded", colour=colour))
        lines += _names(recovered, width)
    lines += _figures(compared, "records_moved", f"records, by {percent(MOVED)} or more", _records)
    lines += _figures(
        compared,
        "durations_moved",
        f"durations, by half and {duration(SLOWER_BY_S)} at least",
        _durations,
    )
    for key, heading in (("added", "not in the other run"), ("removed", "only in the other run")):
        if compared[key]:
            lines += [f"{heading}: {count(len(compared[key]))}", *_names(compared[key], width)]
    took = f"{duration(run['duration_seconds'])}, before {duration(before['duration_seconds'])}"
    bad = bool(compared["new_failures"])
    verdict = f"{'✗' if bad else '✓'} {compared['about']}   {took}"
    return [*lines, painted(verdict, "failed" if bad else "succeeded", colour=colour)]


def _run_words(run: Mapping[str, Any], timezone: str) -> str:
    at = datetime.fromisoformat(run["scheduled_for"] or run["start_time"])
    return f"{one_line(run['run_id'], 100)} ({weekday(at, timezone)})"


def _failed(
    compared: Mapping[str, Any], key: str, heading: str, width: int, *, colour: bool
) -> list[str]:
    names = compared[key]
    if not names:
        return []
    lines = [painted(f"{heading}: {count(len(names))}", "failed", colour=colour)]
    for name in names[:MOST_LISTED]:
        one = compared["collectors"][name]
        mark = "◷" if one["status"] == "timed_out" else "✗"
        why = one_line(one["error"] or one["status"].replace("_", " "))
        lines += wrap(f"{one_line(name, MAX_NAME)}: {why}", width, f"  {mark} ", "    ")
    return lines + _more(names)


def _figures(
    compared: Mapping[str, Any],
    key: str,
    heading: str,
    words: Callable[[Pair], tuple[float, str, str]],
) -> Iterator[str]:
    """Give a line for each collector whose figure moved, the one that moved most first."""
    moved = [
        (one_line(name, MAX_NAME), *words(compared["collectors"][name])) for name in compared[key]
    ]
    if not moved:
        return
    yield f"{heading}: {count(len(moved))}"
    shown = sorted(moved, key=lambda each: -each[1])[:MOST_LISTED]
    names = max(cells(name) for name, *_ in shown)
    figures = max(cells(figure) for _, _, figure, _ in shown)
    for name, _, figure, difference in shown:
        yield f"  {pad(name, names)}  {pad(figure, figures)}  {difference}".rstrip()
    yield from _more(compared[key])


def _records(one: Pair) -> tuple[float, str, str]:
    now, before = one["records"], one["records_before"]
    share = abs(now - before) / before if before else float("inf")
    return share, f"{count(now)} after {count(before)}", change(now, before)


def _durations(one: Pair) -> tuple[float, str, str]:
    moved_s = one["seconds"] - one["seconds_before"]
    sign = "+" if moved_s > 0 else "\N{MINUS SIGN}"
    figure = f"{duration(one['seconds'])} after {duration(one['seconds_before'])}"
    return abs(moved_s), figure, f"{sign}{duration(abs(moved_s))}"


def _names(names: Sequence[str], width: int) -> list[str]:
    shown = [one_line(name, MAX_NAME) for name in names[:MOST_LISTED]]
    return in_columns(shown, width, "  ") + _more(names)


def _more(names: Sequence[str]) -> list[str]:
    left = len(names) - MOST_LISTED
    return [f"  and {count(left)} more: --format json has all"] if left > 0 else []
