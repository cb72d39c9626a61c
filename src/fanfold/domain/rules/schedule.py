"""When a cron expression fires, in a zone. Pure: instants come in, instants go out.

Expressions have the five fields of Debian's cron and of Cloud Scheduler. A time that a clock change
skips fires when the clock has jumped; a time that happens twice fires the first time. Expressions
whose minute or hour field starts with ``*`` follow elapsed time instead, and fire both times.
(Where clocks change by half an hour, on Lord Howe Island, cronsim misses the first half hour of
these on that day.)
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from cronsim.cronsim import Field

from fanfold.domain.model.collector import Catalogue

FIELDS = ("minute", "hour", "day-of-month", "month", "day-of-week")

#: What each field may hold, for people.
_RANGES = {
    "minute": "0-59",
    "hour": "0-23",
    "day-of-month": "1-31",
    "month": "1-12 or JAN-DEC",
    "day-of-week": "0-7 or SUN-SAT",
}

#: No expression is longer than this, in characters.
_LONGEST = 500

#: The search gives up here: a cron that is silent for this long is taken never to fire.
_BOUND = timedelta(days=5 * 366)

#: Names of zones that not every machine has, or reads the same: ``right/`` counts leap seconds.
_OF_THE_MACHINE = re.compile(r"local(time)?|posixrules|factory|(posix|right)/.*", re.IGNORECASE)

_DAY = timedelta(days=1)


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """Return the zone called *name*.

    Raises:
        ValueError: There is none, or it means another zone on another machine.
    """
    if _OF_THE_MACHINE.fullmatch(name):
        raise ValueError(
            f"{_cut(name)} is not the same on every machine; write one such as Europe/Paris"
        )
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:  # OSError: a folder of zones, such as Europe
        raise ValueError(
            f"{_cut(name)} is not a time zone; write one such as Europe/Paris"
        ) from exc


@lru_cache(maxsize=1024)
def check_cron(cron: str) -> None:
    """Return if *cron* can be read.

    Raises:
        ValueError: It cannot; the sentence says which field is wrong and what it may hold.
    """
    parts = cron.upper().split()
    if cron.startswith("@"):
        raise ValueError(f"{_cut(cron)} is a shorthand; cron needs 5 fields: {' '.join(FIELDS)}")
    if len(parts) != len(FIELDS):
        count = f"{len(parts)} field{'' if len(parts) == 1 else 's'}"
        raise ValueError(f"{_cut(cron)} has {count}; cron needs 5: {' '.join(FIELDS)}")
    if len(cron) > _LONGEST:
        raise ValueError(f"a cron expression has at most {_LONGEST} characters")
    for name, part, field in zip(FIELDS, parts, list(Field)[1:], strict=True):
        _check_field(cron, name, part, field)
    try:
        CronSim(cron, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as exc:
        raise ValueError(f"{_cut(cron)} never fires: no such day in these months") from exc


def _check_field(cron: str, name: str, part: str, field: Field) -> None:
    if re.search(r"[L#]", re.sub("JUL", "", part)) and re.fullmatch(r"[0-9A-Z,#/-]+", part):
        raise ValueError(f"{_cut(cron)}: L and # in {name} are not known to Cloud Scheduler")
    try:
        readable = re.fullmatch(r"[0-9A-Z*,/-]+", part, re.ASCII) is not None and bool(
            field.parse(part)
        )
    except CronSimError:
        readable = False
    if not readable:
        raise ValueError(
            f"{_cut(cron)}: {name} cannot be {_cut(part)}; it takes {_RANGES[name]},"
            " *, */n, a-b or a list"
        )


@lru_cache(maxsize=4096)
def last_fire(cron: str, zone: str, at: datetime) -> datetime | None:
    """Return the last instant at or before *at* at which *cron* fires, in UTC.

    None if there is none in the five years before *at*.

    Raises:
        ValueError: *cron* or *zone* cannot be read.
    """
    at = at.astimezone(UTC)
    start = at.replace(microsecond=0) + _swing(zone, at) + timedelta(seconds=1)
    for fire in _fires(cron, zone, start, reverse=True):
        if fire < at - _BOUND:
            return None
        if fire <= at:
            return fire
    return None


@lru_cache(maxsize=4096)
def next_fire(cron: str, zone: str, after: datetime) -> datetime | None:
    """Return the first instant after *after* at which *cron* fires, in UTC.

    None if there is none in the five years after it.

    Raises:
        ValueError: *cron* or *zone* cannot be read.
    """
    after = after.astimezone(UTC)
    for fire in _fires(cron, zone, after, reverse=False):
        if fire > after + _BOUND:
            return None
        if fire > after:
            return fire
    return None


def fires_at(cron: str, zone: str, instant: datetime) -> bool:
    """Return whether *cron* fires in the minute of *instant*.

    Raises:
        ValueError: *cron* or *zone* cannot be read.
    """
    minute = instant.astimezone(UTC).replace(second=0, microsecond=0)
    return last_fire(cron, zone, minute) == minute


def slot_of(catalogue: Catalogue, at: datetime, cron: str | None = None) -> datetime | None:
    """Return the slot that a tick at *at* stands for: the last fire at or before it.

    Of *cron* alone if it is given, otherwise of any enabled collector's.

    Raises:
        ValueError: *cron* cannot be read.
    """
    asked = crons(catalogue) if cron is None else {cron}
    slots = (last_fire(each, catalogue.timezone, at) for each in asked)
    return max((slot for slot in slots if slot is not None), default=None)


def slots_since(catalogue: Catalogue, since: datetime, now: datetime) -> Mapping[datetime, str]:
    """Return the slots in ``(since, now]`` in order, each with an expression that fires in it.

    Of each expression only the last fire: what was slept through before it is missed. Two that
    fire at one instant are one slot, and one run.
    """
    slots: dict[datetime, str] = {}
    for cron in sorted(crons(catalogue)):
        slot = last_fire(cron, catalogue.timezone, now)
        if slot is not None and slot > since:
            slots.setdefault(slot, cron)
    return dict(sorted(slots.items()))


def due_in(catalogue: Catalogue, slot: datetime) -> list[str]:
    """Return the enabled collectors whose cron fires in *slot*, in the file's order."""
    firing = {cron for cron in crons(catalogue) if fires_at(cron, catalogue.timezone, slot)}
    return [each.name for each in catalogue.collectors if each.enabled and each.cron in firing]


def next_slots(catalogue: Catalogue, after: datetime, number: int = 1) -> list[datetime]:
    """Return the next *number* slots after *after*, fewer if so many never come."""
    slots: list[datetime] = []
    while len(slots) < number:
        fires = (next_fire(cron, catalogue.timezone, after) for cron in crons(catalogue))
        slot = min((fire for fire in fires if fire is not None), default=None)
        if slot is None:
            break
        slots.append(slot)
        after = slot
    return slots


def slots_between(
    since: Mapping[str, datetime], zone: str, until: datetime, most: int
) -> Mapping[datetime, Sequence[str]]:
    """Return the slots up to *until* in order, the oldest *most* of them, with who fires in each.

    Args:
        since: The expressions, each with the instant after which its fires count.
        zone: Where they are read.
        until: The last instant that counts.
        most: At most so many.
    """
    fires = heapq.merge(*(_fires_in(cron, zone, at, until) for cron, at in since.items()))
    slots: dict[datetime, list[str]] = {}
    for slot, cron in fires:
        if slot not in slots and len(slots) == most:
            break
        slots.setdefault(slot, []).append(cron)
    return slots


def _fires_in(
    cron: str, zone: str, since: datetime, until: datetime
) -> Iterator[tuple[datetime, str]]:
    first = next_fire(cron, zone, since)  # remembered: a sweep asks the same again and again
    if first is None or first > until:
        return
    for fire in _fires(cron, zone, since.astimezone(UTC), reverse=False):
        if fire > until:
            return
        if fire > since:
            yield fire, cron


def crons(catalogue: Catalogue) -> set[str]:
    """Return the expressions of the enabled collectors."""
    return {each.cron for each in catalogue.collectors if each.enabled and each.cron}


def offset_at(tz: ZoneInfo, at: datetime) -> timedelta:
    """Return how far clocks in *tz* are ahead of UTC at the instant *at*."""
    return at.astimezone(tz).utcoffset() or timedelta()


def _swing(zone: str, at: datetime) -> timedelta:
    """Return by how much local time jumps around *at*.

    The search back starts so much later: cronsim loses which of two equal local times it is in,
    and would step over a fire in the first of them.
    """
    tz = zone_of(zone)
    try:
        return abs(offset_at(tz, at + _DAY) - offset_at(tz, at - _DAY))
    except OverflowError:  # the ends of the calendar
        return timedelta()


def _fires(cron: str, zone: str, start: datetime, *, reverse: bool) -> Iterator[datetime]:
    """Yield the fires strictly beyond *start*, going away from it."""
    check_cron(cron)
    try:
        for fire in CronSim(cron, start.astimezone(zone_of(zone)), reverse=reverse):
            yield fire.astimezone(UTC)
    except (OverflowError, ValueError):  # the ends of the calendar
        return


def _cut(text: str) -> str:
    shown = text if len(text) <= 60 else text[:57] + "..."
    return repr(shown)
