"""Who is running, in the live picture: how long, and how much longer than usual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fanfold.domain.report.causes import Named
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import one_line
from fanfold.rendering.columns import cut, pad
from fanfold.rendering.rows import MAX_NAME
from fanfold.views.progress import told

#: Columns of the longest track, and from which width of the terminal on tracks are drawn.
_TRACK, _TRACKS_FROM = 22, 100

#: Columns of each length of time, and fewest of the names.
_TIME, _FEWEST_FOR_NAMES = 7, 16

_ORDER = ", the most over their usual time first"


def running_lines(running: Sequence[Named], now: datetime, width: int, most: int) -> list[str]:
    """Return a line for each of *running*, the most over its usual time first, under a heading.

    Args:
        running: Who runs or waits for its next attempt.
        now: The present.
        width: Of the terminal, in columns.
        most: Most lines, the heading included; at least 2.
    """
    shown = sorted(running, key=lambda named: -_over_s(named[1]))[: most - 1]
    if len(running) > len(shown):
        shown = shown[: most - 2]
    names = max((len(name) for name, _ in shown), default=0)
    names = min(names, MAX_NAME, max(_FEWEST_FOR_NAMES, width - 5 - _TIME))
    track = _TRACK if width >= max(_TRACKS_FROM, names + 60) else 0
    begin = 2 + names + (track + 2 if track else 0)
    title = f"running: {len(running)}"
    if len(running) > 1 and len(title) + len(_ORDER) <= begin:
        title += _ORDER
    heading = f"{pad(title, begin)}  {'elapsed':>{_TIME}}  {'usually':>{_TIME}}"
    longest_s = max((max(one["duration"], _usual_s(one)) for _, one in shown), default=0)
    lines = [heading]
    for name, one in shown:
        drawn = pad(_track(one, longest_s, track), track) + "  " if track else ""
        usual = duration(_usual_s(one)) if _usual_s(one) else ""
        lines.append(
            f"  {pad(cut(one_line(name, MAX_NAME), names), names)}  {drawn}"
            f"{duration(one['duration']):>{_TIME}}  {usual:>{_TIME}}   {_words(one, now)}".rstrip()
        )
    if len(running) > len(shown):
        lines.append(f"  and {len(running) - len(shown)} more")
    return [cut(line, width) for line in lines]


def _words(one: Mapping[str, Any], now: datetime) -> str:
    over_s = _over_s(one)
    over = [f"{duration(over_s)} over"] if over_s > 0 and _usual_s(one) else []
    return " · ".join([*over, *told(one, now)])


def _usual_s(one: Mapping[str, Any]) -> float:
    usual: float | None = one["median_seconds"]
    return usual or 0.0


def _over_s(one: Mapping[str, Any]) -> float:
    """Return how much longer than usual it takes, below 0 if it does not, in seconds."""
    lasted: float = one["duration"]
    return lasted - _usual_s(one) if _usual_s(one) else -1 / (1 + lasted)


def _track(one: Mapping[str, Any], longest_s: float, columns: int) -> str:
    """Return the time that passed as a bar, ``│`` where the usual time is over."""
    if not longest_s:
        return ""
    lasted_s: float = one["duration"]
    done = round(lasted_s / longest_s * (columns - 1))
    usual = round(_usual_s(one) / longest_s * (columns - 1))
    if not _usual_s(one):
        return "━" * done
    return "━" * min(done, usual) + "─" * (usual - done) + "│" + "━" * (done - usual)
