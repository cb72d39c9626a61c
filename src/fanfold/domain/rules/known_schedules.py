"""Since when a schedule is known: no slot of it is missed before that."""

from __future__ import annotations

from datetime import datetime, timedelta

from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.known_schedules import KnownSchedules
from fanfold.domain.rules import schedule


def key_of(cron: str, zone: str) -> str:
    """Return what a cron expression that is read in *zone* is remembered by."""
    return f"{' '.join(cron.split())} {zone}"


def known_now(
    catalogue: Catalogue,
    known: KnownSchedules | None,
    now: datetime,
    *,
    oldest: datetime | None = None,
    changed_at: datetime | None = None,
) -> KnownSchedules:
    """Return what is known of the schedules of *catalogue* at *now*: of these, and of no others.

    Args:
        catalogue: The configuration as it is now.
        known: What was remembered, None if nothing ever was.
        now: The present: a schedule that is seen for the first time is known since then.
        oldest: The start of the oldest record. Where nothing was remembered, which is so in what
            older versions wrote, the last slot that is up counts if it came after that.
        changed_at: When the configuration was last changed, for whoever looks and cannot note
            anything: a schedule that nobody noted is known since then at the earliest.
    """
    since = {}
    for cron in schedule.crons(catalogue):
        key = key_of(cron, catalogue.timezone)
        first = changed_at or now
        if known is not None:
            first = known.since.get(key, first)
        elif oldest is not None:
            first = _last_up(catalogue, cron, now, oldest) or first
        since[key] = min(first, now)  # a clock that was set ahead may have noted it
    return KnownSchedules(since, known.judged_until if known else None)


def is_known(cron: str, zone: str, slot: datetime, known: KnownSchedules) -> bool:
    """Return whether *cron* was in the configuration when *slot* came."""
    first = known.since.get(key_of(cron, zone))
    return first is not None and slot >= first


def _last_up(catalogue: Catalogue, cron: str, now: datetime, oldest: datetime) -> datetime | None:
    up = now - timedelta(seconds=catalogue.missed_after_s)
    slot = schedule.last_fire(cron, catalogue.timezone, up)
    return slot if slot is not None and slot >= oldest else None
