"""How one collector stands: its own last outcome, since when, and when it was good last.

Nothing but the collector's own memory counts. What other collectors did since, in runs that did not
ask this one, makes it neither better nor worse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fanfold.domain.model.names import first_run_id
from fanfold.domain.model.run import PastRun, RunFigures
from fanfold.domain.rules.history import KEPT_RUNS, SUCCESS
from fanfold.domain.syntax.text import plural

#: The letters of a slot in which the collector was not asked: an earlier run was busy with it, or
#: no run came.
SKIPPED, MISSED = "k", "m"


class State(StrEnum):
    """What a collector's last outcomes make of it."""

    GOOD = "good"  #: it succeeded, as before
    RECOVERED = "recovered"  #: it succeeded, and did not the time before
    NEW = "new"  #: it did not succeed, for the first time
    STILL = "still"  #: it did not succeed, again
    NEVER = "never"  #: it was never asked


#: Each letter's outcome, and what it says of a collector.
OUTCOMES = {
    "s": "succeeded",
    "f": "failed",
    "t": "timed_out",
    "c": "cancelled",
    "m": "missed",
}
_WORDS = {
    "s": "succeeded",
    "f": "failed",
    "t": "timed out",
    "c": "was cancelled",
    "m": "missed its slot",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a collector stands.

    Args:
        state: See :class:`State`.
        letter: Its last outcome, as in CollectorHistory.outcomes; empty if it was never asked.
        run_id: The run of that outcome.
        since: When it was found bad for the first time without a success after it. None if it is
            not bad.
        is_longer: Whether it was bad before, too, further back than is remembered.
        slots: How many slots in a row it has been bad; one that was tried twice is one.
        runs: How many runs those were, with those that somebody asked for at another time.
        skipped: How many slots it was not asked since, because an earlier run was busy with it.
        tries: How many runs tried its last slot, the last of them included: 2 after one retry.
        last_good: When it succeeded last, None if that is not remembered.
        last_records: The records of that success, None if it did not say.
    """

    state: State = State.NEVER
    letter: str = ""
    run_id: str | None = None
    since: datetime | None = None
    is_longer: bool = False
    slots: int = 0
    runs: int = 0
    skipped: int = 0
    tries: int = 1
    last_good: datetime | None = None
    last_records: int | None = None

    @property
    def is_well(self) -> bool:
        """Whether its last outcome is a success."""
        return self.state in {State.GOOD, State.RECOVERED}

    @property
    def is_bad(self) -> bool:
        """Whether its last outcome is none."""
        return self.state in {State.NEW, State.STILL}

    @property
    def outcome(self) -> str | None:
        """Its last outcome in the words of a report, ``missed``, or None."""
        return OUTCOMES.get(self.letter)

    @property
    def word(self) -> str:
        """What it did last: ``timed out``."""
        return _WORDS.get(self.letter, "was never asked")

    @property
    def length(self) -> str:
        """How long it has been bad: ``3 slots``, or ``2 runs`` where no slot was among them."""
        return plural(self.slots, "slot") if self.slots else plural(self.runs, "run")


def standing_of(past: Sequence[PastRun]) -> Standing:
    """Return how the collector stands whose memory is *past*, oldest first."""
    asked = _asked(past)
    if not asked:
        return Standing(skipped=_slots_skipped(past))
    last = asked[-1]
    bad = _trailing_bad(asked)
    good = [each.figures for each in asked if each.figures.outcome == SUCCESS]
    slots = len({each.figures.slot for each in bad if each.figures.slot is not None})
    return Standing(
        state=_state(asked, bad, slots),
        letter=last.figures.outcome,
        run_id=last.run_id,
        since=_began(bad[0].figures) if bad else None,
        is_longer=len(bad) == len(asked) and len(past) >= KEPT_RUNS,
        slots=slots,
        runs=len(bad),
        skipped=_slots_skipped(past),
        tries=_tries(asked),
        last_good=good[-1].end_time if good else None,
        last_records=good[-1].records if good else None,
    )


def failing_by_run(pasts: Mapping[str, Sequence[PastRun]]) -> Mapping[str, Sequence[str]]:
    """Return the collectors that did not succeed when last asked, by run, the newest run first."""
    last = {name: asked[-1] for name, past in pasts.items() if (asked := _asked(past))}
    newest = sorted(last.items(), key=lambda each: each[1].figures.end_time, reverse=True)
    by_run: dict[str, list[str]] = {}
    for name, each in newest:
        if each.figures.outcome not in (SUCCESS, MISSED):
            by_run.setdefault(each.run_id, []).append(name)
    return by_run


def answers_slot(past: Sequence[PastRun], slot: datetime) -> bool:
    """Return whether something of *past* answers for *slot*: a run that asked, or tried to."""
    return any(
        (each.figures.slot or each.figures.end_time) >= slot
        for each in past
        if each.figures.outcome != MISSED
    )


def _began(bad: RunFigures) -> datetime:
    """Return since when a collector is bad that was found so first with *bad*."""
    return bad.slot if bad.outcome == MISSED and bad.slot is not None else bad.end_time


def _asked(past: Sequence[PastRun]) -> Sequence[PastRun]:
    """Return the runs that asked, and the missed slots that no run made up for."""
    made_up = {each.figures.slot for each in past if each.figures.outcome not in (SKIPPED, MISSED)}
    return [
        each
        for each in past
        if each.figures.outcome != SKIPPED
        and not (each.figures.outcome == MISSED and each.figures.slot in made_up)
    ]


def _state(asked: Sequence[PastRun], bad: Sequence[PastRun], slots: int) -> State:
    if bad:
        is_again = slots > 1 or (slots == 0 and len(bad) > 1)
        return State.STILL if is_again else State.NEW
    is_back = len(asked) > 1 and asked[-2].figures.outcome != SUCCESS
    return State.RECOVERED if is_back else State.GOOD


def _trailing_bad(asked: Sequence[PastRun]) -> list[PastRun]:
    """Return the last runs without a success, oldest first."""
    bad: list[PastRun] = []
    for each in reversed(asked):
        if each.figures.outcome == SUCCESS:
            break
        bad.append(each)
    return bad[::-1]


def _tries(asked: Sequence[PastRun]) -> int:
    """Return how many runs of one chain the last one closes: a run and the retries of it."""
    first = first_run_id(asked[-1].run_id)
    return sum(first_run_id(each.run_id) == first for each in asked)


def _slots_skipped(past: Sequence[PastRun]) -> int:
    """Return in how many of the last slots the collector was busy in an earlier run."""
    number = 0
    for each in reversed(past):
        if each.figures.outcome != SKIPPED:
            break
        number += each.figures.slot is not None
    return number
