"""Plan the second try of one run: whom it asks, and why nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from fanfold.app.retried import read_retried
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import NotRetried, Permanent
from fanfold.domain.model.run import Run
from fanfold.domain.model.unreadable import UnreadableRun
from fanfold.domain.rules.pauses import names_of
from fanfold.domain.rules.retry import Retried, RetryPlan, retry_plan
from fanfold.ports.ledger import Ledger


def plan_retry(
    run: Run, ledger: Ledger, catalogue: Catalogue, now: datetime, named: Sequence[str] = ()
) -> RetryPlan:
    """Return what a retry of *run* asks: what did not succeed, or those that are *named*.

    Raises:
        NotRetried: The run never ran, is not over or cannot be read.
    """
    require_over(run)
    retried = read_for_retry(run, ledger, named)
    if not named:
        return retry_plan(retried, catalogue, paused=names_of(ledger.pauses(), now))
    plan = retry_plan(retried, catalogue, named=named)
    # Those that cannot be asked are refused with their reason, here as by the dispatcher.
    return replace(plan, collectors=tuple(named))


def read_for_retry(run: Run, ledger: Ledger, named: Sequence[str]) -> Retried:
    """Return *run* as a retry sees it.

    Raises:
        NotRetried: It cannot be read.
    """
    try:
        return read_retried(run, ledger, named)
    except Permanent as exc:
        raise NotRetried(
            f"run {run.run_id} cannot be retried, for it cannot be read: {exc}"
        ) from exc


def require_over(run: Run) -> None:
    """Return if *run* ran and is over.

    Raises:
        NotRetried: It did not, or is not, or cannot be read.
    """
    if isinstance(run, UnreadableRun):
        raise NotRetried(f"run {run.run_id} cannot be retried, for it cannot be read: {run.why}")
    if run.is_notice:
        raise NotRetried(f"{run.run_id} never ran: {run.about}")
    if run.verdict is None:
        why = f"run {run.run_id} is still running: what failed is known when it is over"
        raise NotRetried(why, is_running=True)
