"""What earlier runs know of a collector, from the figures that each of them left.

A slot counts once, however often it was tried: by its best outcome. A run that somebody asked for
at another time counts for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fanfold.domain.model.collector import CollectorHistory
from fanfold.domain.model.run import PastRun, RunFigures

#: Slots that are remembered of each collector, and runs by hand: what the report's grid shows.
KEPT_RUNS = 30

#: Most runs of one slot that are remembered: the first, the best and the last.
KEPT_TRIES = 3

#: Most runs that are remembered of each collector.
MOST_KEPT = KEPT_RUNS * (1 + KEPT_TRIES)

#: Record counts that the report's sparkline shows.
SHOWN_RECORDS = 14

#: Successes whose durations make the median.
MEDIAN_RUNS = 7

#: The letter of a success in CollectorHistory.outcomes.
SUCCESS = "s"

#: The letters of CollectorHistory.kinds: a slot, a slot that was tried again because it failed,
#: and a run by hand.
SLOT, RETRIED, BY_HAND = "srh"

#: The letters of CollectorHistory.outcomes by which a slot counts, the best first: a success, an
#: answer that is none, busy in an earlier run, no run at all. Of equal ones the last one counts.
_RANKS = {"s": 0, "f": 1, "t": 1, "c": 1, "k": 2, "m": 3}


@dataclass(frozen=True, slots=True)
class Slot:
    """What became of a collector in one slot, or in one run that was for no slot.

    Args:
        at: The slot, or the end of a run without one.
        figures: Those that count.
        kind: One of :data:`SLOT`, :data:`RETRIED`, :data:`BY_HAND`.
        tries: How many runs asked it for the slot.
    """

    at: datetime
    figures: RunFigures
    kind: str
    tries: int = 1


def slots_of(figures: Sequence[RunFigures]) -> list[Slot]:
    """Return what *figures*, oldest first, tell of the slots, oldest first, each slot once."""
    found: dict[object, Slot] = {}
    for number, each in enumerate(figures):
        asked = int(each.outcome not in "km")
        if each.slot is None:
            found[number] = Slot(each.end_time, each, BY_HAND)
            continue
        known = found.get(each.slot)
        if known is None:
            found[each.slot] = Slot(each.slot, each, SLOT, asked)
            continue
        tries = known.tries + asked
        best, other = each, known.figures
        if _rank(each) > _rank(known.figures):
            best, other = known.figures, each
        was_bad = known.kind == RETRIED or other.outcome != SUCCESS or best.outcome != SUCCESS
        kind = RETRIED if tries > 1 and was_bad else SLOT
        found[each.slot] = replace(known, figures=best, tries=tries, kind=kind)
    return sorted(found.values(), key=lambda slot: slot.at)


def kept_of(past: Sequence[PastRun]) -> list[PastRun]:
    """Return what is remembered of *past*, oldest first: the newest slots and runs by hand.

    Neither pushes the other out.
    """
    by_hand = [each for each in past if each.figures.slot is None][-KEPT_RUNS:]
    tries: dict[datetime, list[PastRun]] = {}
    for each in past:
        if each.figures.slot is not None:
            tries.setdefault(each.figures.slot, []).append(each)
    kept = {each.run_id for each in by_hand}
    for slot in sorted(tries)[-KEPT_RUNS:]:
        best = min(tries[slot], key=lambda each: _rank(each.figures))
        kept |= {tries[slot][0].run_id, best.run_id, tries[slot][-1].run_id}
    return [each for each in past if each.run_id in kept]


def shown_places(kinds: str) -> range:
    """Return which of the letters of a past are shown, of which *kinds* has the kinds.

    They are those since the oldest of the last :data:`KEPT_RUNS` slots, and of the runs by hand
    the same number.
    """
    slots = by_hand = 0
    for place in range(len(kinds) - 1, -1, -1):
        is_by_hand = kinds[place] == BY_HAND
        slots, by_hand = slots + (not is_by_hand), by_hand + is_by_hand
        if max(slots, by_hand) > KEPT_RUNS:
            return range(place + 1, len(kinds))
    return range(len(kinds))


def history_of(figures: Sequence[RunFigures]) -> CollectorHistory:
    """Return what *figures*, oldest first, tell of their collector."""
    slots = slots_of(figures)
    counting = sorted((slot.figures for slot in slots), key=lambda each: each.end_time)
    successes = [each for each in counting if each.outcome == SUCCESS]
    counted = [each for each in successes if each.records is not None]
    schemas = [each.schema for each in successes if each.schema is not None]
    revisions = [each.revision for each in successes if each.revision is not None]
    places = shown_places("".join(slot.kind for slot in slots))
    shown = slots[places.start :]
    return CollectorHistory(
        records=tuple(each.records for each in counted[-SHOWN_RECORDS:]),
        seconds=tuple(
            each.seconds for each in successes[-MEDIAN_RUNS:] if each.seconds is not None
        ),
        outcomes="".join(slot.figures.outcome for slot in shown),
        revision=revisions[-1] if revisions else None,
        last_success=successes[-1].end_time if successes else None,
        times=tuple(int(slot.at.timestamp()) for slot in shown),
        kinds="".join(slot.kind for slot in shown),
        schema=schemas[-1] if schemas else None,
    )


def without_slot(past: CollectorHistory, slot: datetime | None) -> CollectorHistory:
    """Return *past* without the outcome of *slot*, for a run that tries the slot again."""
    if slot is None:
        return past
    at = int(slot.timestamp())
    kept = [
        place
        for place, (time, kind) in enumerate(zip(past.times, past.kinds, strict=True))
        if time != at or kind == BY_HAND
    ]
    if len(kept) == len(past.times):
        return past
    return replace(
        past,
        outcomes="".join(past.outcomes[place] for place in kept),
        times=tuple(past.times[place] for place in kept),
        kinds="".join(past.kinds[place] for place in kept),
    )


def _rank(figures: RunFigures) -> int:
    return _RANKS.get(figures.outcome, 1)
