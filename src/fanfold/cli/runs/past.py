"""Which runs, missed slots and refused requests ``fanfold history`` lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fanfold.cli.output.history import Listed
from fanfold.cli.output.history_grid import Grid, Row
from fanfold.domain.model.run import PastRun
from fanfold.domain.model.states import RunStatus
from fanfold.domain.rules.history import BY_HAND, SUCCESS, slots_of
from fanfold.ports.ledger import Ledger

MISSED, PLANNED = RunStatus.MISSED, RunStatus.PLANNED

#: Records that are read at once, and at most, however few of them are listed.
PAGE, MOST_READ = 200, 5000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to list.

    Args:
        limit: At most so many.
        since: Nothing that began before; None for no bound.
        statuses: The statuses of runs, or outcomes of the collector; empty for all but plans.
        collector: If given, only runs that asked this collector or should have.
    """

    limit: int
    since: datetime | None = None
    statuses: frozenset[str] = frozenset()
    collector: str | None = None


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


def grid_of(ledger: Ledger, collectors: Sequence[str], wanted: Wanted, *, timezone: str) -> Grid:
    """Return the last slots of *collectors*, at most as many as *wanted*; one read, of its memory.

    What the memory of a collector no longer has is not in the grid.
    """
    past = ledger.past_runs(collectors)
    rows = [_grid_row(name, past.get(name, ()), wanted.since) for name in collectors]
    slots = sorted({slot for row in rows for slot in row.slots})[-wanted.limit :]
    first = slots[0] if slots else None
    return Grid(
        slots,
        [
            replace(row, slots={at: each for at, each in row.slots.items() if at >= first})
            if first
            else row
            for row in rows
        ],
        timezone,
    )


def _grid_row(name: str, past: Sequence[PastRun], since: datetime | None) -> Row:
    slots = slots_of([each.figures for each in past])
    kept = [each for each in slots if since is None or each.at >= since]
    runs: dict[datetime, list[str]] = {}
    for each in past:
        runs.setdefault(each.figures.slot or each.figures.end_time, []).append(each.run_id)
    good = [each.figures.end_time for each in past if each.figures.outcome == SUCCESS]
    return Row(
        name,
        slots={each.at: each for each in kept if each.kind != BY_HAND},
        by_hand=[each for each in kept if each.kind == BY_HAND],
        runs=runs,
        last_good=good[-1] if good else None,
    )


def _rows(ledger: Ledger, wanted: Wanted) -> Iterator[Listed]:
    if wanted.collector is not None:
        yield from _rows_of(ledger, wanted.collector, wanted.since)
        return
    read, until = 0, None
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


def _rows_of(ledger: Ledger, collector: str, since: datetime | None) -> Iterator[Listed]:
    past = ledger.past_runs([collector]).get(collector, ())
    found = ((ledger.run(each.run_id), each) for each in reversed(past))
    rows = [Listed(run, each) for run, each in found if run is not None]
    for row in sorted(rows, key=lambda row: row.run.start_time, reverse=True):
        if since is None or row.run.start_time >= since:
            yield row


def _is_wanted(row: Listed, wanted: Wanted) -> bool:
    if not wanted.statuses:
        return row.run.verdict is not PLANNED
    return row.status in wanted.statuses
