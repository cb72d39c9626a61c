"""Cancel: end a run now, with what it has; or end one collector of it, and let the run go on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from fanfold.app.finish import Finisher
from fanfold.app.upstreams import given_up
from fanfold.domain.model.errors import Transient, UnknownCollector, UnknownRun
from fanfold.domain.model.run import Failure, Run
from fanfold.domain.model.states import Outcome, Phase
from fanfold.domain.rules import claim
from fanfold.domain.rules.answering import closed_answer
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import Clock


def cancel(
    run_id: str, *, reason: str, ledger: Ledger, finisher: Finisher, clock: Clock, writer: str
) -> int:
    """Answer *cancelled* for every collector without an answer, finish, and return how many.

    A call that is under way is not interrupted; its answer is kept as late evidence.

    Raises:
        UnknownRun: There is no such run.
    """
    run = _started(run_id, ledger)
    cancelled: Sequence[str] = ()
    if run.phase is not Phase.FINAL:
        try:
            why = f"the run was cancelled: {reason}"
            cancelled = _answer_for(run, why, ledger=ledger, now=clock.now(), writer=writer)
        except Transient:
            raise
        except Exception as exc:  # noqa: BLE001 - its answers cannot be read or completed
            finisher.close_as_failed(run_id, exc)
    finisher.finish(run_id, must_end=True)
    return len(cancelled)


def cancel_collectors(
    run_id: str,
    collectors: Collection[str],
    *,
    reason: str,
    ledger: Ledger,
    finisher: Finisher,
    clock: Clock,
    writer: str,
) -> Sequence[str]:
    """Answer *cancelled* for those of *collectors* without an answer, and return which these were.

    The run goes on, and is finished if that was all it waited for. The first answer stays, here as
    everywhere: of a collector that answers at the same moment either that answer counts or this.

    Raises:
        UnknownRun: There is no such run.
        UnknownCollector: The run did not ask one of them; then none is cancelled.
    """
    run = _started(run_id, ledger)
    asked = {entry.name for entry in ledger.manifest(run_id) if entry.skip is None}
    for name in collectors:
        if name not in asked:
            raise UnknownCollector(run_id, name)
    cancelled: Sequence[str] = ()
    if run.phase is not Phase.FINAL:
        why, now = f"cancelled: {reason}", clock.now()
        cancelled = _answer_for(
            run, why, ledger=ledger, now=now, writer=writer, only=set(collectors)
        )
    # Also where a repeat finds the answers of one that broke off before this.
    if ledger.all_answered(run_id, run.asked):
        finisher.finish(run_id)
    return cancelled


def _started(run_id: str, ledger: Ledger) -> Run:
    run = ledger.run(run_id)
    if run is None or run.is_notice:
        raise UnknownRun(run_id)
    return run


def _answer_for(
    run: Run,
    why: str,
    *,
    ledger: Ledger,
    now: datetime,
    writer: str,
    only: Collection[str] | None = None,
) -> Sequence[str]:
    """Answer *cancelled* for the collectors without an answer; return whose answers these are.

    If given, *only* those are meant.
    """
    jobs = {job.collector: job for job in ledger.jobs(run.run_id)}
    done = {answer.collector for answer in ledger.answers(run.run_id)}
    cancelled = []
    for entry in ledger.manifest(run.run_id):
        is_meant = only is None or entry.name in only
        if is_meant and entry.skip is None and entry.name not in done:
            job = jobs.get(entry.name) or claim.new_job(run, entry.name, run.start_time)
            failure = Failure("cancelled", why)
            answer = closed_answer(Outcome.CANCELLED, job, failure, writer=writer, now=now)
            if ledger.record(answer).writer == writer:
                cancelled.append(entry.name)
            if entry.spec.limits is not None and job.accepted_until is not None:
                given_up(entry.spec.limits, job, ledger=ledger, now=now)
    return cancelled
