"""What a run changed: who fails for the first time, who still does, who recovered, and counts.

Everything is read from the report, in which each collector brings its past along.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import heappush, heappushpop
from typing import Any

from fanfold.domain.report.sentences import UNSUCCESSFUL
from fanfold.domain.rules.history import BY_HAND, SLOT
from fanfold.domain.syntax.text import change, count, local, one_line, plural, try_words, weekday
from fanfold.rendering.rows import MAX_NAME

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
    if one["status"] not in UNSUCCESSFUL:
        return Standing()
    here = 1 if report["scheduled_for"] else 0
    return Standing(Course.STILL if bad else Course.NEW, slots + here, len(bad) + 1, tries)


def ordinal(number: int) -> str:
    """Return ``1st``, ``2nd``, ``13th``."""
    last = 0 if 10 <= number % 100 <= 20 else number % 10
    return f"{count(number)}" + {1: "st", 2: "nd", 3: "rd"}.get(last, "th")


class SinceTally:
    """What a run changed, told from its collectors one by one; it keeps a few names.

    Args:
        begun: What is known of the report from the start; its ``scheduled_for``.
    """

    def __init__(self, begun: Mapping[str, Any]) -> None:
        self._begun = begun
        self._has_past = False
        self._latest = ""
        self._told: dict[Course, list[str]] = {course: [] for course in Course}
        self._numbers = Counter[Course]()
        self._moved: list[tuple[float, int, Line]] = []
        self._moves = 0

    def add(self, name: str, one: Mapping[str, Any]) -> None:
        """Take the collector *name*, whose part of the report is *one*."""
        status = one["status"]
        if status == "skipped" or one.get("kept"):
            return
        past = one["history"]
        if past["outcomes"]:
            self._has_past = True
            self._latest = max(self._latest, self._last_slot(past))
        elif status == "succeeded" and not one.get("earlier"):
            return
        self._note_course(name, standing(one, self._begun))
        if status == "succeeded" and one["records"] is not None and one["records_previous"]:
            self._note_count(name, one["records"], one["records_previous"])

    def told(self, timezone: str) -> Since | None:
        """Return what changed since the slot before, or None where no past is known."""
        if not self._has_past:
            return None
        lines = [
            *self._named(Course.NEW, "bad", plural(self._numbers[Course.NEW], "new failure")),
            *self._named(
                Course.STILL, "bad", f"{count(self._numbers[Course.STILL])} still failing"
            ),
            *self._named(
                Course.RECOVERED, "ok", f"{count(self._numbers[Course.RECOVERED])} recovered"
            ),
            *(line for _, _, line in sorted(self._moved, key=lambda each: (-each[0], -each[1]))),
        ]
        if self._moves > MAX_COUNTS:
            more = count(self._moves - MAX_COUNTS)
            lines.append(Line("warn", "", f"{more} more counts moved by 20 % or more"))
        if not self._numbers[Course.NEW]:
            lines.append(Line("skip", "", "nothing new failed"))
        title = "Since the slot before"
        if self._latest:
            title = f"Since {weekday(local(self._latest, timezone), timezone)}"
        return Since(title, tuple(lines))

    def _last_slot(self, past: Mapping[str, Any]) -> str:
        """Return the last slot before this one that a collector remembers, or nothing."""
        slots = (
            at
            for at, kind in zip(*_dated(past), strict=False)
            if kind != BY_HAND and at != self._begun["scheduled_for"]
        )
        return max(slots, default="")

    def _note_course(self, name: str, each: Standing) -> None:
        self._numbers[each.course] += 1
        if each.course is Course.SAME or len(self._told[each.course]) == MAX_NAMED:
            return
        words = one_line(name, MAX_NAME)
        if each.course is Course.STILL:
            words += f" ({each.place})"
        elif each.course is Course.RECOVERED:
            words += f" {_how(each)}"
        self._told[each.course].append(words)

    def _note_count(self, name: str, records: int, before: int) -> None:
        """Keep a success whose count went up or down by much, if it is among the most."""
        share = abs(records - before) / before
        if share < WORTH_A_LINE:
            return
        self._moves += 1
        line = Line(
            "warn" if records < before else "up",
            one_line(name, MAX_NAME),
            f" records {change(records, before)}",
            f"{count(records)} after {count(before)}",
            is_name=True,
        )
        # Of equal ones the first stays.
        place = (share, -self._moves, line)
        if len(self._moved) < MAX_COUNTS:
            heappush(self._moved, place)
        else:
            heappushpop(self._moved, place)

    def _named(self, course: Course, icon: str, words: str) -> list[Line]:
        number, told = self._numbers[course], self._told[course]
        if not number:
            return []
        shown = ", ".join(one_line(each, MAX_NAME + 20) for each in told)
        more = number - len(told)
        return [Line(icon, words, more=f"{shown} and {count(more)} more" if more else shown)]


def since(report: Mapping[str, Any]) -> Since | None:
    """Return what changed since the slot before, or None where no past is known."""
    tally = SinceTally(report)
    for name, one in report["collectors"].items():
        tally.add(name, one)
    return tally.told(report["timezone"])


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


def _how(back: Standing) -> str:
    """Return ``after 2 failed slots``, ``at the second try``, or both."""
    parts = [f"after {plural(back.slots, 'failed slot')}"] if back.slots else []
    parts += [f"at the {try_words(back.tries)}"] if back.tries > 1 else []
    return ", ".join(parts) or "after a run by hand failed"
