"""Pause and resume: keep collectors or schedules from being asked for a while, and say why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from fanfold.domain.model.pause import Pause, Target
from fanfold.domain.rules import pauses
from fanfold.domain.syntax.text import one_line
from fanfold.ports.ledger import Pauses

#: Most characters of who paused something, and of why.
MAX_BY_CHARS, MAX_REASON_CHARS = 200, 500


def pause(
    targets: Sequence[Target],
    *,
    by: str,
    reason: str | None,
    until: datetime | None,
    ledger: Pauses,
    now: datetime,
) -> Sequence[Pause]:
    """Return the pauses of *targets*, which last from *now* on.

    What is paused already stays so since then, with the new reason and end. What runs already goes
    on.
    """
    who, why = one_line(by, MAX_BY_CHARS), one_line(reason or "", MAX_REASON_CHARS) or None
    new = [Pause(each.kind, each.name, now, who, why, until) for each in targets]
    changed = ledger.change_pauses(lambda there: pauses.begun(there, new))
    return [each for each in pauses.current(changed, now) if each.target in targets]


def resume(targets: Sequence[Target], *, by: str, ledger: Pauses, now: datetime) -> Sequence[Pause]:
    """Return the pauses of *targets* that this ended; none if they were not paused."""
    who = one_line(by, MAX_BY_CHARS)
    ended: dict[Target, Pause] = {}

    def change(there: Sequence[Pause]) -> Sequence[Pause]:
        # It may be called again with what it made: what it ended before stays ended by it.
        changed = pauses.ended(there, targets, now, who)
        ended.update({each.target: each for each in changed if each not in there})
        return changed

    stored = ledger.change_pauses(change)
    # What somebody else ended meanwhile was not ended by this.
    return [each for each in ended.values() if each in stored]
