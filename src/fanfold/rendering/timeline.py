"""The timeline as shapes to draw: when each collector waited, ran, failed and ran again.

Places are percents of the width, so that the drawing stretches and its text keeps its size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fanfold.domain.report.causes import Named
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import count, local, one_line, plural
from fanfold.rendering.causes import by_cause
from fanfold.rendering.rows import BAD, icon_of, problems_first, row, skipped_last

#: Of more collectors than this, those are drawn that did not succeed, the slowest and those that
#: ran late; and at most so many of each.
MAX_DRAWN, MAX_BAD, MAX_SLOWEST, MAX_LATE = 40, 40, 5, 10

#: A collector ran late that took longer than usual by this factor and by so many seconds.
LATE_FACTOR, LATE_BY_S = 1.5, 30.0

#: How near to an edge a clock time must not be centred any more, in percent.
_EDGE = 3.0
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400)
_CLASSES = {"succeeded": "ok", "failed": "bad", "timed_out": "late", "running": "run"}


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: its class in the style sheet, its place in percent, what it says of itself."""

    kind: str
    x: float
    width: float
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """One collector's line. ``title`` says everything that the boxes say; ``note`` is for none."""

    name: str
    icon: str
    title: str
    boxes: tuple[Box, ...]
    note: str
    took: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A clock time on the axis: its place in percent and the end of the text that stands there."""

    x: float
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything to draw. ``drawn`` says who is, in words, where somebody is left out."""

    ticks: tuple[Tick, ...]
    lanes: tuple[Lane, ...]
    drawn: str


@dataclass(frozen=True, slots=True)
class _Scale:
    start: datetime
    span_s: float
    timezone: str

    def x(self, seconds: float) -> float:
        return round(min(max(seconds / self.span_s, 0.0), 1.0) * 100, 2)

    def since(self, text: str) -> float:
        return (datetime.fromisoformat(text) - self.start).total_seconds()

    def box(self, kind: str, begin_s: float, end_s: float, title: str, text: str = "") -> Box:
        x = min(self.x(begin_s), 99.8)
        width = max(0.2, round(self.x(end_s) - x, 2))
        return Box(kind, x, width, title, text if width >= 1.5 else "")

    def clock(self, seconds: float, form: str = "%H:%M:%S") -> str:
        there = self.start + timedelta(seconds=seconds)
        return local(there.isoformat(), self.timezone).strftime(form)


def timeline(
    report: Mapping[str, Any], *, asked: int | None = None, bad: int | None = None
) -> Timeline | None:
    """Return what to draw of *report*, or None if nobody was asked.

    Where its collectors are only those that are worth a line, *asked* says how many were asked, and
    *bad* how many of those did not succeed.
    """
    here = [named for named in report["collectors"].items() if not named[1].get("kept")]
    here_asked = [named for named in here if named[1]["status"] != "skipped"]
    if not here_asked:
        return None
    lanes, kept = skipped_last(problems_first(here)), len(report["collectors"]) - len(here)
    words = f"{plural(kept, 'answer')} of earlier tries not drawn" if kept else ""
    if len(here) > MAX_DRAWN or asked is not None:
        lanes, words = _worth_drawing(here_asked, asked or len(here_asked), bad)
    start = datetime.fromisoformat(report["start_time"])
    scale = _Scale(start, max(report["duration_seconds"], 0.05), report["timezone"])
    return Timeline(
        ticks=_ticks(scale),
        lanes=tuple(_lane(name, one, scale) for name, one in lanes),
        drawn=words,
    )


def ran_late(one: Mapping[str, Any]) -> bool:
    """Return whether a collector took much longer than it usually does."""
    usual_s = one["median_seconds"]
    if not usual_s or one["start_time"] is None:
        return False
    return bool(one["duration"] > max(usual_s * LATE_FACTOR, usual_s + LATE_BY_S))


def _worth_drawing(
    asked: Sequence[Named], number: int, bad_number: int | None
) -> tuple[list[Named], str]:
    """Return who did not succeed, who ran late and the slowest; and in words who that is.

    *number* is how many were asked, *bad_number* how many of those did not succeed.
    """
    bad = by_cause([named for named in asked if named[1]["status"] in BAD])
    all_bad = len(bad) if bad_number is None else bad_number
    slowest = sorted(asked, key=lambda named: -named[1]["duration"])
    others = [named for named in slowest if named[1]["status"] not in BAD]
    late = [named for named in others if ran_late(named[1])][:MAX_LATE]
    slow = [named for named in others if named not in late][:MAX_SLOWEST]
    first = f"the first {count(MAX_BAD)} of " if all_bad > MAX_BAD else "the "
    parts = [f"{first}{count(all_bad)} that did not succeed"] if bad else []
    parts += [f"{count(len(late))} that ran late"] if late else []
    parts += [f"the {count(len(slow))} slowest"] if slow else []
    words = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
    return [*bad[:MAX_BAD], *late, *slow], f"{words} of {count(number)}"


def _ticks(scale: _Scale) -> tuple[Tick, ...]:
    """Return at most six clock times for the axis, whole ones where the run is long enough."""
    if scale.span_s < 3:
        ends = [(0.0, "start"), (scale.span_s, "end")]
        return tuple(
            Tick(scale.x(at), scale.clock(at, "%H:%M:%S.%f")[:-3], anchor) for at, anchor in ends
        )
    step_s = next((step for step in _STEPS_S if scale.span_s / step <= 5), scale.span_s / 5)
    start = local(scale.start.isoformat(), scale.timezone)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    offset_s = (start - midnight).total_seconds() % step_s
    form = "%H:%M" if step_s >= 60 else "%H:%M:%S"
    first_s = -offset_s if offset_s < scale.span_s * 0.01 else step_s - offset_s
    places = [first_s + step_s * n for n in range(6) if first_s + step_s * n <= scale.span_s]
    # A tick that stands at a whole minute must not fall a millisecond short of it.
    return tuple(
        Tick(scale.x(place), scale.clock(place + 0.5, form), _anchor(scale.x(place)))
        for place in places
    )


def _anchor(x: float) -> str:
    return "start" if x < _EDGE else "end" if x > 100 - _EDGE else "middle"


def _lane(name: str, one: Mapping[str, Any], scale: _Scale) -> Lane:
    shown = row(name, one, scale.timezone)
    icon = icon_of(one)
    if one["start_time"] is None:
        words = [*shown.notes] if one["status"] == "skipped" else [shown.words, *shown.notes]
        text = one_line(" · ".join(words) or shown.words, 300)
        return Lane(shown.name, icon, f"{shown.name}: {text}", (), text, "")
    begin_s = scale.since(one["start_time"])
    end_s = scale.since(one["end_time"]) if one["end_time"] else begin_s + one["duration"]
    boxes = [
        *_queue(one, scale, begin_s),
        *_wait(one, scale, begin_s),
        *_attempts(one, scale, begin_s, end_s),
        *_ghost(one, scale, begin_s),
    ]
    title = f"{shown.name}: {shown.words} after {shown.duration}{_told(one)}"
    return Lane(shown.name, icon, title, tuple(boxes), "", shown.duration)


def _queue(one: Mapping[str, Any], scale: _Scale, begin_s: float) -> list[Box]:
    queued_s = one["queued_seconds"]
    if not queued_s:
        return []
    waited_s = one.get("waited_seconds") or 0.0
    end_s = begin_s - (waited_s if len(one["attempts"]) <= 1 else 0.0)
    return [scale.box("queue", end_s - queued_s, end_s, f"queued {duration(queued_s)}")]


def _wait(one: Mapping[str, Any], scale: _Scale, begin_s: float) -> list[Box]:
    """Return a box for the wait for the source; one between two attempts is where no box is."""
    waited_s = one.get("waited_seconds")
    if not waited_s or len(one["attempts"]) > 1:
        return []
    words = f"waited {duration(waited_s)} for {one_line(one['upstream'] or 'its source', 100)}"
    return [scale.box("wait", begin_s - waited_s, begin_s, words)]


def _ghost(one: Mapping[str, Any], scale: _Scale, begin_s: float) -> list[Box]:
    usual_s = one["median_seconds"]
    if not usual_s:
        return []
    return [scale.box("ghost", begin_s, begin_s + usual_s, f"usually {duration(usual_s)}")]


def _attempts(one: Mapping[str, Any], scale: _Scale, begin_s: float, end_s: float) -> list[Box]:
    """Return a box for each attempt. One without an end reaches to the collector's end."""
    final = _CLASSES.get(one["status"], "off")
    attempts = one["attempts"]
    boxes: list[Box] = []
    reached_s = begin_s
    for attempt in attempts:
        begun_s = scale.since(attempt["start_time"])
        last = attempt is attempts[-1]
        open_end = attempt["end_time"] is None or (last and attempt["outcome"] == "accepted")
        reached_s = end_s if open_end else scale.since(attempt["end_time"])
        kind = final if last else "bad"
        text = str(attempt["n"]) if len(attempts) > 1 else ""
        title = f"{scale.clock(begun_s)}, {_attempt_words(attempt)}"
        boxes.append(scale.box(kind, begun_s, reached_s, title, text))
    if not attempts or (one["status"] in {"timed_out", "cancelled"} and end_s - reached_s > 1):
        boxes.append(scale.box(f"{final} open", reached_s, end_s, "no answer any more"))
    return boxes


def _attempt_words(attempt: Mapping[str, Any]) -> str:
    met = one_line(attempt["error"] or attempt["outcome"], 80)
    return f"attempt {attempt['n']}: {duration(attempt['duration'])}, {met}"


def _told(one: Mapping[str, Any]) -> str:
    """Return what the boxes show, in words, for screen readers."""
    words = [f"queued {duration(one['queued_seconds'])}"] if one["queued_seconds"] else []
    if one.get("waited_seconds"):
        words.append(f"waited {duration(one['waited_seconds'])} for {one['upstream']}")
    words += map(_attempt_words, one["attempts"])
    if one["median_seconds"]:
        words.append(f"usually {duration(one['median_seconds'])}")
    return "".join(f"; {word}" for word in words)
