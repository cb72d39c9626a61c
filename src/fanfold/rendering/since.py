"""What a run changed: who fails for the first time, who still does, who recovered, and counts.

Everything is read from the report, in which each collector brings its past along.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fanfold.domain.rules.history import BY_HAND, SLOT
from fanfold.domain.syntax.text import change, count, local, one_line, plural, try_words, weekday
from fanfold.rendering.rows import MAX_NAME, Named

#: From which share on a count that went up or down is worth a line, and most lines about counts.
WORTH_A_LINE, MAX_COUNTS = 0.2, 5

#: Most names in a line.
MAX_NAMED = 6


class Course(StrEnum):
    """What became of a collector in this run."""

    NEW = "new"
    STILL = "failing"
    RECOVERED = "recovered"
    SAME = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A collector's course. ``slots`` is how many in a row it failed in, this one included.

    ``runs`` counts the runs by hand among them, too; ``tries`` is how many runs this slot took.
    """

    course: Course = Course.SAME
    slots: int = 0
    runs: int = 0
    tries: int = 1

    @property
    def words(self) -> str:
        """``new``, ``failing, 3rd slot``, or nothing."""
        if self.course is Course.STILL:
            return f"failing, {self.place}"
        return "new" if self.course is Course.NEW else ""

    @property
    def place(self) -> str:
        """``3rd slot``; or ``2nd run``, where it failed in no more than one slot."""
        return f"{ordinal(self.slots)} slot" if self.slots > 1 else f"{ordinal(self.runs)} run"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that changed: its sign, what is set in bold, what follows, and a second line."""

    icon: str
    bold: str
    rest: str = ""
    more: str = ""
    is_name: bool = False


@dataclass(frozen=True, slots=True)
class Since:
    """What changed since the slot before; ``title`` names that slot."""

    title: str
    lines: tuple[Line, ...]


def standing(one: Mapping[str, Any], report: Mapping[str, Any]) -> Standing:
    """Return what became of the collector whose part of *report* is *one*."""
    past = [each for each in _past(one, report) if each[0] in "sft"]
    bad: list[tuple[str, str]] = []
    for letter, kind in reversed(past):
        if letter == "s":
            break
        bad.append((letter, kind))
    slots = sum(kind != BY_HAND for _, kind in bad)
    tries = len(one.get("earlier", ())) + 1
    was_bad = bad or any(each["status"] != "succeeded" for each in one.get("earlier", ()))
    if one["status"] == "succeeded":
        return Standing(Course.RECOVERED, slots, len(bad), tries) if was_bad else Standing()
    if one["status"] not in {"failed", "timed_out"}:
        return Standing()
    here = 1 if report["scheduled_for"] else 0
    return Standing(Course.STILL if bad else Course.NEW, slots + here, len(bad) + 1, tries)


def ordinal(number: int) -> str:
    """Return ``1st``, ``2nd``, ``13th``."""
    last = 0 if 10 <= number % 100 <= 20 else number % 10
    return f"{count(number)}" + {1: "st", 2: "nd", 3: "rd"}.get(last, "th")


def since(report: Mapping[str, Any]) -> Since | None:
    """Return what changed since the slot before, or None where no past is known."""
    here = [named for named in report["collectors"].items() if not named[1].get("kept")]
    asked = [named for named in here if named[1]["status"] != "skipped"]
    if not any(one["history"]["outcomes"] for _, one in asked):
        return None
    known = [(name, one, standing(one, report)) for name, one in asked]
    by_course = {
        course: [(name, each) for name, _, each in known if each.course is course]
        for course in Course
    }
    lines = [
        *_failures(by_course[Course.NEW], "new failure", "bad"),
        *_still(by_course[Course.STILL]),
        *_recovered(by_course[Course.RECOVERED]),
        *_counts(asked),
    ]
    if not by_course[Course.NEW]:
        lines.append(Line("skip", "", "nothing new failed"))
    return Since(_title(asked, report), tuple(lines))


def _title(asked: Sequence[Named], report: Mapping[str, Any]) -> str:
    times = [
        at
        for _, one in asked
        for at, kind in zip(*_dated(one["history"]), strict=False)
        if kind != BY_HAND and at != report["scheduled_for"]
    ]
    if not times:
        return "Since the slot before"
    return f"Since {weekday(local(max(times), report['timezone']), report['timezone'])}"


def _dated(history: Mapping[str, Any]) -> tuple[Sequence[str], str]:
    # Older versions remembered neither.
    return history.get("times") or (), history.get("kinds") or SLOT * len(history["outcomes"])


def _past(one: Mapping[str, Any], report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return letter and kind of each outcome before this slot, oldest first."""
    times, kinds = _dated(one["history"])
    letters = one["history"]["outcomes"]
    dates = [*times, *[None] * (len(letters) - len(times))]
    return [
        (letter, kind)
        for letter, kind, at in zip(letters, kinds, dates, strict=False)
        if at is None or at != report["scheduled_for"]
    ]


def _failures(new: Sequence[tuple[str, Standing]], noun: str, icon: str) -> list[Line]:
    return [Line(icon, plural(len(new), noun), more=_names([n for n, _ in new]))] if new else []


def _still(still: Sequence[tuple[str, Standing]]) -> list[Line]:
    told = [f"{one_line(name, MAX_NAME)} ({each.place})" for name, each in still]
    return [Line("bad", f"{count(len(still))} still failing", more=_names(told))] if still else []


def _recovered(back: Sequence[tuple[str, Standing]]) -> list[Line]:
    told = [f"{one_line(name, MAX_NAME)} {_how(each)}" for name, each in back]
    return [Line("ok", f"{count(len(back))} recovered", more=_names(told))] if back else []


def _how(back: Standing) -> str:
    """Return ``after 2 failed slots``, ``at the second try``, or both."""
    parts = [f"after {plural(back.slots, 'failed slot')}"] if back.slots else []
    parts += [f"at the {try_words(back.tries)}"] if back.tries > 1 else []
    return ", ".join(parts) or "after a run by hand failed"


def _counts(asked: Sequence[Named]) -> list[Line]:
    """Return a line for each success whose count went up or down by much, the most first."""
    moved = sorted(
        (
            (abs(one["records"] - one["records_previous"]) / one["records_previous"], name, one)
            for name, one in asked
            if one["status"] == "succeeded" and one["records"] is not None
            if one["records_previous"]
        ),
        key=lambda each: -each[0],
    )
    worth = [each for each in moved if each[0] >= WORTH_A_LINE]
    lines = [
        Line(
            "warn" if one["records"] < one["records_previous"] else "up",
            one_line(name, MAX_NAME),
            f" records {change(one['records'], one['records_previous'])}",
            f"{count(one['records'])} after {count(one['records_previous'])}",
            is_name=True,
        )
        for _, name, one in worth[:MAX_COUNTS]
    ]
    more = len(worth) - MAX_COUNTS
    if more > 0:
        lines.append(Line("warn", "", f"{count(more)} more counts moved by 20 % or more"))
    return lines


def _names(names: Sequence[str]) -> str:
    more = len(names) - MAX_NAMED
    shown = ", ".join(one_line(name, MAX_NAME + 20) for name in names[:MAX_NAMED])
    return f"{shown} and {count(more)} more" if more > 0 else shown
