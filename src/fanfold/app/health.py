"""Look: gather what there is to judge of the whole, in reads that do not grow with the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fanfold.app.note_schedules import schedules_now
from fanfold.domain.model import names
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.run import Failure
from fanfold.domain.model.states import RunStatus
from fanfold.domain.rules.health import REFUSED_FOR, Known, health_of, unanswered_slots
from fanfold.domain.rules.overdue import due_unpaused, overdue_slot
from fanfold.domain.rules.verdict import Health
from fanfold.ports.ledger import Ledger

#: Most records of the last hours among which refusals are looked for.
MOST_READ = 2000

#: Most runs of which causes are read, the newest first.
MOST_RUNS = 10

#: Of a run with more failures than this all answers are read at once.
MOST_ALONE = 5


@dataclass(frozen=True, slots=True)
class Look:
    """What was known, what it means, and why each collector that failed did."""

    known: Known
    health: Health
    causes: Mapping[str, Failure]


def look(
    ledger: Ledger,
    catalogue: Catalogue | None,
    now: datetime,
    unreadable: Sequence[str] = (),
    changed_at: datetime | None = None,
) -> Look:
    """Return how things stand in *ledger* at *now*.

    Args:
        ledger: Where to look.
        catalogue: The collectors, their crons and the zone; None if they are unknown.
        now: The present.
        unreadable: What keeps the slots from being known, a sentence each.
        changed_at: When the configuration was last changed, as far as that is known.
    """
    enabled = [each.name for each in catalogue.collectors if each.enabled] if catalogue else []
    past = ledger.past_runs(enabled)
    open_runs = [run for run in ledger.unannounced() if not run.is_notice]
    asked_now = frozenset(ledger.busy(enabled)) if open_runs else frozenset[str]()
    paused = ledger.pauses()
    known = Known(
        now=now,
        catalogue=catalogue,
        unreadable=unreadable,
        past=past,
        open_runs=open_runs,
        refusals=[
            run
            for run in ledger.runs_between(now - REFUSED_FOR, None, MOST_READ)
            if run.verdict is RunStatus.REJECTED
        ],
        overdue=_overdue(
            ledger, catalogue, Known(now, past=past, asked_now=asked_now, paused=paused), changed_at
        )
        if catalogue
        else {},
        asked_now=asked_now,
        paused=paused,
    )
    health = health_of(known)
    causes = _causes(ledger, health)
    if damaged := ledger.unreadable():  # asked last: each of these reads may have met some
        known = replace(known, unreadable=[*unreadable, *damaged])
        health = health_of(known)
    return Look(known, health, causes)


def _overdue(
    ledger: Ledger, catalogue: Catalogue, known: Known, changed_at: datetime | None
) -> Mapping[datetime, Sequence[str]]:
    """Return the slots without a run: the whole schedule's last, and each collector's own last."""
    schedules = schedules_now(ledger, catalogue, known.now, changed_at=changed_at)
    own = unanswered_slots(
        catalogue, known.past, known.asked_now, known.now, schedules, paused=known.paused
    )
    found = {slot: due for slot, due in own.items() if not _has_run(ledger, catalogue, slot)}
    last = overdue_slot(catalogue, schedules, ledger, known.now)
    if last is not None:
        found[last] = due_unpaused(catalogue, last, known.paused)
    return dict(sorted(found.items()))


def _has_run(ledger: Ledger, catalogue: Catalogue, slot: datetime) -> bool:
    run = ledger.run(names.scheduled_run_id(slot, catalogue.schedule))
    return run is not None and not run.is_notice


def _causes(ledger: Ledger, health: Health) -> Mapping[str, Failure]:
    """Return why each collector failed that is not well, as its last run's answer says."""
    by_run: dict[str, list[str]] = {}
    for name, one in health.standings.items():
        if one.is_bad and one.run_id is not None:
            by_run.setdefault(one.run_id, []).append(name)
    causes = {}
    for run_id in sorted(by_run, reverse=True)[:MOST_RUNS]:
        failed = by_run[run_id]
        if len(failed) > MOST_ALONE:
            answers = [each for each in ledger.answers(run_id) if each.collector in set(failed)]
        else:
            found = (ledger.answer(run_id, name) for name in failed)
            answers = [each for each in found if each is not None]
        causes.update({each.collector: each.error for each in answers if each.error is not None})
    return causes
