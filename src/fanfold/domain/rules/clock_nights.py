"""The nights in which clocks change: which times there are, and what a schedule does then.

What is said of a schedule comes from the same code that starts its runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim
from cronsim.cronsim import Field

from fanfold.domain.rules import schedule
from fanfold.domain.syntax.text import day

DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_MOMENT = timedelta(microseconds=1)

#: The hours of a day.
HOURS = 24

#: Most times that a sentence lists; and most that are looked for: an hour has not more minutes.
MOST_LISTED, _MOST_FIRES = 8, 240


@dataclass(frozen=True, slots=True)
class ClockChange:
    """A local time at which a cron fires and which a clock change skips or repeats."""

    day: date
    start: datetime  #: naive local time at which the odd stretch begins
    end: datetime  #: and at which it ends
    skipped: bool  #: it does not exist; otherwise it happens twice


def clock_change_dates(
    cron: str, zone: str, since: datetime, *, days: int = 731
) -> tuple[ClockChange, ...]:
    """Return the clock changes in the *days* after *since* that touch *cron*, in order.

    A cron that follows elapsed time in every hour is touched by none: it just goes on.

    Raises:
        ValueError: *cron* or *zone* cannot be read.
    """
    schedule.check_cron(cron)
    minute, hour = cron.split()[:2]
    is_elapsed = minute.startswith("*") or hour.startswith("*")
    if is_elapsed and len(Field.HOUR.parse(hour)) == HOURS:
        return ()
    touched = []
    for begin, end, skipped in _odd_stretches(zone, since.date(), days):
        wall = CronSim(cron, begin - timedelta(seconds=1))  # naive: the cron as a wall clock has it
        fire = next(wall, None)
        if fire is not None and fire < end:
            touched.append(ClockChange(begin.date(), begin, end, skipped))
    return tuple(touched)


@lru_cache(maxsize=64)
def _odd_stretches(
    zone: str, since: date, days: int
) -> tuple[tuple[datetime, datetime, bool], ...]:
    """Return the naive local stretches that are skipped (True) or repeated (False)."""
    found = []
    tz = schedule.zone_of(zone)
    day = datetime(since.year, since.month, since.day, tzinfo=UTC)
    for _ in range(days):
        old, new = schedule.offset_at(tz, day), schedule.offset_at(tz, day + DAY)
        if old != new:
            change = _change(tz, day, day + DAY)
            edges = sorted((change + old, change + new))
            found.append((edges[0].replace(tzinfo=None), edges[1].replace(tzinfo=None), new > old))
        day += DAY
    return tuple(found)


def _change(tz: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """Return the first minute in ``(low, high]`` that has the offset of *high*."""
    old = schedule.offset_at(tz, low)
    while high - low > _MINUTE:
        middle = low + timedelta(minutes=(high - low) // _MINUTE // 2)
        if schedule.offset_at(tz, middle) == old:
            low = middle
        else:
            high = middle
    return high


def night_sentences(cron: str, zone: str, changes: Sequence[ClockChange]) -> tuple[str, ...]:
    """Return what *cron* does at the next change that skips a time, and at the next that repeats.

    Args:
        cron: The expression.
        zone: Where it is read.
        changes: The clock changes that touch it, in order.
    """
    first_of_each = {each.skipped: each for each in reversed(changes)}
    return tuple(
        _sentence(cron, zone, each)
        for each in sorted(first_of_each.values(), key=lambda change: change.start)
    )


def fires_around(cron: str, zone: str, change: ClockChange) -> list[datetime]:
    """Return when *cron* fires, in local time, in the stretch that happens twice.

    Or, where a stretch is left out, as long after the jump as that was.
    """
    tz = schedule.zone_of(zone)
    begin = change.start.replace(tzinfo=tz).astimezone(UTC)
    end = change.end.replace(tzinfo=tz, fold=1).astimezone(UTC)
    if change.skipped:
        end = begin + (change.end - change.start)
    fires = schedule.slots_between({cron: begin - _MOMENT}, zone, end - _MOMENT, _MOST_FIRES)
    return [fire.astimezone(tz) for fire in fires]


def _sentence(cron: str, zone: str, change: ClockChange) -> str:
    begin, end = f"{change.start:%H:%M}", f"{change.end:%H:%M}"
    times = [
        f"{each.isoformat(timespec='minutes')[11:]}" for each in fires_around(cron, zone, change)
    ]
    more = len(times) - MOST_LISTED
    listed = ", ".join(times[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
    runs = f"it runs at {listed}" if times else "it does not run"
    on = day(change.start)
    if change.skipped:
        until = f"{change.end + (change.end - change.start):%H:%M}"
        return f"{on}, clocks jump from {begin} to {end}: until {until} {runs}"
    return f"{on}, clocks go back from {end} to {begin}: in the hour that comes twice {runs}"


def instant_in(wall: datetime, zone: str) -> datetime:
    """Return the instant, in UTC, at which clocks in *zone* show *wall*, a naive time.

    Raises:
        ValueError: *zone* is none, or its clocks show that time never, or twice.
    """
    tz = schedule.zone_of(zone)
    try:
        first, second = (wall.replace(tzinfo=tz, fold=fold).astimezone(UTC) for fold in (0, 1))
    except OverflowError as exc:
        raise ValueError(f"{wall} lies outside the calendar") from exc
    if first.astimezone(tz).replace(tzinfo=None) != wall:
        raise ValueError(jump_before(zone, second) or f"{wall} does not exist in {zone}")
    if first != second:
        texts = (each.astimezone(tz).isoformat(timespec="minutes") for each in (first, second))
        raise ValueError(
            f"{wall:%Y-%m-%d %H:%M} happens twice in {zone}: write {' or '.join(texts)}"
        )
    return first


def jump_before(zone: str, at: datetime) -> str:
    """Return what a clock in *zone* left out that *at*, by the old offset, would lie in; or ''."""
    tz, at = schedule.zone_of(zone), at.astimezone(UTC)
    try:
        stretches = _odd_stretches(zone, (at - DAY).date(), 3)
        walls = {
            (at + schedule.offset_at(tz, at + shift)).replace(tzinfo=None) for shift in (-DAY, DAY)
        }
    except OverflowError:
        return ""
    for begin, end, skipped in stretches:
        if skipped and any(begin <= wall < end for wall in walls):
            return (
                f"clocks in {zone} jump from {begin:%H:%M} to {end:%H:%M} on {begin:%Y-%m-%d}: "
                "no time between exists"
            )
    return ""
