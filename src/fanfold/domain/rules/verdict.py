"""What is said of how things stand: the findings, one sentence, and the code of an exit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fanfold.domain.rules.standing import Standing, State
from fanfold.domain.syntax.text import listed, try_words

#: The codes, from the heaviest to the lightest: something that is needed cannot be read, a run is
#: missing or overdue, something failed or was refused, all is well.
UNREADABLE, MISSING, FAILED, WELL = 5, 4, 1, 0

#: Names that a sentence spells out.
NAMED = 3

Standings = Mapping[str, Standing]


class Kind(StrEnum):
    """What a finding is about."""

    ABSENT = "absent"  #: there is no ledger, or nothing ever happened in it
    UNREADABLE = "unreadable"  #: the configuration's slots, or a stored record, cannot be read
    OVERDUE = "overdue"  #: a slot passed, and no run came
    STUCK = "stuck"  #: a run is past its deadline, and nobody ended it
    FAILING = "failing"  #: a collector's last outcome is no success
    SKIPPED = "skipped"  #: an earlier run kept a collector from its last slots
    REFUSED = "refused"  #: a request was refused
    PAUSED = "paused"  #: somebody paused a collector or a schedule; never a trouble by itself


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not well, or is paused.

    ``at`` is when it began; ``collectors`` are those that it concerns. A collector that is optional
    or paused, or whose failure is tolerated, is a finding with the code 0.
    """

    kind: Kind
    code: int
    text: str
    at: datetime | None = None
    run_id: str | None = None
    collectors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """How things stand: the findings, heaviest first, and each enabled collector's standing."""

    findings: tuple[Finding, ...]
    standings: Mapping[str, Standing]

    @property
    def code(self) -> int:
        """The heaviest finding's code: 5, 4, 1, or 0."""
        return max((each.code for each in self.findings), default=WELL)

    @property
    def sentence(self) -> str:
        """What a person would say, in one line: of the heaviest findings only."""
        heavy = [each for each in self.findings if each.code == self.code]
        if self.code == WELL:
            return _good_words(self.findings, self.standings)
        failing = [each for each in heavy if each.kind is Kind.FAILING]
        others = [each.text for each in heavy if each.kind is not Kind.FAILING]
        words = others[:1] if self.code != FAILED else []
        words += [_failing_words(failing, self.standings)] if failing else []
        words += others[:1] if self.code == FAILED else []
        left = len(others) - 1
        return "; ".join(words) + (f"; and {left} more" if left > 0 else "")


def _failing_words(failing: Sequence[Finding], standings: Standings) -> str:
    names = [name for each in failing for name in each.collectors]
    new = sum(standings[name].state is State.NEW for name in names)
    verb = "does" if len(names) == 1 else "do"
    mixed = f", {new} of them new" if 0 < new < len(names) else ""
    return f"{len(names)} of {len(standings)} {verb} not succeed{mixed}: " + listed(
        [_with_length(name, standings[name]) for name in names], NAMED
    )


def _with_length(name: str, one: Standing) -> str:
    return f"{name} ({one.length})" if one.state is State.STILL else name


def _good_words(findings: Sequence[Finding], standings: Standings) -> str:
    well = sum(one.is_well for one in standings.values())
    never = [name for name, one in standings.items() if one.state is State.NEVER]
    if not standings or len(never) == len(standings):
        return "the first run is under way" if standings else "no collector is enabled"
    if well == len(standings) == 1:
        words = "the one collector succeeded"
    else:
        words = f"{'all' if well == len(standings) else f'{well} of'} {len(standings)} succeeded"
    words += " when last asked" + _again_words(standings)
    words += f"; never asked: {listed(never, NAMED)}" if never else ""
    paused = [name for each in findings if each.kind is Kind.PAUSED for name in each.collectors]
    schedules = [each for each in findings if each.kind is Kind.PAUSED and not each.collectors]
    borne = [name for each in findings for name in each.collectors if name not in paused]
    words += f"; tolerated: {listed(borne, NAMED)}" if borne else ""
    words += f"; paused: {listed(paused, NAMED)}" if paused else ""
    return words + "".join(f"; {each.text}" for each in schedules[:1])


def _again_words(standings: Standings) -> str:
    """Return ``, plu at the second try``: those that a retry brought to a success."""
    again: dict[int, list[str]] = {}
    for name, one in standings.items():
        if one.state is State.RECOVERED and one.tries > 1:
            again.setdefault(one.tries, []).append(name)
    return "".join(
        f", {listed(names, NAMED)} at the {try_words(number)}"
        for number, names in sorted(again.items())
    )
