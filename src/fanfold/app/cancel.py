"""Cancel: end a run now, with what it has."""

from __future__ import annotations

from datetime import datetime

from fanfold.app.finish import Finisher
from fanfold.domain.model.errors import Transient, UnknownRun
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
    run = ledger.run(run_id)
    if run is None or run.is_notice:
        raise UnknownRun(run_id)
    cancelled = 0
    if run.phase is not Phase.FINAL:
        try:
            cancelled = _answer_for_all(run, reason, ledger=ledger, now=clock.now(), writer=writer)
        except Transient:
            raise
        except Exception as exc:  # noqa: BLE001 - its answers cannot be read or completed
            finisher.close_as_failed(run_id, exc)
    finisher.finish(run_id, must_end=True)
    return cancelled


def _answer_for_all(run: Run, reason: str, *, ledger: Ledger, now: datetime, writer: str) -> int:
    """Answer *cancelled* for every collector without an answer; return how many."""
    jobs = {job.collector: job for job in ledger.jobs(run.run_id)}
    done = {answer.collector for answer in ledger.answers(run.run_id)}
    cancelled = 0
    for entry in ledger.manifest(run.run_id):
        if entry.skip is None and entry.name not in done:
            job = jobs.get(entry.name) or claim.new_job(run, entry.name, run.start_time)
            failure = Failure("cancelled", f"the run was cancelled: {reason}")
            answer = closed_answer(Outcome.CANCELLED, job, failure, writer=writer, now=now)
            cancelled += ledger.record(answer).writer == writer
    return cancelled
