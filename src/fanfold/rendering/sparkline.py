"""A collector's last record counts as a small line from zero, so that noise looks flat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fanfold.domain.syntax.text import count
from fanfold.rendering.rows import icon_of

#: How many runs a line shows, this one included.
LINE_RUNS = 14

#: The line's size in SVG units; its ends keep so far from the edges.
LINE_WIDTH, LINE_HEIGHT, _MARGIN = 104, 20, 3


@dataclass(frozen=True, slots=True)
class Sparkline:
    """A collector's last counts. ``end_y`` is where the last one lies, ``kind`` its colour.

    ``is_broken`` says that this run has no count: its sign stands where the line would end.
    """

    points: str
    end_x: float
    end_y: float
    kind: str
    is_broken: bool
    title: str


def line(one: Mapping[str, Any]) -> Sparkline | None:
    """Return the line through the record counts of the last runs and this one, if there are two."""
    known = [number for number in one["history"]["records"] if number is not None]
    is_broken = one["records"] is None
    if not is_broken:
        known = [*known, one["records"]]
    known = known[-LINE_RUNS:]
    if len(known) < 2:
        return None
    most = max(*known, 1)
    # A run without a count takes the last place.
    step = (LINE_WIDTH - 2 * _MARGIN) / (len(known) - (0 if is_broken else 1))
    height = LINE_HEIGHT - 2 * _MARGIN
    ys = [round(_MARGIN + (1 - number / most) * height, 1) for number in known]
    last = "none" if is_broken else count(known[-1])
    return Sparkline(
        points=" ".join(f"{round(place * step, 1):g},{y:g}" for place, y in enumerate(ys)),
        end_x=LINE_WIDTH - 2 * _MARGIN,
        end_y=ys[-1],
        kind=icon_of(one),
        is_broken=is_broken,
        title=f"records of the last {len(known)} runs: {count(min(known))} to {count(max(known))},"
        f" last {last}",
    )
