"""Which jobs of a run are over by a clock of their own: see :mod:`fanfold.domain.rules.clocks`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from fanfold.domain.model.run import Entry, Failure, Job, Run
from fanfold.domain.rules import clocks
from fanfold.ports.ledger import Ledger


def over_by_own_clocks(
    run: Run, manifest: Sequence[Entry], jobs: Sequence[Job], *, ledger: Ledger, now: datetime
) -> Sequence[tuple[Job, Failure]]:
    """Return the *jobs* that waited too long or fell silent, each with the reason.

    Each is looked at again just before it is returned: what it said meanwhile counts. What it says
    at the same moment is decided by who is stored first, as always.
    """
    specs = {entry.name: entry.spec for entry in manifest}
    over = []
    for job in jobs:
        spec = specs.get(job.collector)
        if spec is None or job.answered or not clocks.overdue(spec, run, job, now):
            continue
        fresh = ledger.snapshot(run.run_id, job.collector)
        if fresh.job is None or fresh.answer is not None or fresh.job.leased_at(now):
            continue
        why = clocks.overdue(spec, run, fresh.job, now)
        if why is not None:
            over.append((fresh.job, why))
    return over
