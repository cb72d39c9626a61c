"""A run as a report, from the ledger alone: as it ended, or how far it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fanfold.domain.model.run import Run
from fanfold.domain.report import fold
from fanfold.domain.report.fallback import fold_or_fallback
from fanfold.ports.ledger import Ledger


def report_now(run: Run, ledger: Ledger, now: datetime) -> dict[str, Any]:
    """Return the report of *run* as the ledger alone tells it at *now*."""
    manifest, answers = ledger.manifest(run.run_id), ledger.answers(run.run_id)
    if run.verdict is None:
        return fold.fold_so_far(run, manifest, ledger.jobs(run.run_id), answers, now)
    lates = ledger.lates(run.run_id)[: run.late_listed]
    revision = max(1, run.revision)
    return fold_or_fallback(run, manifest, answers, lates, revision=revision, remarks=run.remarks)
