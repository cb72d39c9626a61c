"""A collector's past as small drawings: a line of its last counts, a strip of its last slots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from fanfold.domain.rules.history import BY_HAND, RETRIED, SLOT
from fanfold.domain.syntax.text import count, local, plural, weekday
from fanfold.rendering.rows import MAX_NAME, Named

#: How many runs a line shows and how many slots a strip, this one included.
LINE_RUNS, STRIP_SLOTS = 14, 30

#: Most runs by hand that a strip marks between two slots.
MAX_MARKS = 3

#: The line's size, the width of a slot's place and the height of a strip, in SVG units.
LINE_WIDTH, LINE_HEIGHT, SLOT_WIDTH, STRIP_HEIGHT = 104, 26, 20, 24

_LETTERS = {
    "succeeded": "s",
    "failed": "f",
    "timed_out": "t",
    "cancelled": "c",
    "running": "r",
    "pending": "r",
}

#: By which outcome a slot counts that was tried again: the best first.
_BEST = ("succeeded", "pending", "running")

#: Class, sign and word of each outcome. The sign is for who cannot tell the colours apart.
_SQUARES = {
    "s": ("ok", "", "succeeded"),
    "f": ("bad", "\N{MULTIPLICATION SIGN}", "failed"),
    "t": ("bad", "\N{WHITE CIRCLE WITH UPPER RIGHT QUADRANT}", "timed out"),
    "c": ("skip", "\N{CIRCLED DIVISION SLASH}", "cancelled"),
    "k": ("skip", "\N{EN DASH}", "an earlier run still had it"),
    "m": ("miss", "", "no run came"),
    "r": ("run", "", "not answered yet"),
}

#: What stands in the square of a slot that succeeded when it was tried again.
_AGAIN = "\N{CLOCKWISE OPEN CIRCLE ARROW}"


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
    """One slot of the past; or a run by hand, a small mark that takes no place of its own."""

    x: float
    kind: str
    sign: str
    title: str
    is_mark: bool = False


@dataclass(frozen=True, slots=True)
class Strip:
    """A collector's last slots, the newest at the right. ``title`` says it all in words."""

    name: str
    squares: tuple[Square, ...]
    title: str
    words: str


@dataclass(frozen=True, slots=True)
class _Place:
    at: str | None
    letter: str
    kind: str


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


def strip(named: Named, report: Mapping[str, Any]) -> Strip:
    """Return the strip of a collector: its slots, and as small marks the runs by hand.

    A run that did not ask it leaves nothing. A slot is there once, by its best outcome.
    """
    name, one = named
    places = sorted(
        [*_past(one["history"]), *_this_run(one, report)], key=lambda place: place.at or ""
    )
    slots = [place for place in places if place.kind != BY_HAND]
    first = max(0, len(slots) - STRIP_SLOTS)
    left = STRIP_SLOTS - min(len(slots), STRIP_SLOTS)
    squares: list[Square] = []
    number, marks = 0, 0
    for place in places:
        if place.kind != BY_HAND:
            number, marks = number + 1, 0
            if number > first:
                x = (left + number - 1 - first) * SLOT_WIDTH
                squares.append(_square(place, x, report["timezone"]))
        elif number >= first and marks < MAX_MARKS:
            x = (left + number - first) * SLOT_WIDTH - 2 - marks * 5
            squares.append(_mark(place, max(3, x), report["timezone"]))
            marks += 1
    words = _words(slots[first:], report["timezone"])
    return Strip(name[:MAX_NAME], tuple(squares), words, words)


def _past(history: Mapping[str, Any]) -> Iterator[_Place]:
    letters = history["outcomes"]
    # Older versions remembered neither: such a letter is a slot whose date is not known.
    times = history.get("times") or [None] * len(letters)
    kinds = history.get("kinds") or SLOT * len(letters)
    yield from map(_Place, times, letters, kinds)


def _this_run(one: Mapping[str, Any], report: Mapping[str, Any]) -> Iterator[_Place]:
    """Give what this run adds, if it asked the collector or an earlier try of its slot did."""
    slot = report["scheduled_for"]
    at, earlier = slot or report["start_time"], one.get("earlier", ())
    if one["status"] == "skipped":
        if one["reason"] == "overlap" and slot:
            yield _Place(at, "k", SLOT)
        return
    outcomes = [one["status"], *(each["status"] for each in earlier)]
    best = next((word for word in _BEST if word in outcomes), one["status"])
    was_bad = any(word != "succeeded" for word in outcomes)
    kind = BY_HAND if slot is None else RETRIED if earlier and was_bad else SLOT
    yield _Place(at, _LETTERS[best], kind)


def _square(place: _Place, x: float, timezone: str) -> Square:
    kind, sign, word = _SQUARES.get(place.letter, _SQUARES["k"])
    if place.kind == RETRIED:
        sign, word = (_AGAIN if place.letter == "s" else sign), f"{word} when it was tried again"
    return Square(x, kind, sign, f"{_when(place, timezone)}: {word}")


def _mark(place: _Place, x: float, timezone: str) -> Square:
    kind, _, word = _SQUARES.get(place.letter, _SQUARES["k"])
    return Square(x, kind, "", f"{_when(place, timezone)}, by hand: {word}", is_mark=True)


def _when(place: _Place, timezone: str) -> str:
    return weekday(local(place.at, timezone), timezone) if place.at else "an earlier slot"


def _words(slots: list[_Place], timezone: str) -> str:
    """Return ``30 slots since Thu 29 Oct 05:00: 27 succeeded, 1 of them when tried again, …``."""
    if not slots:
        return "no slot yet"
    letters = "".join(place.letter for place in slots)
    told = [
        f"{letters.count(letter)} {word}"
        for letter, (_, _, word) in _SQUARES.items()
        if letter in letters
    ]
    again = sum(place.kind == RETRIED and place.letter == "s" for place in slots)
    if again:
        told[0] += f" ({again} when tried again)"
    since = f" since {_when(slots[0], timezone)}" if slots[0].at else ""
    return f"{plural(len(slots), 'slot')}{since}: {', '.join(told)}"
