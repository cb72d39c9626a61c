"""The page's table of collectors, in sections: what a reader looks for first, the rest folded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fanfold.domain.report.causes import titles
from fanfold.domain.report.sentences import odd_words
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import count, one_line
from fanfold.rendering.causes import by_cause
from fanfold.rendering.rows import Named, Row, icon_of, problems_first, row
from fanfold.rendering.sparkline import Sparkline, line
from fanfold.rendering.timeline import MAX_LATE, MAX_SLOWEST, ran_late

#: Up to so many collectors stand in one table; of more, those that went well are folded.
MAX_OPEN = 40

#: Most lines of counts that are drawn.
MAX_LINES = 300

_BAD = frozenset({"failed", "timed_out", "cancelled"})
_OPEN = frozenset({"running", "pending"})


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
    """Some collectors under a title, which is empty where there is only one section."""

    title: str
    rows: tuple[TableRow, ...]
    is_folded: bool = False


def sections(report: Mapping[str, Any]) -> list[Section]:
    """Return every collector of *report* once."""
    named = problems_first(report["collectors"].items())
    if not named:
        return []
    title_of = titles([each for each in named if each[1]["status"] in _BAD])
    if len(named) <= MAX_OPEN:
        ordered = [each for _, group, _ in _groups(named) for each in group]
        return [Section("", tuple(_row(each, report, title_of) for each in ordered))]
    found: list[Section] = []
    lines = 0
    for title, group, is_folded in _groups(named):
        if not group:
            continue
        rows = tuple(
            _row(each, report, title_of, with_line=not is_folded and lines + place < MAX_LINES)
            for place, each in enumerate(group)
        )
        lines += len(rows)
        found.append(Section(f"{title}: {count(len(group))}", rows, is_folded))
    return found


def _groups(named: Sequence[Named]) -> list[tuple[str, list[Named], bool]]:
    bad = by_cause([each for each in named if each[1]["status"] in _BAD])
    waiting = [each for each in named if each[1]["status"] in _OPEN]
    skipped = [each for each in named if each[1]["status"] == "skipped"]
    good = [each for each in named if each[1]["status"] == "succeeded"]
    warned = [each for each in good if _has_warning(each[1])]
    late = [each for each in good if not _has_warning(each[1]) and ran_late(each[1])][:MAX_LATE]
    told = {name for name, _ in [*warned, *late]}
    rest = sorted(
        (each for each in good if each[0] not in told), key=lambda each: -each[1]["duration"]
    )
    slowest = {name for name, _ in rest[:MAX_SLOWEST]}
    return [
        ("Did not succeed", bad, False),
        ("Succeeded with a warning", warned, False),
        ("Took much longer than usual", late, False),
        ("The slowest of the others", rest[:MAX_SLOWEST], False),
        ("Not answered yet", waiting, True),
        ("Succeeded", [each for each in good if each[0] not in told | slowest], True),
        ("Skipped", skipped, True),
    ]


def _has_warning(one: Mapping[str, Any]) -> bool:
    return bool(one["warnings"] or odd_words(one))


def _row(
    named: Named,
    report: Mapping[str, Any],
    title_of: Mapping[str, str],
    *,
    with_line: bool = True,
) -> TableRow:
    name, one = named
    shown = row(name, one, report["timezone"])
    icon = icon_of(one)
    why, why_css = " · ".join(_why(one, shown, title_of.get(name))), "mu"
    if one["status"] in _BAD:
        why_css = icon
    elif one["status"] == "succeeded" and _has_warning(one):
        why_css = "warn"
    return TableRow(
        row=shown,
        icon=icon,
        css="off" if icon == "skip" else icon,
        why=why,
        why_css=why_css,
        against_usual=_against_usual(one),
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


def _against_usual(one: Mapping[str, Any]) -> str:
    """Return how much longer or shorter than usual a collector took: ``+1m23s``."""
    if not one["median_seconds"] or one["start_time"] is None:
        return ""
    more_s = one["duration"] - one["median_seconds"]
    if abs(more_s) < 1:
        return "0s"
    return ("+" if more_s > 0 else "\N{MINUS SIGN}") + duration(abs(more_s))
