"""The timeline as shapes to draw: when each collector waited, ran, failed and ran again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import count, local, one_line, plural
from fanfold.rendering.rows import Named, row, skipped_last

#: Of more collectors than this, so many of the slowest are drawn, and so many that failed.
MAX_DRAWN = 40

#: The drawing's width; text outside the bars keeps to these margins. All in SVG units.
WIDTH, RIGHT = 880, 76
_TOP, _LETTER = 20, 7.4
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400)
_CLASSES = {"succeeded": "ok", "failed": "bad", "timed_out": "bad", "running": "run"}


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: its place, its class in the style sheet, and a text inside it."""

    kind: str
    x: float
    width: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """One collector's line. ``title`` says everything that the shapes say."""

    y: int
    label: str
    title: str
    boxes: tuple[Box, ...]
    end_x: float
    end_text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything to draw; ``left_out`` says what is not, in words."""

    left: float
    height: int
    lane_height: int
    ticks: tuple[tuple[float, str], ...]
    lanes: tuple[Lane, ...]
    left_out: str


@dataclass(frozen=True, slots=True)
class _Scale:
    start: datetime
    span_s: float
    left: float

    def x(self, seconds: float) -> float:
        share = min(max(seconds / self.span_s, 0.0), 1.0)
        return round(self.left + share * (WIDTH - RIGHT - self.left), 1)

    def since(self, text: str) -> float:
        return (datetime.fromisoformat(text) - self.start).total_seconds()

    def box(self, kind: str, begin_s: float, end_s: float, text: str = "") -> Box:
        x = self.x(begin_s)
        width = max(1.0, round(self.x(end_s) - x, 1))
        return Box(kind, x, width, text if width >= 12 else "")


def timeline(report: Mapping[str, Any]) -> Timeline | None:
    """Return what to draw of *report*, or None if nobody was asked."""
    here = [named for named in report["collectors"].items() if not named[1].get("kept")]
    asked = [named for named in here if named[1]["status"] != "skipped"]
    if not asked:
        return None
    drawn, kept = skipped_last(here), len(report["collectors"]) - len(here)
    left_out = f"{plural(kept, 'answer')} of earlier tries not drawn" if kept else ""
    if len(drawn) > MAX_DRAWN:
        drawn = _worth_drawing(asked)
        others = len(report["collectors"]) - len(drawn)
        left_out = f"The slowest and the failed ones; {count(others)} others are not drawn."
    scale = _scale(report, drawn)
    lane_height = 34 if len(drawn) <= 12 else 24
    return Timeline(
        left=scale.left,
        height=_TOP + lane_height * len(drawn) + 4,
        lane_height=lane_height,
        ticks=_ticks(scale, report["timezone"]),
        lanes=tuple(
            _lane(name, one, scale, _TOP + lane_height * place, report["timezone"])
            for place, (name, one) in enumerate(drawn)
        ),
        left_out=left_out,
    )


def _worth_drawing(asked: Sequence[Named]) -> list[Named]:
    """Return the slowest collectors and, up to as many again, those that failed."""
    bad = [named for named in asked if named[1]["status"] in {"failed", "timed_out"}]
    names = {name for name, _ in bad[:MAX_DRAWN]}
    slowest = sorted(asked, key=lambda named: -named[1]["duration"])[:MAX_DRAWN]
    names |= {name for name, _ in slowest}
    kept = [named for named in asked if named[0] in names]
    return sorted(kept, key=lambda named: named[1]["status"] not in {"failed", "timed_out"})


def _scale(report: Mapping[str, Any], drawn: Sequence[Named]) -> _Scale:
    labels = max(len(_label(name, one)) for name, one in drawn)
    start = datetime.fromisoformat(report["start_time"])
    return _Scale(
        start, max(report["duration_seconds"], 0.05), max(40.0, round(labels * _LETTER + 14, 1))
    )


def _label(name: str, one: Mapping[str, Any]) -> str:
    mark = " ✗" if one["status"] in {"failed", "timed_out"} else ""
    return one_line(name, 24) + mark


def _ticks(scale: _Scale, timezone: str) -> tuple[tuple[float, str], ...]:
    """Return at most seven places on the axis: clock times, or seconds in a short run."""
    if scale.span_s < 10:
        step = scale.span_s / 5
        return tuple((scale.x(step * n), f"+{duration(step * n)}") for n in range(6))
    step_s = next((step for step in _STEPS_S if scale.span_s / step <= 6), scale.span_s / 6)
    start = local(scale.start.isoformat(), timezone)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    offset_s = (start - midnight).total_seconds() % step_s
    form = "%H:%M" if step_s >= 60 else "%H:%M:%S"
    first_s = -offset_s if offset_s < scale.span_s * 0.01 else step_s - offset_s
    places = [first_s + step_s * n for n in range(7) if first_s + step_s * n <= scale.span_s]
    return tuple(
        (scale.x(place), (start + timedelta(seconds=round(place))).strftime(form))
        for place in places
    )


def _lane(name: str, one: Mapping[str, Any], scale: _Scale, y: int, timezone: str) -> Lane:
    shown = row(name, one, timezone)
    if one["start_time"] is None:
        words = [*shown.notes] if one["status"] == "skipped" else [shown.words, *shown.notes]
        text = one_line(" · ".join(words) or shown.words, 90)
        return Lane(y, _label(name, one), f"{shown.name}: {text}", (), scale.left - 2, text)
    begin_s = scale.since(one["start_time"])
    end_s = scale.since(one["end_time"]) if one["end_time"] else begin_s + one["duration"]
    boxes = [
        *_queue(one, scale, begin_s),
        *_ghost(one, scale, begin_s),
        *_attempts(one, scale, begin_s, end_s),
    ]
    title = f"{shown.name}: {shown.words} after {shown.duration}"
    end_x = _text_x(boxes, scale.x(end_s))
    return Lane(y, _label(name, one), title + _told(one), tuple(boxes), end_x, shown.duration)


def _text_x(boxes: Sequence[Box], end_x: float) -> float:
    """Return where the duration stands: after the bar, or after the usual time's if near."""
    ghost_x = max((box.x + box.width for box in boxes if box.kind == "ghost"), default=0.0)
    return round(ghost_x, 1) if end_x < ghost_x < end_x + 50 else end_x


def _queue(one: Mapping[str, Any], scale: _Scale, begin_s: float) -> list[Box]:
    queued_s = one["queued_seconds"]
    return [scale.box("queue", begin_s - queued_s, begin_s)] if queued_s else []


def _ghost(one: Mapping[str, Any], scale: _Scale, begin_s: float) -> list[Box]:
    usual_s = one["median_seconds"]
    return [scale.box("ghost", begin_s, begin_s + usual_s)] if usual_s else []


def _attempts(one: Mapping[str, Any], scale: _Scale, begin_s: float, end_s: float) -> list[Box]:
    """Return a box for each attempt. One without an end reaches to the collector's end."""
    final = _CLASSES.get(one["status"], "skip")
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
        boxes.append(scale.box(kind, begun_s, reached_s, text))
    if not attempts or (one["status"] in {"timed_out", "cancelled"} and end_s - reached_s > 1):
        boxes.append(scale.box(f"{final} open", reached_s, end_s))
    return boxes


def _told(one: Mapping[str, Any]) -> str:
    """Return what the boxes show, in words, for screen readers."""
    words = [f"queued {duration(one['queued_seconds'])}"] if one["queued_seconds"] else []
    for attempt in one["attempts"]:
        outcome = one_line(attempt["error"] or attempt["outcome"], 80)
        words.append(f"attempt {attempt['n']}: {duration(attempt['duration'])}, {outcome}")
    if one["median_seconds"]:
        words.append(f"usually {duration(one['median_seconds'])}")
    return "".join(f"; {word}" for word in words)
