"""Cancel: end a run now, with what it has."""

from __future__ import annotations

from fanfold.app.finish import Finisher
from fanfold.domain.model.errors import UnknownRun
from fanfold.domain.model.run import Failure
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
    if run.phase is Phase.FINAL:
        return 0
    now = clock.now()
    jobs = {job.collector: job for job in ledger.jobs(run_id)}
    done = {answer.collector for answer in ledger.answers(run_id)}
    cancelled = 0
    for entry in ledger.manifest(run_id):
        if entry.skip is None and entry.name not in done:
            job = jobs.get(entry.name) or claim.new_job(run, entry.name, run.start_time)
            failure = Failure("cancelled", f"the run was cancelled: {reason}")
            answer = closed_answer(Outcome.CANCELLED, job, failure, writer=writer, now=now)
            cancelled += ledger.record(answer).writer == writer
    finisher.finish(run_id)
    return cancelled
