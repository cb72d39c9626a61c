"""A collector's row in the terminal's table: its figures in columns, and what there is to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fanfold.domain.syntax.text import plural
from fanfold.rendering.colours import painted
from fanfold.rendering.columns import cells, cut, pad, wrap
from fanfold.rendering.rows import MAX_NAME, NOTHING, Row, row

#: Columns of the records, the size and the duration.
_RECORDS, _SIZE, _DURATION = 17, 8, 7

#: Fewest columns in which notes are wrapped behind the figures; with fewer they stand below.
_FEWEST_FOR_NOTES = 32

#: Where the figures begin that have no room beside the name, and notes that have none behind.
_BELOW = " " * 6

#: Statuses that are written out: another has the same mark, or no figure shows them.
_NEEDS_WORDS = ("timed_out", "cancelled", "running", "pending")


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of one table are laid out, so that all of them have the same columns.

    Args:
        name_columns: Columns of the names.
        width: Of the terminal in columns; 0 or less is as wide as it takes.
        has_size: Whether there is room for the size of what was gathered.
        is_stacked: Whether the figures stand below the name, for want of room beside it.
    """

    name_columns: int
    width: int
    has_size: bool = True
    is_stacked: bool = False

    @staticmethod
    def of(report: Mapping[str, Any], width: int) -> Layout:
        """Return the layout of *report* in *width* columns."""
        return Layout.for_names(name_column(report), width)

    @staticmethod
    def for_names(name_columns: int, width: int) -> Layout:
        """Return the layout for names of *name_columns*: the size goes first, then one line."""
        if width <= 0:
            return Layout(name_columns, 0)
        left = width - 4 - name_columns - 2 - _RECORDS - 2 - _DURATION
        if left >= _SIZE + 2:
            return Layout(name_columns, width)
        return Layout(name_columns, width, has_size=False, is_stacked=left < 0)


def name_column(report: Mapping[str, Any]) -> int:
    """Return how many columns the collectors' names need."""
    return min(max(map(cells, report["collectors"]), default=0), MAX_NAME)


def row_lines(
    name: str, one: Mapping[str, Any], timezone: str, layout: Layout, *, colour: bool = False
) -> list[str]:
    """Return one collector's lines: ``  ✓ dvf   31 874 records   4.1 MB   39s   unchanged``.

    What there is to say is wrapped, and nothing of it is lost.
    """
    shown = row(name, one, timezone)
    lines = _figure_lines(shown, one["records"], layout)
    told = _note(shown)
    place = cells(lines[-1]) + 3
    if told and 0 < layout.width < place + min(cells(told), _FEWEST_FOR_NOTES):
        lines = [*lines[:-1], lines[-1].rstrip(), *wrap(told, layout.width, _BELOW)]
    elif told:
        begin = pad(lines.pop(), place)
        lines += wrap(told, layout.width, begin, " " * place)
    return [painted(line, shown.status, colour=colour) for line in lines]


def collector_row(
    name: str, one: Mapping[str, Any], *, timezone: str = "UTC", layout: Layout
) -> str:
    """Return one collector's row in one line, cut to the width of *layout*."""
    whole = Layout(layout.name_columns, 0, layout.has_size)
    return cut(row_lines(name, one, timezone, whole)[0], layout.width)


def _figure_lines(shown: Row, records: int | None, layout: Layout) -> list[str]:
    """Return the lines with the name and the figures; without figures the name alone."""
    counted = "" if records is None else plural(records, "record")
    size = [_blank_or(shown.size, _SIZE)] if layout.has_size else []
    figures = "  ".join([counted.rjust(_RECORDS), *size, _blank_or(shown.duration, _DURATION)])
    if layout.is_stacked:
        told = [_BELOW + figures.strip()] if figures.strip() else []
        return [*wrap(shown.name, layout.width, f"  {shown.mark} ", "    "), *told]
    named = f"  {shown.mark} {pad(shown.name, layout.name_columns)}"
    if not figures.strip():
        return [named if shown.notes or shown.status in _NEEDS_WORDS else named.rstrip()]
    return [f"{named}  {figures}"]


def _note(shown: Row) -> str:
    words = [shown.words] if shown.status in _NEEDS_WORDS else []
    tries = [] if shown.attempts in {NOTHING, "1"} else [f"{shown.attempts} attempts"]
    moved = [] if shown.change in {"", "0 %"} else [shown.change]
    return " · ".join([*moved, *words, *shown.notes[:1], *tries, *shown.notes[1:]])


def _blank_or(text: str, width: int) -> str:
    return ("" if text == NOTHING else text).rjust(width)
