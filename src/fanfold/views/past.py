"""Which runs, missed slots and refused requests a history lists, and their JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fanfold.domain.model.run import PastRun, Run
from fanfold.domain.model.states import RunStatus
from fanfold.domain.rules.standing import OUTCOMES
from fanfold.domain.syntax.text import instant
from fanfold.ports.ledger import Ledger

MISSED, PLANNED = RunStatus.MISSED, RunStatus.PLANNED

#: Records that are read at once, and at most, however few of them are listed.
PAGE, MOST_READ = 200, 5000


@dataclass(frozen=True, slots=True)
class Listed:
    """A run of the list.

    ``outcome`` is what became in it of the one collector that was asked for, if one was;
    ``retried_by`` are the runs of the list that repeat what failed in it, oldest first.
    ``made_up_by`` is the run of the list that was made for the slot, if this one was missed.
    """

    run: Run
    outcome: PastRun | None = None
    retried_by: Sequence[str] = ()
    made_up_by: str | None = None

    @property
    def status(self) -> str:
        """The collector's outcome, or the run's status."""
        if self.outcome is None:
            return self.run.status.value
        return OUTCOMES.get(self.outcome.figures.outcome, "skipped")

    @property
    def seconds(self) -> float | None:
        """How long the run took, None if it goes on or never ran."""
        if self.run.end_time is None or self.run.is_notice:
            return None
        return (self.run.end_time - self.run.start_time).total_seconds()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to list.

    Args:
        limit: At most so many.
        since: Nothing that began before; None for no bound.
        statuses: The statuses of runs, or outcomes of the collector; empty for all but plans.
        collector: If given, only runs that asked this collector or should have.
        until: Only what began before; None for no bound.
        trigger: If given, only runs of this kind: schedule, ad_hoc or retry.
    """

    limit: int
    since: datetime | None = None
    statuses: frozenset[str] = frozenset()
    collector: str | None = None
    until: datetime | None = None
    trigger: str | None = None


def past_of(ledger: Ledger, wanted: Wanted) -> list[Listed]:
    """Return what is *wanted*, newest first; see :data:`MOST_READ` for how far it looks."""
    rows: list[Listed] = []
    retries: dict[str, list[str]] = {}
    made_for: dict[datetime | None, str] = {}
    for row in _rows(ledger, wanted):
        run = row.run
        if run.retry_of is not None:
            retries.setdefault(run.retry_of, []).append(run.run_id)
        if run.scheduled_for is not None and not run.is_notice:
            made_for[run.scheduled_for] = run.run_id
        if _is_wanted(row, wanted):
            made_up_by = made_for.get(run.scheduled_for) if run.verdict is MISSED else None
            retried_by = tuple(reversed(retries.get(run.run_id, ())))
            rows.append(Listed(run, row.outcome, retried_by, made_up_by))
        if len(rows) == wanted.limit:
            break
    return rows


def listed_document(row: Listed) -> Mapping[str, Any]:
    """Return *row* as JSON for programs; every key is always there."""
    run = row.run
    return {
        "run_id": run.run_id,
        "status": row.status,
        "run_status": run.status.value,
        "about": run.about,
        "slot": _at(run.scheduled_for),
        "start_time": _at(run.start_time),
        "end_time": _at(run.end_time),
        "seconds": row.seconds,
        "records": row.outcome.figures.records
        if row.outcome is not None
        else (run.summary or {}).get("records"),
        "trigger": run.trigger.kind,
        "reason": run.trigger.reason,
        "retry_of": run.retry_of,
        "retried_by": list(row.retried_by),
        "made_up_by": row.made_up_by,
        "report": run.report,
    }


def _rows(ledger: Ledger, wanted: Wanted) -> Iterator[Listed]:
    if wanted.collector is not None:
        yield from _rows_of(ledger, wanted, wanted.collector)
        return
    read, until = 0, wanted.until
    seen: set[str] = set()
    while read < MOST_READ:
        page = ledger.runs_between(wanted.since, until, PAGE)
        fresh = [run for run in page if run.run_id not in seen]
        yield from map(Listed, fresh)
        read += len(page)
        if len(page) < PAGE or not fresh:
            return
        # Others may have begun in the same microsecond as the last one of the page.
        until = page[-1].start_time + timedelta(microseconds=1)
        seen = {run.run_id for run in page}


def _rows_of(ledger: Ledger, wanted: Wanted, collector: str) -> Iterator[Listed]:
    past = ledger.past_runs([collector]).get(collector, ())
    found = ((ledger.run(each.run_id), each) for each in reversed(past))
    rows = [Listed(run, each) for run, each in found if run is not None]
    for row in sorted(rows, key=lambda row: row.run.start_time, reverse=True):
        began = row.run.start_time
        if (wanted.since is None or began >= wanted.since) and (
            wanted.until is None or began < wanted.until
        ):
            yield row


def kind_of(run: Run) -> str:
    """Return what asked for *run*: schedule, ad_hoc or retry."""
    return "retry" if run.retry_of is not None else run.trigger.kind


def _is_wanted(row: Listed, wanted: Wanted) -> bool:
    if wanted.trigger is not None and kind_of(row.run) != wanted.trigger:
        return False
    if not wanted.statuses:
        return row.run.verdict is not PLANNED
    return row.status in wanted.statuses


def _at(moment: datetime | None) -> str | None:
    return instant(moment) if moment else None
