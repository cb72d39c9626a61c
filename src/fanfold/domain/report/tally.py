"""The tally: what the summary and the sentence of a run say of its collectors, counted one by one.

It holds numbers and a few names, however many collectors there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fanfold.domain.model.states import CollectorState, Outcome, RunStatus
from fanfold.domain.report.causes import Failures, is_of_source, titles
from fanfold.domain.report.groups import GroupTally
from fanfold.domain.report.sentences import MAX_QUOTE, UNSUCCESSFUL, odd_words, returned
from fanfold.domain.syntax.limits import MAX_STORED
from fanfold.domain.syntax.text import count, local, one_line, plural, try_words

#: Most names that one part of the sentence lists; most failures of which each is told by itself.
MAX_NAMES, MAX_TOLD = 3, 2

#: The numbers of a summary, in its order.
_COUNTED = (
    *(outcome.value for outcome in Outcome),
    CollectorState.SKIPPED.value,
    CollectorState.RUNNING.value,
    CollectorState.PENDING.value,
)


@dataclass(slots=True)
class _Names:
    """How many collectors there are of a kind, and the first of their names."""

    number: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        self.number += 1
        if self.number <= MAX_NAMES:
            self.first.append(one_line(name, 63))

    def __str__(self) -> str:
        more = self.number - len(self.first)
        return ", ".join(self.first) + (f" and {count(more)} more" if more else "")


@dataclass(slots=True)
class _Again:
    """The collectors that a retry brought to a success; ``end_time`` is that of the last one."""

    names: _Names = field(default_factory=_Names)
    end_time: str = ""


class Tally:
    """Counts the collectors of a report. Each is added once, in the order of the report."""

    def __init__(self) -> None:
        self.warnings = 0
        #: The members of groups, some of whose failures are tolerated.
        self.groups = GroupTally()
        self._broken = 0
        self._states: Counter[str] = Counter()
        self._sums: dict[str, int | None] = {"records": None, "bytes": None}
        self._failures = Failures()
        self._told: list[tuple[str, Mapping[str, Any]]] = []
        self._asked, self._odd, self._overlapping = _Names(), _Names(), _Names()
        self._first_odd = ""
        self._again: dict[int, _Again] = {}

    def add(self, name: str, one: Mapping[str, Any]) -> None:
        """Count the collector *name*, whose part of the report is *one*."""
        status = one["status"]
        self._states[status] += 1
        if one["group"]:
            self.groups.add(name, one)
        if one["warnings"] or one["expectations"]:
            self._add_warnings(one)
        if one["reason"] == "overlap":
            self._overlapping.add(name)
        if status == CollectorState.SKIPPED:
            return
        self._asked.add(name)
        if status == CollectorState.SUCCEEDED:
            self._add_success(name, one)
        elif status in UNSUCCESSFUL:
            self._add_failure(name, one)
        if one["expectations"] and (words := odd_words(one)):
            self._first_odd = self._first_odd or words
            self._odd.add(name)

    @property
    def broken(self) -> int:
        """How many required collectors failed or timed out, without those that are tolerated."""
        return self._broken - self.groups.forgiven

    @property
    def is_any_cancelled(self) -> bool:
        """Whether somebody stopped a collector."""
        return self._states[CollectorState.CANCELLED] > 0

    def summary(self) -> dict[str, Any]:
        """Return how many ended in which way, and the sums over the successes."""
        return {
            "total": self._states.total(),
            **{state: self._states[state] for state in _COUNTED},
            "warnings": self.warnings,
            **{
                what: None if known is None else min(known, MAX_STORED)
                for what, known in self._sums.items()
            },
            "late": 0,
        }

    def about(self, status: str, *, tolerated: int = 0, timezone: str = "UTC") -> str:
        """Return the one sentence about a run that has *status* and these collectors.

        It is the page's title, a field in Firestore, the last line of the command and the text of
        a notification; nothing that a collector says can break its line.

        Args:
            status: A :class:`~fanfold.domain.model.states.RunStatus`; notices bring their own
                sentence.
            tolerated: How many required collectors may fail in a run that succeeds.
            timezone: The zone in which the time of a second try is told.
        """
        if not self._asked.number:
            return self._nothing_asked()
        if status in {RunStatus.DISPATCHING, RunStatus.RUNNING}:
            return self._so_far()
        if status == RunStatus.CANCELLED:
            cancelled = f"{count(self._states[CollectorState.CANCELLED])} cancelled"
            return "cancelled: " + ", ".join([self._score(), *self._causes(), cancelled])
        again = self._again_words(timezone)
        if self._failures.named:
            sentence = self._mixed(status, tolerated, again)
        else:
            sentence = self._all_good() + again
        return sentence + self._oddities() + self._overlaps()

    def _add_warnings(self, one: Mapping[str, Any]) -> None:
        odd = [not each["ok"] and each["severity"] == "warn" for each in one["expectations"]]
        self.warnings += len(one["warnings"]) + odd.count(True)

    def _add_success(self, name: str, one: Mapping[str, Any]) -> None:
        for what in self._sums:
            if (number := one[what]) is not None:
                self._sums[what] = (self._sums[what] or 0) + number
        tries: Sequence[Mapping[str, Any]] = one["earlier"]
        if any(each["status"] != CollectorState.SUCCEEDED for each in tries):
            again = self._again.setdefault(len(tries) + 1, _Again())
            again.names.add(name)
            again.end_time = max(again.end_time, one["end_time"])

    def _add_failure(self, name: str, one: Mapping[str, Any]) -> None:
        self._broken += one["required"]
        self._failures.add(name, one)
        if len(self._told) < MAX_TOLD:
            self._told.append((name, one))

    def _nothing_asked(self) -> str:
        if not self._overlapping.number:
            return "nothing due"
        return f"nothing asked: an earlier run still has {self._overlapping}"

    def _so_far(self) -> str:
        open_ = self._states[CollectorState.PENDING] + self._states[CollectorState.RUNNING]
        sentence = f"{count(self._asked.number - open_)} of {count(self._asked.number)} done"
        failures = len(self._failures.named)
        return f"{sentence}, {count(failures)} failed so far" if failures else sentence

    def _all_good(self) -> str:
        if self._asked.number == 1:
            return f"{self._asked} succeeded"
        return f"all {count(self._asked.number)} succeeded"

    def _again_words(self, timezone: str) -> str:
        """Return ``, plu at the second try, 09:12`` for those that a retry brought to a success."""
        return "".join(
            f", {again.names} at the {try_words(number)}, {local(again.end_time, timezone):%H:%M}"
            for number, again in sorted(self._again.items())
        )

    def _mixed(self, status: str, tolerated: int, again: str) -> str:
        enough = status == RunStatus.SUCCEEDED
        tolerance = f", {count(tolerated)} may fail" if enough and self.broken and tolerated else ""
        is_few = len(self._failures.named) <= MAX_TOLD
        by = self.groups.tolerated()
        few = [_phrase(name, one, by.get(name, "")) for name, one in self._told]
        reasons = few if is_few else self._causes()
        return f"{self._score()}{tolerance}{again}: {', '.join(reasons)}"

    def _causes(self) -> list[str]:
        """Return ``api.insee.fr answered 503: 12 collectors (a, b, c and 9 more)``, then others.

        The others are ``20 failed (a, b, c and 17 more)``, ``10 timed out``: names, then numbers.
        """
        title_of, tolerated = titles(self._failures.named), self.groups.tolerated()
        shared = Counter(
            title_of[name]
            for name, one in self._failures.named
            if one["required"] and name not in tolerated and is_of_source(title_of[name], one)
        )
        causes = {title: _Names() for title, number in shared.most_common() if number > MAX_TOLD}
        kinds = ("failed", "timed out", "tolerated", "optional failed")
        groups = {words: _Names() for words in kinds}
        for name, one in self._failures.named:
            is_shared = one["required"] and is_of_source(title_of[name], one)
            if name in tolerated:
                groups["tolerated"].add(name)
            elif is_shared and title_of[name] in causes:
                causes[title_of[name]].add(name)
            elif not one["required"]:
                groups["optional failed"].add(name)
            else:
                groups["failed" if one["status"] == "failed" else "timed out"].add(name)
        parts = [
            f"{one_line(title, MAX_QUOTE)}: {plural(names.number, 'collector')} ({names})"
            for title, names in causes.items()
        ]
        is_first = True
        for words, names in groups.items():
            if names.number:
                listed = is_first or names.number <= MAX_NAMES
                parts.append(f"{count(names.number)} {words}" + (f" ({names})" if listed else ""))
                is_first = False
        return parts

    def _score(self) -> str:
        good = self._states[CollectorState.SUCCEEDED]
        return f"{count(good)} of {count(self._asked.number)} succeeded"

    def _oddities(self) -> str:
        if not self._odd.number:
            return ""
        if self._odd.number == 1:
            return f"; {self._odd} {self._first_odd}"
        return f"; {count(self._odd.number)} look odd ({self._odd})"

    def _overlaps(self) -> str:
        if not self._overlapping.number:
            return ""
        return f"; {self._overlapping} skipped, an earlier run still has it"


def tally_of(collectors: Iterable[tuple[str, Mapping[str, Any]]]) -> Tally:
    """Return the tally of *collectors*, each with its name."""
    tally = Tally()
    for name, one in collectors:
        tally.add(name, one)
    return tally


def _phrase(name: str, collector: Mapping[str, Any], tolerated_by: str) -> str:
    who = one_line(name, 63) if collector["required"] else f"optional {one_line(name, 63)}"
    tries = len(collector["earlier"]) + 1
    again = f" at the {try_words(tries)}" if tries > 1 else ""
    again += f", tolerated by group {one_line(tolerated_by, 63)}" if tolerated_by else ""
    for checked in collector["expectations"]:
        if not checked["ok"] and checked["severity"] == "fail":
            return f"{who} {returned(checked)}{again}"
    verb = "timed out" if collector["status"] == CollectorState.TIMED_OUT else "failed"
    return f"{who} {verb}{again}" + (
        f" ({one_line(collector['error'], MAX_QUOTE)})" if collector["error"] else ""
    )
