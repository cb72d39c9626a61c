"""The page's table of collectors, in sections: what a reader looks for first, the rest folded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fanfold.domain.report.causes import Named, titles
from fanfold.domain.syntax.text import count, one_line
from fanfold.rendering.causes import by_cause
from fanfold.rendering.picks import Picks, has_warning
from fanfold.rendering.rows import BAD, OPEN, Row, icon_of, problems_first, row
from fanfold.rendering.short_rows import against_usual
from fanfold.rendering.sparkline import Sparkline, line
from fanfold.rendering.timeline import MAX_LATE, MAX_SLOWEST, ran_late

#: Most lines of counts that are drawn.
MAX_LINES = 300


@dataclass(frozen=True, slots=True)
class TableRow:
    """A collector: its figures, and why it is worth a look, in the colour of its kind."""

    row: Row
    icon: str
    css: str
    why: str
    why_css: str
    against_usual: str
    line: Sparkline | None


@dataclass(frozen=True, slots=True)
class Section:
    """Some collectors under a title, which is empty where there is only one section.

    ``folded`` is the kind of those that have short rows, in a list of its own; empty where the
    ``rows`` are whole. ``more`` says how many have no row at all.
    """

    title: str
    rows: tuple[TableRow, ...] = ()
    folded: str = ""
    more: str = ""


def sections(picks: Picks, timezone: str) -> list[Section]:
    """Return every collector that was picked from a report once."""
    if picks.is_whole:
        named = _whole(picks.told.items())
        return [Section("", _rows(named, timezone, MAX_LINES))] if named else []
    found: list[Section] = []
    lines = 0
    for title, kind in _TOLD.items():
        group = picks.named(kind)
        left = picks.number(kind) if kind in picks.lists else 0
        number = f"the first {count(len(group))} of {count(len(group) + left)}" if left else ""
        if group:
            rows = _rows(group, timezone, MAX_LINES - lines)
            found.append(Section(f"{title}: {number or count(len(group))}", rows))
        lines += len(group)
    for title, kind in _FOLDED.items():
        if left := picks.number(kind):
            more = picks.lists[kind].more
            words = f"and {count(more)} more: they are in the JSON" if more else ""
            found.append(Section(f"{title}: {count(left)}", folded=kind, more=words))
    return found


def _whole(collectors: Iterable[Named]) -> list[Named]:
    """Return *collectors*, all of which are told, in the order in which a reader looks for them."""
    named = problems_first(collectors)
    good = [each for each in named if each[1]["status"] == "succeeded"]
    warned = [each for each in good if has_warning(each[1])]
    late = [each for each in good if not has_warning(each[1]) and ran_late(each[1])][:MAX_LATE]
    first = {name for name, _ in [*warned, *late]}
    rest = [each for each in good if each[0] not in first]
    slowest = sorted(rest, key=lambda each: -each[1]["duration"])[:MAX_SLOWEST]
    slow = {name for name, _ in slowest}
    return [
        *(each for each in named if each[1]["status"] in BAD),
        *warned,
        *late,
        *slowest,
        *(each for each in named if each[1]["status"] in OPEN),
        *(each for each in rest if each[0] not in slow),
        *(each for each in named if each[1]["status"] == "skipped"),
    ]


#: The sections by title, in their order, with the kind of collectors in each: those that are told
#: whole, then those that have short rows.
_TOLD = {
    "Did not succeed": "bad",
    "Succeeded with a warning": "warned",
    "Took much longer than usual": "late",
    "The slowest of the others": "slow",
}
_FOLDED = {
    "More that did not succeed": "bad",
    "More that succeeded with a warning": "warned",
    "Not answered yet": "open",
    "Succeeded": "succeeded",
    "Skipped": "skipped",
}


def _rows(named: Sequence[Named], timezone: str, lines: int) -> tuple[TableRow, ...]:
    """Return the rows of *named*, failures by their cause; the first *lines* draw their counts."""
    bad = [each for each in named if each[1]["status"] in BAD]
    title_of = titles(bad)
    ordered = [*by_cause(bad), *(each for each in named if each[1]["status"] not in BAD)]
    return tuple(
        _row(each, timezone, title_of, with_line=place < lines)
        for place, each in enumerate(ordered)
    )


def _row(
    named: Named,
    timezone: str,
    title_of: Mapping[str, str],
    *,
    with_line: bool = True,
) -> TableRow:
    name, one = named
    shown = row(name, one, timezone)
    icon = icon_of(one)
    why, why_css = " · ".join(_why(one, shown, title_of.get(name))), "mu"
    if one["status"] in BAD:
        why_css = icon
    elif one["status"] == "succeeded" and has_warning(one):
        why_css = "warn"
    return TableRow(
        row=shown,
        icon=icon,
        css="off" if icon == "skip" else icon,
        why=why,
        why_css=why_css,
        against_usual=against_usual(one),
        line=line(one) if with_line else None,
    )


def _why(one: Mapping[str, Any], shown: Row, title: str | None) -> list[str]:
    """Return the notes, but the error as its cause is called, and a single warning itself."""
    words = list(shown.notes)
    if one["error"]:
        words[words.index(_error_note(one))] = title or one_line(one["error"])
    elif warning_told(one):
        words[words.index("1 warning")] = one_line(one["warnings"][0])
    return words


def _error_note(one: Mapping[str, Any]) -> str:
    return one_line(one["error"], 200)


def warning_told(one: Mapping[str, Any]) -> bool:
    """Return whether the row of a collector that succeeded quotes all that it warned of."""
    return not one["error"] and len(one["warnings"]) == 1
