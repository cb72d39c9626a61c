"""Which slots are missed, and which is overdue: one rule, for the sweep and for ``status``.

A *slot* is an instant at which the schedule fires. It is missed if ``missed_after`` passed and no
run answered for it. The last one is overdue until something answers for it, or for a later one.
What is known of the runs is one list of their records, read once and of a bounded length.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from fanfold.domain.model import names
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.known_schedules import KnownSchedules
from fanfold.domain.model.pause import Pause
from fanfold.domain.model.run import Entry, PastRun, Run
from fanfold.domain.rules import pauses, schedule
from fanfold.domain.rules.known_schedules import is_known, key_of
from fanfold.domain.rules.pauses import Pauses
from fanfold.domain.rules.standing import MISSED, SKIPPED

#: How far two clocks may differ, in seconds: a run that starts later than this from now does not
#: answer for a slot of today. As much earlier than its slot a run may begin.
CLOCK_TOLERANCE_S = 300.0

#: Slots from before this are not looked for.
LOOKED_BACK = timedelta(days=7)

_MOMENT = timedelta(microseconds=1)

#: Most slots that are judged at once; the next sweep judges the next ones.
MOST_SLOTS = 500

#: Most records of runs that are read to judge slots, the newest. Of those older than these only
#: a slot's own run is found.
MOST_RUNS = 2000

#: Most open runs whose manifests are read, the newest: what they ask is remembered nowhere else.
MOST_OPEN = 20


class RunRecords(Protocol):
    """What the rule reads of the stored runs; every ledger has it."""

    def run(self, run_id: str) -> Run | None:
        """Return the run, or None."""
        ...

    def manifest(self, run_id: str) -> Sequence[Entry]:
        """Return the run's manifest."""
        ...

    def runs_between(
        self, since: datetime | None, until: datetime | None, limit: int
    ) -> Sequence[Run]:
        """Return the newest runs that started in ``[since, until)``, newest first."""
        ...

    def past_runs(self, collectors: Sequence[str]) -> Mapping[str, Sequence[PastRun]]:
        """Return what is remembered of each of *collectors*."""
        ...

    def pauses(self) -> Sequence[Pause]:
        """Return what is paused, or was."""
        ...


@dataclass(frozen=True, slots=True)
class Judged:
    """The slots that are missed, oldest first, each with who was due, and the last one judged."""

    missed: Mapping[datetime, Sequence[str]]
    until: datetime | None


@dataclass(frozen=True, slots=True)
class SlotAnswers:
    """What the runs since some instant answer for.

    Args:
        made_for: The run that was made for a slot, by slot.
        begun: By collector, when runs began that asked it, and that no slot was named for.
        is_whole: Whether these are all the runs since then.
    """

    made_for: Mapping[datetime, str]
    begun: Mapping[str, Sequence[datetime]]
    is_whole: bool = True

    def is_made_up(
        self, due: Sequence[str], slot: datetime, before: datetime | None = None
    ) -> bool:
        """Return whether everybody *due* was asked by hand since *slot*, and *before* the next."""
        return bool(due) and all(
            any(slot <= at and (before is None or at < before) for at in self.begun.get(name, ()))
            for name in due
        )


def missed_slots(
    catalogue: Catalogue, known: KnownSchedules, records: RunRecords, now: datetime
) -> Judged:
    """Return the slots that came since the last ones were judged and that nobody answered for.

    A slot is judged once ``missed_after`` has passed. If it is missed, those after it that nobody
    answered for either are so as well, up to the first that somebody did: it is one outage.
    A slot in which everybody who was due is paused needs no run.
    """
    up = now - timedelta(seconds=catalogue.missed_after_s)
    oldest = now - LOOKED_BACK
    # A whole hour, so that the next sweep asks for the fires after the same instant.
    hour = oldest.replace(minute=0, second=0, microsecond=0)
    since = max(known.judged_until or hour, hour)
    if since > up:  # the clock was set back, or missed_after is longer now
        since = (_last_slot(catalogue, known, up) or up) - _MOMENT
    slots = _due_by_slot(catalogue, known, since, now)
    # Of more than are judged at once the last one only ends the time of the one before.
    ends: list[datetime | None] = [
        *itertools.islice((slot for slot in slots if slot >= oldest), 1, None)
    ]
    ends += [None] if len(slots) <= MOST_SLOTS else []
    slots = {slot: due for slot, due in slots.items() if slot >= oldest}
    if not slots or next(iter(slots)) > up:
        return Judged({}, None)
    slots = _without_paused(slots, catalogue, records.pauses())
    answers = answers_since(next(iter(slots)), slots, records, now)
    missed: dict[datetime, Sequence[str]] = {}
    later: dict[datetime, Sequence[str]] = {}
    last = None
    for (slot, due), before in zip(slots.items(), ends, strict=False):
        is_answered = not due or _is_answered(
            slot, due, before, answers=answers, catalogue=catalogue, records=records
        )
        if slot <= up:
            last = slot
            missed |= {} if is_answered else {slot: due}
        elif not is_answered:
            later[slot] = due
        else:
            is_one_outage = last in missed
            return Judged(missed | later, slot) if is_one_outage else Judged(missed, last)
    return Judged(missed, last)


def overdue_slot(
    catalogue: Catalogue, known: KnownSchedules, records: RunRecords, now: datetime
) -> datetime | None:
    """Return the last slot whose time is up at *now* if nothing answered for it since, else None.

    A run of a later slot answers for it, too: what was missed then is over. A slot in which
    everybody who was due is paused counts as none.
    """
    up = now - timedelta(seconds=catalogue.missed_after_s)
    paused = records.pauses()
    slot = _last_slot(catalogue, known, up, paused)
    if slot is None:
        return None
    due = due_unpaused(catalogue, slot, paused)
    answers = answers_since(slot, {slot: due}, records, now)
    is_over = any(each >= slot for each in answers.made_for) or answers.is_made_up(due, slot)
    return None if is_over or _has_own_run(slot, answers, catalogue, records) else slot


def answers_since(
    first: datetime,
    slots: Mapping[datetime, Sequence[str]],
    records: RunRecords,
    now: datetime,
) -> SlotAnswers:
    """Return what the runs answer for that began since the slot *first*.

    Args:
        first: The oldest of the slots.
        slots: Who is due in each.
        records: The runs.
        now: The present.
    """
    tolerance = timedelta(seconds=CLOCK_TOLERANCE_S)
    heads = records.runs_between(first - tolerance, None, MOST_RUNS)
    latest = now + tolerance
    runs = [run for run in heads if not run.is_notice]
    of_slots = [(run.scheduled_for, run.run_id) for run in runs if run.scheduled_for is not None]
    made_for = {slot: run_id for slot, run_id in of_slots if slot <= latest}
    by_hand = [run for run in runs if run.scheduled_for is None and run.start_time <= latest]
    due = sorted({name for names_due in slots.values() for name in names_due})
    begun: dict[str, list[datetime]] = {}
    for name, at in _asked(by_hand, due, records) if by_hand else ():
        begun.setdefault(name, []).append(at)
    return SlotAnswers(made_for, begun, is_whole=len(heads) < MOST_RUNS)


def answered(
    slots: Mapping[datetime, Sequence[str]],
    catalogue: Catalogue,
    records: RunRecords,
    now: datetime,
) -> set[datetime]:
    """Return those of *slots*, in order and each with who is due, that something answered for."""
    answers = answers_since(next(iter(slots)), slots, records, now)
    after_last = [*schedule.next_slots(catalogue, max(slots)), None]
    before = [*itertools.islice(slots, 1, None), after_last[0]]
    return {
        slot
        for (slot, due), end in zip(slots.items(), before, strict=True)
        if _is_answered(slot, due, end, answers=answers, catalogue=catalogue, records=records)
    }


def slots_to_start(catalogue: Catalogue, since: datetime, now: datetime) -> Mapping[datetime, str]:
    """Return the slots in ``(since, now]`` that are not overdue, each with a cron that fires in it.

    If *since* lies after *now*, the clock was set back. Then every slot that is not overdue is
    returned: the same slot twice is the same run, and one that is left out would be missed.
    """
    wait = timedelta(seconds=catalogue.missed_after_s)
    if since > now:
        since = now - wait
    slots = schedule.slots_since(catalogue, since, now)
    return {slot: cron for slot, cron in slots.items() if now - slot < wait}


def missed_run_id(slot: datetime, catalogue: Catalogue) -> str:
    """Return the id of the record that says that *slot* was missed."""
    return names.scheduled_run_id(slot, catalogue.schedule) + names.MISSED


def _is_answered(
    slot: datetime,
    due: Sequence[str],
    before: datetime | None,
    *,
    answers: SlotAnswers,
    catalogue: Catalogue,
    records: RunRecords,
) -> bool:
    """Return whether a run answered for *slot*.

    That is one that was made for it: the slot's own, or one that was asked for it by hand (``due``,
    ``slot``). Or those that began in the time until the next slot, which is *before*, and asked
    everybody who was *due*.
    """
    if slot in answers.made_for or answers.is_made_up(due, slot, before):
        return True
    return _has_own_run(slot, answers, catalogue, records)


def _has_own_run(
    slot: datetime, answers: SlotAnswers, catalogue: Catalogue, records: RunRecords
) -> bool:
    """Return whether the slot's own run is there, where too many runs came since to be read."""
    if answers.is_whole:
        return False
    own = records.run(names.scheduled_run_id(slot, catalogue.schedule))
    return own is not None and not own.is_notice


def _asked(
    runs: Sequence[Run], due: Sequence[str], records: RunRecords
) -> Iterator[tuple[str, datetime]]:
    """Give who was asked by *runs*, and when each began.

    What a run that is over asked is in the memory of the collectors.
    """
    still_open = [run for run in runs if run.announced_at is None]
    for run in still_open[:MOST_OPEN]:
        for entry in records.manifest(run.run_id):
            if entry.skip is None:
                yield entry.name, run.start_time
    began = {run.run_id: run.start_time for run in runs}
    for name, past in records.past_runs(due).items():
        for each in past:
            if each.run_id in began and each.figures.outcome not in (MISSED, SKIPPED):
                yield name, began[each.run_id]


def _due_by_slot(
    catalogue: Catalogue, known: KnownSchedules, since: datetime, until: datetime
) -> Mapping[datetime, Sequence[str]]:
    """Return the slots in ``(since, until]`` of schedules that were known then, with who is due.

    One more than :data:`MOST_SLOTS` at most, the oldest.
    """
    begins = {
        cron: max(since, first - _MOMENT)
        for cron in schedule.crons(catalogue)
        if (first := known.since.get(key_of(cron, catalogue.timezone))) is not None
    }
    slots = schedule.slots_between(begins, catalogue.timezone, until, MOST_SLOTS + 1)
    enabled = [each for each in catalogue.collectors if each.enabled]
    return {
        slot: [each.name for each in enabled if each.cron in firing]
        for slot, firing in slots.items()
    }


def due_unpaused(catalogue: Catalogue, slot: datetime, paused: Pauses) -> list[str]:
    """Return the enabled collectors that are due in *slot* and that no pause keeps from it."""
    due = schedule.due_in(catalogue, slot)
    return due if not paused else list(_without_paused({slot: due}, catalogue, paused)[slot])


def _without_paused(
    slots: Mapping[datetime, Sequence[str]], catalogue: Catalogue, paused: Pauses
) -> dict[datetime, Sequence[str]]:
    """Return *slots* without the collectors that a pause keeps from being due in them."""
    if not paused:
        return dict(slots)
    collectors = {each.name: each for each in catalogue.collectors}
    return {
        slot: [name for name in due if pauses.in_slot(paused, collectors[name], slot) is None]
        for slot, due in slots.items()
    }


def _last_slot(
    catalogue: Catalogue, known: KnownSchedules, at: datetime, paused: Pauses = ()
) -> datetime | None:
    """Return the last slot at or before *at* of a schedule that was known then, and not paused."""
    zone = catalogue.timezone
    fires = {
        (each.cron, pauses.last_fire(paused, each.cron, zone, at, each.name if paused else None))
        for each in catalogue.collectors
        if each.enabled and each.cron
    }
    slots = [fire for cron, fire in fires if fire and is_known(cron, zone, fire, known)]
    return max(slots, default=None)
