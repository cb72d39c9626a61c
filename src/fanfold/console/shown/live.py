"""What runs now: how far each run is, when it ends about, and who is being asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import count, local, one_line
from fanfold.views.progress import asked_in, progress_words, time_of, usual_end

#: Most collectors of a run that are drawn; the longest under way come first.
MAX_LANES = 8

_PARTS = (("succeeded", "ok"), ("failed", "bad"), ("timed_out", "late"), ("cancelled", "off"))


@dataclass(frozen=True, slots=True)
class Lane:
    """A collector under way: how long it took so far and takes as a rule, in percent."""

    name: str
    kind: str
    width: float
    usual: float | None
    took: str
    rest: str
    said: str


@dataclass(frozen=True, slots=True)
class Strip:
    """A run under way. ``meter`` has class, place and width of each part, in percent."""

    run_id: str
    of: str
    counted: str
    started: str
    took: str
    ends: str
    deadline: str
    by: str
    is_late: bool
    meter: tuple[tuple[str, float, float], ...]
    lanes: tuple[Lane, ...]
    more: int
    done: int
    asked: int
    failed: tuple[str, ...]


def strip_of(report: Mapping[str, Any], concurrency: int | None) -> Strip:
    """Return what is shown of the run whose report so far is *report*.

    Args:
        report: Of a run under way.
        concurrency: How many collectors are asked at a time, None if that is unknown: then there
            is no estimated end.
    """
    zone, now = report["timezone"], time_of(report)
    asked = asked_in(report)
    counted = Counter(one["status"] for one in asked.values())
    done = sum(number for word, number in counted.items() if word not in ("pending", "running"))
    ends = usual_end(report, concurrency) if concurrency else None
    deadline = local(report["deadline"], zone)
    trigger = report["trigger"]
    waiting = [(n, one) for n, one in asked.items() if one["status"] == "running"]
    waiting.sort(key=lambda named: -named[1]["duration"])
    return Strip(
        run_id=one_line(report["run_id"], 100),
        of=one_line(report["retry_of"] or "", 100),
        counted=_counted(counted, done, len(asked)),
        started=f"{local(report['start_time'], zone):%H:%M}",
        took=duration(report["duration_seconds"]),
        ends=f"{ends.astimezone(deadline.tzinfo):%H:%M}" if ends else "",
        deadline=f"{deadline:%H:%M}",
        by=one_line(trigger["by"] or "", 60) if trigger["kind"] != "schedule" else "",
        is_late=now >= deadline,
        meter=_meter(counted, len(asked)),
        lanes=_lanes(waiting[:MAX_LANES], report),
        more=len(waiting) - MAX_LANES,
        done=done,
        asked=len(asked),
        failed=tuple(
            one_line(name, 63)
            for name, one in asked.items()
            if one["status"] in ("failed", "timed_out")
        ),
    )


def _counted(counted: Counter[str], done: int, asked: int) -> str:
    """Return ``9 of 17 done: 8 succeeded, 1 failed``."""
    words = [
        f"{count(counted[status])} {status.replace('_', ' ')}"
        for status, _ in _PARTS
        if counted[status]
    ]
    told = f": {', '.join(words)}" if len(words) > 1 or counted["succeeded"] < done else ""
    return f"{count(done)} of {count(asked)} done{told}"


def _meter(counted: Counter[str], asked: int) -> tuple[tuple[str, float, float], ...]:
    parts, x = [], 0.0
    for status, kind in _PARTS:
        width = round(100 * counted[status] / max(1, asked), 2)
        if width:
            parts.append((kind, round(x, 2), width))
        x += width
    return tuple(parts)


def _lanes(
    waiting: Sequence[tuple[str, Mapping[str, Any]]], report: Mapping[str, Any]
) -> tuple[Lane, ...]:
    longest = max(
        (max(one["duration"], one["median_seconds"] or 0.0) for _, one in waiting), default=0.0
    )
    scale = 95 / max(longest, 1.0)
    return tuple(_lane(name, one, report, scale) for name, one in waiting)


def _lane(name: str, one: Mapping[str, Any], report: Mapping[str, Any], scale: float) -> Lane:
    took_s, usual_s = one["duration"], one["median_seconds"]
    over_s = took_s - usual_s if usual_s else 0.0
    is_late = bool(usual_s) and over_s > max(30.0, usual_s * 0.25)
    rest = f"of usually {duration(usual_s)}" if usual_s else ""
    rest += f" · {duration(over_s)} over" if is_late else ""
    # The usual time stands in its own place.
    said = progress_words({**one, "median_seconds": None}, time_of(report))
    return Lane(
        name=one_line(name, 63),
        kind="late" if is_late else "run",
        width=round(max(0.3, took_s * scale), 2),
        usual=round(usual_s * scale, 2) if usual_s else None,
        took=duration(took_s),
        rest=rest,
        said=said,
    )
