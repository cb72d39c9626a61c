"""A collector's past as small drawings: a line of its last counts, a strip of its last outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from fanfold.domain.syntax.text import count
from fanfold.rendering.rows import MAX_NAME, Named

#: How many runs a line and a strip show, this one included.
LINE_RUNS, STRIP_RUNS = 14, 30

#: The line's size, in SVG units.
LINE_WIDTH, LINE_HEIGHT = 104, 26

_LETTERS = {
    "succeeded": "s",
    "failed": "f",
    "timed_out": "t",
    "cancelled": "c",
    "skipped": "k",
    "running": "r",
    "pending": "r",
}

#: Class, sign and word of each outcome. The sign is for who cannot tell the colours apart.
_SQUARES = {
    "s": ("ok", "", "succeeded"),
    "f": ("bad", "\N{MULTIPLICATION SIGN}", "failed"),
    "t": ("bad", "!", "timed out"),
    "c": ("skip", "-", "cancelled"),
    "k": ("skip", "", "skipped"),
    "m": ("miss", "", "no run happened"),
    "r": ("run", "", "not answered yet"),
}


@dataclass(frozen=True, slots=True)
class Sparkline:
    """A collector's last counts. ``usual_y`` is where their median lies."""

    points: str
    usual_y: int
    end_y: int
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Square:
    """One run of the past."""

    x: int
    kind: str
    sign: str
    title: str


@dataclass(frozen=True, slots=True)
class Strip:
    """A collector's last runs, this one at the right."""

    name: str
    squares: tuple[Square, ...]
    title: str


def line(one: Mapping[str, Any]) -> Sparkline | None:
    """Return the line through the record counts of the last runs and this one, if there are two."""
    known = [number for number in one["history"]["records"] if number is not None]
    if one["records"] is not None:
        known = [*known, one["records"]]
    known = known[-LINE_RUNS:]
    if len(known) < 2:
        return None
    most = max(*known, 1)
    step = LINE_WIDTH / (len(known) - 1)
    ys = [round((1 - number / most) * LINE_HEIGHT) for number in known]
    return Sparkline(
        points=" ".join(f"{round(place * step)},{y}" for place, y in enumerate(ys)),
        usual_y=round((1 - median(known) / most) * LINE_HEIGHT),
        end_y=ys[-1],
        kind=_end_kind(one),
        title=f"{len(known)} runs, from {count(known[0])} to {count(known[-1])} records,"
        f" median {count(median(known))}",
    )


def _end_kind(one: Mapping[str, Any]) -> str:
    if one["records"] is None:
        return "skip"
    return "bad" if one["status"] in {"failed", "timed_out"} else "ok"


def strip(named: Named) -> Strip:
    """Return the squares of a collector's last runs."""
    name, one = named
    letters = (one["history"]["outcomes"] + _LETTERS[one["status"]])[-STRIP_RUNS:]
    first = STRIP_RUNS - len(letters)
    squares = []
    for place, letter in enumerate(letters):
        kind, sign, word = _SQUARES.get(letter, _SQUARES["k"])
        back = len(letters) - 1 - place
        ago = f"{back} run{'' if back == 1 else 's'} ago" if back else "this run"
        squares.append(Square((first + place) * 20, kind, sign, f"{ago}: {word}"))
    return Strip(name[:MAX_NAME], tuple(squares), _summed(letters))


def _summed(letters: str) -> str:
    told = [
        f"{letters.count(letter)} {word}"
        for letter, (_, _, word) in _SQUARES.items()
        if letter in letters
    ]
    return f"last {len(letters)} runs: {', '.join(told)}"
