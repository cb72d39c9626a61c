"""What ``fanfold history --grid`` prints: collectors by slots, a character each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import json_text
from fanfold.domain.rules.history import RETRIED, SUCCESS, Slot
from fanfold.domain.rules.standing import OUTCOMES
from fanfold.domain.syntax.text import instant, plural, weekday, zone

#: The character of each outcome; what a retry brought to a success has one of its own.
CELLS: Mapping[str, str] = {"s": "·", "f": "✗", "t": "◷", "c": "⊘", "m": "▢", "k": "~"}
AGAIN, NOT_ASKED = "↻", "-"

LEGEND = (
    *("· good", "✗ failed", "◷ timed out", "⊘ cancelled", "↻ its retry succeeded"),
    *("▢ missed", "~ busy in an earlier run", "- not asked"),
)

#: Fewest slots that are shown, however long the names are.
FEWEST_SLOTS = 7

#: Most collectors whose runs by hand are listed under the grid.
MOST_BY_HAND = 8

#: With more collectors than this, those in which nothing is wrong are only counted.
MOST_ROWS = 60

#: The distance of two days above the grid, in columns, as a rule.
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Row:
    """One collector: what became of each slot that it was asked for, and its runs by hand.

    ``runs`` has the ids of the runs of each slot, oldest first.
    """

    name: str
    slots: Mapping[datetime, Slot]
    by_hand: Sequence[Slot]
    runs: Mapping[datetime, Sequence[str]]
    last_good: datetime | None

    def cell(self, slot: datetime) -> str:
        """Return the character of a slot."""
        found = self.slots.get(slot)
        return NOT_ASKED if found is None else cell_of(found)

    @property
    def is_wrong(self) -> bool:
        """Whether its last slot is no success."""
        last = self.slots[max(self.slots)] if self.slots else None
        return last is not None and last.figures.outcome not in {SUCCESS, "k"}


@dataclass(frozen=True, slots=True)
class Grid:
    """Collectors by slots, oldest slot first. ``timezone`` is the zone of the schedule."""

    slots: Sequence[datetime]
    rows: Sequence[Row]
    timezone: str


def cell_of(slot: Slot) -> str:
    """Return the character of what became of a collector in one slot."""
    if slot.kind == RETRIED and slot.figures.outcome == SUCCESS:
        return AGAIN
    return CELLS.get(slot.figures.outcome, "?")


def print_grid(grid: Grid, form: str, *, width: int) -> None:
    """Print *grid* on stdout as *form*: table, json or csv; a table in *width* columns, 0 any."""
    if form == "json":
        out(json_text(_document(grid)))
    elif form == "csv":
        out(_csv(grid).rstrip("\n"))
    else:
        for line in lines(grid, width=width):
            out(line)


def lines(grid: Grid, *, width: int) -> Iterator[str]:
    """Give the lines of the table, none wider than *width* columns unless names are; 0: any."""
    rows = sorted(grid.rows, key=lambda row: not row.is_wrong)
    column = max((len(row.name) for row in rows), default=0) + 2
    room = max(FEWEST_SLOTS, width - column) if width > 0 else len(grid.slots)
    slots = list(grid.slots)[-room:]
    if not slots:
        yield "no slot was recorded yet: runs by hand are in fanfold history"
        return
    span = weekday(slots[0], grid.timezone)
    if len(slots) > 1:
        span += f" to {weekday(slots[-1], grid.timezone)}"
    yield f"Last {plural(len(slots), 'slot')}, {span}, {grid.timezone}"
    yield (" " * column + _axis(slots, grid.timezone)).rstrip()
    shown, good = _shown(rows, slots)
    for row in shown:
        cells = "".join(map(row.cell, slots))
        tail = f"   {_tail(row, grid.timezone)}"
        fits = width <= 0 or column + len(cells) + len(tail) <= width
        yield f"{row.name:<{column}}{cells}{tail if fits else ''}".rstrip()
    if good:
        yield f"and {good} in which nothing is wrong: --format csv has all"
    yield ""
    yield from _legend(width)
    yield from _by_hand_lines(shown, grid, slots[0], width)


def _shown(rows: Sequence[Row], slots: Sequence[datetime]) -> tuple[Sequence[Row], int]:
    if len(rows) <= MOST_ROWS:
        return rows, 0
    fine = {CELLS[SUCCESS], NOT_ASKED}
    wrong = [row for row in rows if not {row.cell(slot) for slot in slots} <= fine]
    return wrong, len(rows) - len(wrong)


def _axis(slots: Sequence[datetime], timezone: str) -> str:
    """Return the days of the month above their columns, as many as there is room for.

    A day begins above its first slot; the last one ends above the last slot.
    """
    text, day_before = "", None
    for place, slot in enumerate(slots):
        date = slot.astimezone(zone(timezone)).date()
        day, is_last = str(date.day), place == len(slots) - 1
        begin = place - len(day) + 1 if is_last else place
        room = begin - len(text)
        is_due = not text or is_last or room >= _WEEK - 1 or (day == "1" and room > 1)
        fits = 0 <= begin <= len(slots) - len(day) and (room > 0 or not text)
        if date != day_before and is_due and fits:
            text = text.ljust(begin) + day
        day_before = date
    return text


def _legend(width: int) -> Iterator[str]:
    line = ""
    for part in LEGEND:
        if line and 0 < width < len(line) + 2 + len(part):
            yield line
            line = ""
        line += f"  {part}" if line else part
    yield line


def _tail(row: Row, timezone: str) -> str:
    return f"last good {weekday(row.last_good, timezone)}" if row.last_good else "no good one known"


def _by_hand_lines(rows: Sequence[Row], grid: Grid, since: datetime, width: int) -> Iterator[str]:
    """Give the last run by hand of each collector since the first slot that is shown."""
    found = [(row.name, row.by_hand[-1]) for row in rows if row.by_hand]
    found = [each for each in found if each[1].at >= since]
    newest = sorted(found, key=lambda each: each[1].at, reverse=True)
    for name, slot in newest[:MOST_BY_HAND]:
        word = OUTCOMES.get(slot.figures.outcome, "skipped").replace("_", " ")
        when = weekday(slot.at, grid.timezone)
        wrapped = f"by hand: {name} {word}, {when}"
        yield (
            wrapped if width <= 0 or len(wrapped) <= width else f"by hand: {name}\n  {word}, {when}"
        )
    if len(newest) > MOST_BY_HAND:
        yield f"by hand: and {len(newest) - MOST_BY_HAND} more"


def _document(grid: Grid) -> Mapping[str, Any]:
    return {
        "timezone": grid.timezone,
        "slots": [instant(slot) for slot in grid.slots],
        "legend": {**{cell: _word(letter) for letter, cell in CELLS.items()}, **_OTHER_CELLS},
        "collectors": {
            row.name: {
                "cells": "".join(map(row.cell, grid.slots)),
                "last_good": instant(row.last_good) if row.last_good else None,
                "outcomes": [_cell(row, each) for each in row.slots.values()],
                "by_hand": [_cell(row, each) for each in row.by_hand],
            }
            for row in grid.rows
        },
    }


_OTHER_CELLS = {AGAIN: "succeeded when tried again", NOT_ASKED: "not asked"}


def _word(letter: str) -> str:
    return OUTCOMES.get(letter, "skipped")


def _cell(row: Row, slot: Slot) -> Mapping[str, Any]:
    return {
        "slot": instant(slot.at),
        "outcome": _word(slot.figures.outcome),
        "tries": slot.tries,
        "records": slot.figures.records,
        "run_ids": list(row.runs.get(slot.at, ())),
    }


_COLUMNS = ("collector", "kind", "slot", "outcome", "tries", "records", "run_ids")


def _csv(grid: Grid) -> str:
    written = io.StringIO()
    writer = csv.DictWriter(written, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in grid.rows:
        for kind, slots in (("slot", row.slots.values()), ("by_hand", row.by_hand)):
            for each in slots:
                cell = _cell(row, each)
                told = {"collector": row.name, "kind": kind, "run_ids": " ".join(cell["run_ids"])}
                writer.writerow({**cell, **told})
    return written.getvalue()
