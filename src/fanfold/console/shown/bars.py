"""Figures of the last slots as bars from zero: places in percent, heights in pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fanfold.domain.rules.history import BY_HAND, SUCCESS, Slot
from fanfold.domain.syntax.text import weekday

#: Height of a drawing, in pixels.
HEIGHT = 110

#: Room for the sign above a bar, in pixels.
_SIGN = 14

_KINDS = {"s": "ok", "f": "bad", "t": "late", "c": "off", "m": "miss"}


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its class, place and size, the sign above it, and what it says."""

    kind: str
    x: float
    width: float
    y: float
    height: float
    sign: str
    title: str


@dataclass(frozen=True, slots=True)
class Bars:
    """A drawing. ``scale`` are the figures at its left, from the top; ``line`` is at a height."""

    bars: tuple[Bar, ...]
    scale: tuple[str, str, str]
    ends: tuple[str, str]
    line: float | None
    about: str


def bars_of(
    slots: Sequence[Slot],
    figure: Callable[[Slot], float | None],
    words: Callable[[float], str],
    timezone: str,
    *,
    line: float | None = None,
    about: str,
) -> Bars | None:
    """Return the drawing of a *figure* of each of *slots*, None if there are not two.

    Args:
        slots: Oldest first.
        figure: What is drawn of a slot, None for nothing.
        words: How a figure is written.
        timezone: In which the slots' times are shown.
        line: A figure at which a dashed line stands.
        about: What is drawn, for who does not see it.
    """
    drawn = [slot for slot in slots if slot.kind != BY_HAND]
    figures = [figure(slot) for slot in drawn]
    known = [each for each in figures if each is not None]
    if len(known) < 2:
        return None
    most = max(*known, line or 0.0, 1e-9)
    room = 100 / len(drawn)
    bars = []
    for place, (slot, number) in enumerate(zip(drawn, figures, strict=True)):
        kind = _KINDS.get(slot.figures.outcome, "skip")
        if kind == "skip":
            continue
        height = 2.0 if number is None else max(1.0, round((HEIGHT - _SIGN) * number / most, 1))
        if kind == "miss":
            height = 12.0
        told = "no figure" if number is None else words(number)
        word = {"ok": "", "miss": "missed: "}.get(kind, "failed: ")
        bars.append(
            Bar(
                kind=kind,
                x=round(place * room + room * 0.1, 2),
                width=round(room * 0.8, 2),
                y=round(HEIGHT - height, 1),
                height=height,
                sign=kind if kind in ("bad", "late", "off") else "",
                title=f"{weekday(slot.at, timezone)}: {word}{told}",
            )
        )
    return Bars(
        bars=tuple(bars),
        scale=(words(most), words(most / 2), words(0)),
        ends=(_day(drawn[0], timezone), _day(drawn[-1], timezone)),
        line=None if line is None else round(HEIGHT - (HEIGHT - _SIGN) * line / most, 1),
        about=f"{about} of {len(known)} slots: {words(min(known))} to {words(max(known))}",
    )


def _day(slot: Slot, timezone: str) -> str:
    return weekday(slot.at, timezone).rpartition(" ")[0]


def is_success(slot: Slot) -> bool:
    """Return whether *slot* counts as a success."""
    return slot.figures.outcome == SUCCESS
