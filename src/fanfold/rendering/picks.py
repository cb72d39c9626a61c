"""What the page tells whole, picked as the collectors come; of the others a short row is left.

Of up to 40 collectors all are told. Of more, those that did not succeed, those that warned, those
that ran late and the slowest: so what is held does not grow with the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from heapq import heappush, heappushpop
from typing import Any

from fanfold.domain.report.causes import Failures, Named
from fanfold.domain.report.sentences import UNSUCCESSFUL, odd_words
from fanfold.domain.syntax.text import one_line
from fanfold.rendering.rows import BAD, OPEN
from fanfold.rendering.short_rows import ShortRows
from fanfold.rendering.since import SinceTally
from fanfold.rendering.timeline import MAX_LATE, MAX_SLOWEST, ran_late

#: Up to so many collectors are all told whole; of more, so many that did not succeed and that
#: warned. Then failures are told whole for so many causes more that none of them had.
MAX_WHOLE, MAX_TOLD, MAX_NEW = 40, 200, 100

#: Most texts that are listed of what collectors warned of or made.
MAX_LISTED = 100

#: How long a collector took, its row's place (the first is the greatest), its name, its part.
_Candidate = tuple[float, int, str, Mapping[str, Any]]


class Picks:
    """The collectors of a report, as far as its page needs them.

    Args:
        begun: What is known of the report from the start: its ``timezone``, ``scheduled_for`` and
            ``start_time``.
    """

    def __init__(self, begun: Mapping[str, Any]) -> None:
        self.is_whole = True
        #: Who is told whole, in the report's order.
        self.told: dict[str, Mapping[str, Any]] = {}
        #: How many there are; how many were asked here; how many of those did not succeed.
        self.total = self.asked = self.bad = 0
        self.since = SinceTally(begun)
        self.reasons: Counter[str] = Counter()
        #: The records of those asked, and those of their last successes.
        self.records, self.records_before = 0, 0
        #: Those that failed or timed out, as far as their causes need them.
        self.failures = Failures()
        self.lists = {
            kind: ShortRows(begun["timezone"])
            for kind in ("bad", "warned", "open", "succeeded", "skipped")
        }
        self._kept: Counter[str] = Counter()
        self._late, self._slow, self._open = _Most(MAX_LATE), _Most(MAX_SLOWEST), _Most(MAX_SLOWEST)
        #: The first texts of those that are not told whole, with their names; and how many more.
        self.texts: dict[str, list[tuple[str, str]]] = {"warnings": [], "artifacts": []}
        self.more_texts: Counter[str] = Counter()

    def add(self, name: str, one: Mapping[str, Any]) -> None:
        """Take the collector *name*, whose part of the report is *one*."""
        self.total += 1
        self._count(one)
        self.since.add(name, one)
        is_new = one["status"] in UNSUCCESSFUL and self.failures.add(name, one)
        if not self.is_whole:
            self._sort(name, one, is_new=is_new)
            return
        self.told[name] = one
        if self.total > MAX_WHOLE:
            self.is_whole = False
            first, self.told = self.told, {}
            for each in first.items():
                self._sort(*each)

    def named(self, kind: str) -> list[Named]:
        """Return those that are told whole of a kind: ``bad``, ``warned``, ``late``, ``slow``."""
        if kind == "late":
            return self._late.named()
        if kind == "slow":
            return self._slow.named()
        return [each for each in self.told.items() if _kind_of(each[1]) == kind]

    def to_draw(self) -> dict[str, Mapping[str, Any]]:
        """Return everybody who may have a line in the timeline."""
        if self.is_whole:
            return self.told
        most = [each.named() for each in (self._late, self._slow, self._open)]
        return self.told | {name: one for named in most for name, one in named}

    def rows(self, kind: str) -> Iterator[bytes]:
        """Give the short rows of a kind of collectors, without those that are told whole."""
        without = [*self._late.rows(), *self._slow.rows()] if kind == "succeeded" else ()
        return self.lists[kind].rows(without)

    def number(self, kind: str) -> int:
        """Return how many collectors of a kind are not told whole."""
        told = len(self._late.rows()) + len(self._slow.rows()) if kind == "succeeded" else 0
        return self.lists[kind].number - told

    def _count(self, one: Mapping[str, Any]) -> None:
        status = one["status"]
        if status == "skipped":
            self.reasons[(one["reason"] or "skipped").replace("_", " ")] += 1
            return
        if not one.get("kept"):
            self.asked += 1
            self.bad += status in BAD
        before = one["records_previous"]
        if before is None or status not in {"succeeded", "failed", "timed_out"}:
            return
        if status != "succeeded":
            self.records_before += before
        elif one["records"] is not None:
            self.records += one["records"]
            self.records_before += before

    def _sort(self, name: str, one: Mapping[str, Any], *, is_new: bool = False) -> None:
        """Put a collector where it belongs, of which there are too many to tell all whole.

        *is_new* tells of a failure whose words no other one had before.
        """
        kind = _kind_of(one)
        if self._is_told(kind, is_new=is_new):
            self._kept[kind] += 1
            self.told[name] = one
        else:
            place = self.lists[kind].add(name, one)
            self._note_texts(name, one)
            if kind == "open":
                self._open.offer((one["duration"], -place, name, one))
            elif kind == "succeeded":
                self._offer((one["duration"], -place, name, one))

    def _is_told(self, kind: str, *, is_new: bool) -> bool:
        if kind not in {"bad", "warned"}:
            return False
        return self._kept[kind] < MAX_TOLD + (MAX_NEW if is_new else 0)

    def _offer(self, each: _Candidate) -> None:
        left = self._late.offer(each) if ran_late(each[3]) else each
        if left is not None:
            self._slow.offer(left)

    def _note_texts(self, name: str, one: Mapping[str, Any]) -> None:
        for what, texts in self.texts.items():
            room = MAX_LISTED - len(texts)
            texts += [(one_line(name, 63), one_line(text, 300)) for text in one[what][:room]]
            self.more_texts[what] += max(0, len(one[what]) - room)


class _Most:
    """Those that took longest, at most *size*; of equal ones the first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._heap: list[_Candidate] = []

    def offer(self, each: _Candidate) -> _Candidate | None:
        """Take *each* if it is among those that took longest; return who is not, if anybody."""
        if len(self._heap) < self._size:
            heappush(self._heap, each)
            return None
        return heappushpop(self._heap, each)

    def named(self) -> list[Named]:
        """Return them, the longest first."""
        return [(name, one) for _, _, name, one in sorted(self._heap, reverse=True)]

    def rows(self) -> list[int]:
        """Return the places of their rows."""
        return [-place for _, place, _, _ in self._heap]


def pick(report: Mapping[str, Any]) -> Picks:
    """Return the picks of a whole *report*."""
    picks = Picks(report)
    for name, one in report["collectors"].items():
        picks.add(name, one)
    return picks


def _kind_of(one: Mapping[str, Any]) -> str:
    status: str = one["status"]
    if status in BAD:
        return "bad"
    if status in OPEN:
        return "open"
    return "warned" if status == "succeeded" and has_warning(one) else status


def has_warning(one: Mapping[str, Any]) -> bool:
    """Return whether a collector warned, or an expectation did."""
    return bool(one["warnings"] or (one["expectations"] and odd_words(one)))
