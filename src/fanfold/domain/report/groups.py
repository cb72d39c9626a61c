"""The groups of a report: what was expected of each, what came, and whom each tolerates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fanfold.domain.model.collector import Group
from fanfold.domain.model.states import CollectorState
from fanfold.domain.report.sentences import UNSUCCESSFUL
from fanfold.domain.rules.groups import tolerated
from fanfold.domain.syntax.text import count, one_line

#: Most members that a line names of each kind.
MAX_NAMED = 5

_OPEN = (CollectorState.PENDING, CollectorState.RUNNING)


@dataclass(slots=True)
class GroupTally:
    """Counts the members of the groups of a report, one by one, in its order."""

    _group_of: dict[str, Group] = field(default_factory=dict)
    _status_of: dict[str, str] = field(default_factory=dict)
    _optional: set[str] = field(default_factory=set)

    def add(self, name: str, one: Mapping[str, Any]) -> None:
        """Count the collector *name*, a member of a group, whose part of the report is *one*."""
        self._group_of[name] = Group(**one["group"])
        self._status_of[name] = one["status"]
        if not one["required"]:
            self._optional.add(name)

    def tolerated(self) -> Mapping[str, str]:
        """Return whose failure is tolerated: the name of the group by that of the collector."""
        if not self._group_of:
            return {}
        groups = tolerated(self._group_of, self._succeeded())
        return {
            name: group for name, group in groups.items() if self._status_of[name] in UNSUCCESSFUL
        }

    @property
    def forgiven(self) -> int:
        """How many failures of required collectors are tolerated."""
        return sum(name not in self._optional for name in self.tolerated())

    def report(self) -> dict[str, Any]:
        """Return each group by its name, with one line of what was expected and what came."""
        names: dict[str, list[str]] = {}
        for name, group in self._group_of.items():
            names.setdefault(group.name, []).append(name)
        of_group = self.tolerated()
        return {name: self._group(name, of_one, of_group) for name, of_one in names.items()}

    def _succeeded(self) -> set[str]:
        states = self._status_of.items()
        return {name for name, status in states if status == CollectorState.SUCCEEDED}

    def _group(
        self, group: str, members: Sequence[str], of_group: Mapping[str, str]
    ) -> dict[str, Any]:
        at_least = max(self._group_of[name].at_least for name in members)
        good = [name for name in members if self._status_of[name] == CollectorState.SUCCEEDED]
        is_open = any(self._status_of[name] in _OPEN for name in members)
        return {
            "at_least": at_least,
            "members": list(members),
            "succeeded": len(good),
            "satisfied": True if len(good) >= at_least else None if is_open else False,
            "tolerates": [name for name in members if of_group.get(name) == group],
            "about": self._words(members, at_least, good),
        }

    def _words(self, members: Sequence[str], at_least: int, good: Sequence[str]) -> str:
        parts = [f"{count(len(good))} succeeded" + (f" ({_names(good)})" if good else "")]
        others: dict[str, list[str]] = {}
        for name in members:
            if name not in good:
                others.setdefault(self._status_of[name].replace("_", " "), []).append(name)
        parts += [f"{count(len(each))} {words} ({_names(each)})" for words, each in others.items()]
        return f"expected at least {count(at_least)} of {_names(members)}; {', '.join(parts)}"


def _names(names: Sequence[str]) -> str:
    shown = [one_line(name, 63) for name in names[:MAX_NAMED]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {count(more)} more" if more else "")
