"""Which slots of a stretch of time a backfill makes up for: those without a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from fanfold.domain.model.collector import Catalogue, Collector
from fanfold.domain.rules import pauses, schedule
from fanfold.domain.rules.overdue import RunRecords, answered
from fanfold.domain.rules.slots import read_instant

#: A stretch of time with more slots than this is too long.
MOST_IN_RANGE = 5000

_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time, its ends included."""

    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class BackfillPlan:
    """The slots of a stretch: those to run, each with who is due, and how many have a run.

    ``paused`` says of those to run that were paused when they came, how.
    """

    to_run: Mapping[datetime, Sequence[str]]
    answered: int
    paused: Mapping[datetime, str] = field(default_factory=dict)


def read_stretch(first: str, last: str, zone: str, now: datetime) -> Stretch:
    """Return the stretch between two instants, or days in *zone*, as somebody wrote them.

    A day as the end is meant whole. What is still to come is left out.

    Raises:
        ValueError: One cannot be read, they are in the wrong order, or all of it is to come.
    """
    begin, end = _bound(first, zone, timedelta()), _bound(last, zone, timedelta(days=1))
    if begin > end:
        raise ValueError(f"{first} comes after {last}: write the earlier one first")
    if begin > now:
        raise ValueError(f"{first} is still to come: there is nothing to make up for")
    return Stretch(begin, min(end, now))


def backfill_plan(
    catalogue: Catalogue,
    stretch: Stretch,
    chosen: Sequence[Collector],
    records: RunRecords | None,
    now: datetime,
) -> BackfillPlan:
    """Return the slots in *stretch* in which some of the *chosen* collectors are due.

    *records* are None where nothing ever ran.

    Raises:
        ValueError: There are more than :data:`MOST_IN_RANGE`.
    """
    begins = {each.cron: stretch.first - _MOMENT for each in chosen if each.enabled and each.cron}
    slots = schedule.slots_between(begins, catalogue.timezone, stretch.last, MOST_IN_RANGE + 1)
    if len(slots) > MOST_IN_RANGE:
        raise ValueError(f"more than {MOST_IN_RANGE} slots are in this time: take a shorter one")
    due = {slot: schedule.due_in(catalogue, slot) for slot in slots}
    done = answered(due, catalogue, records, now) if slots and records else set()
    names = {each.name for each in chosen}
    to_run = {
        slot: [name for name in due[slot] if name in names] for slot in slots if slot not in done
    }
    paused = records.pauses() if to_run and records else ()
    by_slot = {slot: pauses.of_slot(paused, catalogue, slot) for slot in to_run}
    words = {slot: pauses.words(each, catalogue.timezone) for slot, each in by_slot.items() if each}
    return BackfillPlan(to_run, len(done), words)


def _bound(text: str, zone: str, length: timedelta) -> datetime:
    """Return the instant *text*; of a day its begin, or what lies *length* behind it, its end."""
    try:
        day = date.fromisoformat(text)
        if length:
            day += length
    except (ValueError, OverflowError):
        return read_instant(text)
    begin = datetime.combine(day, time(), schedule.zone_of(zone)).astimezone(UTC)
    return begin - _MOMENT if length else begin
