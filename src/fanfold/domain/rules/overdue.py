"""Which slot is overdue: one rule, for the sweep that records it and for what ``status`` says.

A *slot* is an instant at which the schedule fires. It is overdue once ``missed_after`` has passed
and no run answered for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from fanfold.domain.model import names
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.run import Entry, Run
from fanfold.domain.rules import schedule

#: How far two clocks may differ, in seconds: a run that starts later than this from now does not
#: answer for a slot of today.
CLOCK_TOLERANCE_S = 300.0

#: How many runs are read at first, to find those since a slot.
_FIRST_LOOK = 50


class RunRecords(Protocol):
    """What the rule reads of the stored runs; every ledger has it."""

    def run(self, run_id: str) -> Run | None:
        """Return the run, or None."""
        ...

    def manifest(self, run_id: str) -> Sequence[Entry]:
        """Return the run's manifest."""
        ...

    def recent_runs(self, limit: int) -> Sequence[Run]:
        """Return the newest runs by start, newest first."""
        ...

    def oldest_run_start(self) -> datetime | None:
        """Return the start of the oldest record that is kept."""
        ...


def overdue_slot(catalogue: Catalogue, records: RunRecords, now: datetime) -> datetime | None:
    """Return the last slot whose time is up at *now* if no run answered for it, else None.

    A slot from before the first record does not count: fanfold was not yet in use.
    """
    slot = schedule.slot_of(catalogue, now - timedelta(seconds=catalogue.missed_after_s))
    oldest = records.oldest_run_start()
    if slot is None or oldest is None or slot < oldest:
        return None
    return None if _is_answered(slot, catalogue, records, now) else slot


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


def _is_answered(slot: datetime, catalogue: Catalogue, records: RunRecords, now: datetime) -> bool:
    """Return whether a run answered for *slot*.

    That is the slot's own run, one that was asked for the slot by hand (``due``), or one that
    began after the slot and asked every collector that was due in it.
    """
    own = records.run(names.scheduled_run_id(slot, catalogue.schedule))
    if own is not None and not own.is_notice:
        return True
    due = set(schedule.due_in(catalogue, slot))
    latest = now + timedelta(seconds=CLOCK_TOLERANCE_S)
    return any(
        run.scheduled_for == slot
        or (run.start_time <= latest and due <= _asked(records.manifest(run.run_id)))
        for run in _runs_since(slot, records)
        if not run.is_notice
    )


def _runs_since(slot: datetime, records: RunRecords) -> Sequence[Run]:
    limit = _FIRST_LOOK
    while True:
        runs = records.recent_runs(limit)
        if len(runs) < limit or runs[-1].start_time < slot:
            return [run for run in runs if run.start_time >= slot]
        limit *= 4


def _asked(manifest: Sequence[Entry]) -> set[str]:
    return {entry.name for entry in manifest if entry.skip is None}
