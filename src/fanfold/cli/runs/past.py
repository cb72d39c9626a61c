"""Which slots ``fanfold history --grid`` shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from fanfold.cli.output.history_grid import Grid, Row
from fanfold.domain.model.run import PastRun
from fanfold.domain.rules.history import BY_HAND, SUCCESS, slots_of
from fanfold.ports.ledger import Ledger
from fanfold.views.past import Wanted


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
