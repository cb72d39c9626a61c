"""A list of the page in which each collector is a short row: light, however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from fanfold.domain.report.sentences import notes
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import change, count, one_line
from fanfold.rendering.rows import MAX_NAME
from fanfold.rendering.spool import Spool

#: Most rows of a list. A page that opens at once is worth more than the last of them: the JSON
#: has all.
MAX_ROWS = 10_000

#: What makes a collector's note, if it has any of it.
_NOTED = (
    "reason",
    "progress",
    "error",
    "unchanged",
    "expectations",
    "warnings",
    "earlier",
    "kept",
)


class ShortRows:
    """The short rows of some collectors, in their order.

    Args:
        timezone: The run's, for the time at which a skipped collector is next due.
    """

    def __init__(self, timezone: str) -> None:
        self._timezone = timezone
        self._spool = Spool()
        self.number = 0

    def add(self, name: str, one: Mapping[str, Any]) -> int:
        """Add the collector *name*; return the place of its row."""
        self.number += 1
        if self.number <= MAX_ROWS:
            self._spool.add(_row(name, one, self._timezone).encode("utf-8", "replace"))
        return self.number - 1

    def rows(self, without: Iterable[int] = ()) -> Iterator[bytes]:
        """Give the rows but for those at the places *without*."""
        left_out = set(without)
        if not left_out:
            yield from self._spool
            return
        place = 0
        for block in self._spool:
            lines = block.splitlines(keepends=True)
            first, place = place, place + len(lines)
            if any(first <= each < place for each in left_out):
                lines = [each for at, each in enumerate(lines, first) if at not in left_out]
                yield b"".join(lines)
            else:
                yield block

    @property
    def more(self) -> int:
        """How many collectors have no row, for there are too many."""
        return max(0, self.number - MAX_ROWS)


def _row(name: str, one: Mapping[str, Any], timezone: str) -> str:
    """Return ``name, took, against the usual, records, against the last``, as a row of a table."""
    shown = escape(one_line(name, MAX_NAME)).replace("_", "_<wbr>")
    note = _note(one, timezone)
    took = usual = ""
    if one["start_time"] is not None:
        took = duration(one["duration"])
        usual = against_usual(one)
    records = "" if one["records"] is None else count(one["records"])
    against = change(one["records"], one["records_previous"])
    return (
        f"<tr><th>{shown}{note}</th><td>{took}</td><td>{usual}</td><td>{records}</td>"
        f"<td>{against}</td></tr>\n"
    )


def _note(one: Mapping[str, Any], timezone: str) -> str:
    words: list[str] = []
    if len(one["attempts"]) > 1:
        words.append(f"{len(one['attempts'])} attempts")
    if not one["required"] or any(one[key] for key in _NOTED):
        words += notes(one, timezone)
    return f'<span class="why mu">{escape(" · ".join(words))}</span>' if words else ""


def against_usual(one: Mapping[str, Any]) -> str:
    """Return how much longer or shorter than usual a collector took: ``+1m23s``."""
    if not one["median_seconds"] or one["start_time"] is None:
        return ""
    more_s = one["duration"] - one["median_seconds"]
    if abs(more_s) < 1:
        return "0s"
    return ("+" if more_s > 0 else "\N{MINUS SIGN}") + duration(abs(more_s))
