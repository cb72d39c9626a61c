"""Read a run that is to be retried, with all that a retry needs to know of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fanfold.domain.model.errors import Permanent, Rejected
from fanfold.domain.model.request import RunRequest
from fanfold.domain.model.run import Run
from fanfold.domain.model.states import Outcome
from fanfold.domain.model.unreadable import Unreadable, UnreadableRun, why_unreadable
from fanfold.domain.rules.history import SUCCESS
from fanfold.domain.rules.retry import Retried
from fanfold.domain.rules.standing import MISSED, SKIPPED
from fanfold.ports.ledger import Ledger


def retried_by(request: RunRequest, ledger: Ledger) -> Retried | None:
    """Return the run that *request* retries, with its answers; None if it is no retry.

    Raises:
        Rejected: There is no such run, it is not over, never ran, or cannot be read.
    """
    if request.retry_of is None:
        return None
    run = ledger.run(request.retry_of)
    if run is None:
        problem = f"there is no run {request.retry_of!r}, or it is not kept any more"
    elif isinstance(run, UnreadableRun):
        problem = f"run {run.run_id} cannot be retried, for it cannot be read: {run.why}"
    elif run.is_notice:
        problem = f"{run.run_id} never ran, so there is nothing to retry: {run.about}"
    elif run.verdict is None:
        problem = f"run {run.run_id} is still running: it can be retried when it is over"
    else:
        try:
            return read_retried(run, ledger, request.collectors or ())
        except Permanent as exc:
            problem = f"run {run.run_id} cannot be retried, for it cannot be read: {exc}"
    raise Rejected([problem])


def read_retried(run: Run, ledger: Ledger, named: Sequence[str] = ()) -> Retried:
    """Return *run*, which is over, as a retry sees it.

    If some are *named*, only they are asked. Of those among them that the run skipped, the last
    answer in another run is read; and of the others that failed, the answer with which another
    run made that good.

    Raises:
        Permanent: What is stored of it cannot be read.
    """
    manifest, answers = ledger.manifest(run.run_id), ledger.answers(run.run_id)
    if len(manifest) != run.total:
        raise Unreadable("a part of its record is gone")
    if why := why_unreadable(run, *manifest):
        raise Unreadable(why)
    retried = Retried(run, manifest, answers)
    standing = retried.standing
    skipped = [each.name for each in manifest if each.name in named and each.name not in standing]
    failed = [
        each.collector
        for each in standing.values()
        if named and each.collector not in named and each.outcome is not Outcome.SUCCEEDED
    ]
    past = ledger.past_runs([*skipped, *failed]) if skipped or failed else {}
    elsewhere, since = {}, {}
    for name in skipped:
        asked = [e for e in past.get(name, ()) if e.figures.outcome not in (SKIPPED, MISSED)]
        last = asked[-1] if asked else None
        if last is not None and (answer := ledger.answer(last.run_id, name)) is not None:
            elsewhere[name] = (answer, last.figures.slot)
    for name in failed:
        last = past[name][-1] if past.get(name) else None
        if last is None or last.figures.outcome != SUCCESS:
            continue
        answer = ledger.answer(last.run_id, name)
        if answer is not None and answer.end_time > standing[name].end_time:
            since[name] = answer
    return replace(retried, elsewhere=elsewhere, since=since)
