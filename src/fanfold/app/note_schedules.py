"""Note since when each schedule is in the configuration: whoever reads it and may write does so."""

from __future__ import annotations

from datetime import datetime

from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.known_schedules import KnownSchedules
from fanfold.domain.rules.known_schedules import known_now
from fanfold.ports.ledger import Ledger


def schedules_now(
    ledger: Ledger, catalogue: Catalogue, now: datetime, *, changed_at: datetime | None = None
) -> KnownSchedules:
    """Return what is known of the schedules of *catalogue*; nothing is written.

    *changed_at* is when the configuration was last changed, as far as that is known.
    """
    known = ledger.known_schedules()
    oldest = ledger.oldest_run_start() if known is None else None
    return known_now(catalogue, known, now, oldest=oldest, changed_at=changed_at)


def note_schedules(ledger: Ledger, catalogue: Catalogue, now: datetime) -> KnownSchedules:
    """Return the same, once it is remembered. Nothing is written where nothing changed."""
    known = ledger.known_schedules()
    oldest = ledger.oldest_run_start() if known is None else None
    current = known_now(catalogue, known, now, oldest=oldest)
    if current != known:
        ledger.note_schedules(current)
    return current
