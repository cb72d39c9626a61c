"""From what a collector said, or did not say, to its answer: one way for all who may answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from fanfold.domain.model.run import Answer, Attempt, Entry, Failure, Job
from fanfold.domain.model.states import Outcome
from fanfold.domain.model.unreadable import why_unreadable
from fanfold.domain.protocol.contract import Reply
from fanfold.domain.rules import expectations
from fanfold.domain.rules.clocks import slow_words
from fanfold.domain.syntax.durations import duration


def answer_of(
    reply: Reply,
    entry: Entry,
    job: Job,
    *,
    writer: str,
    attempts: Sequence[Attempt],
    now: datetime,
) -> Answer:
    """Return the answer that *reply* makes: what the collector found, held against expectations.

    An expectation that fails makes the answer failed; it is never retried, for the collector did
    its work and the next try would find the same.
    """
    start = attempts[0].start_time if attempts else None
    findings = reply.findings
    if findings is None:
        failure = reply.failure or Failure("bad_response", "the collector said nothing")
        timed_out = failure.kind == "timeout"
        outcome = Outcome.TIMED_OUT if timed_out else Outcome.FAILED
        closed = _answer(outcome, job, writer, attempts, now, error=failure)
        warnings = (reply.log_warning,) if reply.log_warning else ()
        return (
            replace(closed, log=reply.log, warnings=warnings) if reply.log or warnings else closed
        )
    seconds = (now - start).total_seconds() if start else 0.0
    checked = expectations.check(
        entry.spec.expect,
        findings,
        entry.past,
        now=now,
        seconds=seconds,
    )
    broken = expectations.failure(checked)
    own = (
        expectations.missing_count(entry.spec.expect, findings),
        reply.log_warning,
        slow_words(entry.spec, entry.past, seconds),
    )
    return Answer(
        run_id=job.run_id,
        collector=job.collector,
        writer=writer,
        outcome=Outcome.SUCCEEDED if broken is None else Outcome.FAILED,
        end_time=now,
        start_time=start,
        queued_s=None if start is None else job.queued_s(start),
        waited_s=_waited_s(job, now),
        records=findings.records,
        bytes=findings.bytes,
        artifacts=findings.artifacts,
        revision=findings.revision,
        unchanged=findings.unchanged,
        warnings=(*findings.warnings, *filter(None, own)),
        metrics=findings.metrics,
        error=broken,
        expectations=checked,
        attempts=tuple(attempts),
        log=reply.log,
        data_until=findings.data_until,
        schema=findings.schema,
    )


def closed_answer(
    outcome: Outcome, job: Job, failure: Failure, *, writer: str, now: datetime
) -> Answer:
    """Return the answer of a collector that did not answer itself: timed out, lost, cancelled."""
    return _answer(outcome, job, writer, job.attempts, now, error=failure)


def lost_answer(job: Job, *, writer: str, now: datetime) -> Answer:
    """Return the answer of a collector whose attempts all began and never ended in the ledger."""
    failure = Failure(
        "lost",
        f"{job.lost} attempts were started and no end of them was stored: each time the relay "
        "stopped during the call, or could not store what came of it",
    )
    return closed_answer(Outcome.FAILED, job, failure, writer=writer, now=now)


def unanswered(job: Job, down: str | None = None) -> tuple[Outcome, Failure]:
    """Return how a collector without an answer ends at its run's deadline, and why.

    One that waits for a source that is *down*, in words, failed: more time would not have helped.
    """
    if down is not None:
        return Outcome.FAILED, Failure("upstream", down)
    return Outcome.TIMED_OUT, Failure("deadline", _why_unanswered(job))


def _why_unanswered(job: Job) -> str:
    """Return why a collector has no answer at its run's deadline: what *job* says, and no more.

    A job whose lease nobody gave back began an attempt whose end is not stored. Whether it is
    still running, or answered and could not be stored, cannot be known from here.
    """
    if why := why_unreadable(job):
        return f"was not called any more: {why}"
    if job.accepted_until is not None:
        return "accepted the job and did not report before the run's deadline"
    if job.is_waiting and job.wait is not None:
        return f"waited for {job.wait.upstream} until the run's deadline: {job.wait.why}"
    if job.lease is not None:
        before = duration((job.deadline - job.lease.taken_at).total_seconds())
        return (
            f"attempt {job.started} began {before} before the run's deadline, and no answer of it "
            "was stored by then"
        )
    if job.started:
        return f"was waiting to retry after attempt {job.started} at the run's deadline"
    return "was never started before the run's deadline"


def _answer(
    outcome: Outcome,
    job: Job,
    writer: str,
    attempts: Sequence[Attempt],
    now: datetime,
    *,
    error: Failure,
) -> Answer:
    start = attempts[0].start_time if attempts else job.lease.taken_at if job.lease else None
    return Answer(
        run_id=job.run_id,
        collector=job.collector,
        writer=writer,
        outcome=outcome,
        end_time=now,
        start_time=start,
        queued_s=None if start is None else job.queued_s(start),
        waited_s=_waited_s(job, now),
        error=error,
        attempts=tuple(attempts),
    )


def _waited_s(job: Job, now: datetime) -> float | None:
    return None if job.wait is None else job.wait.seconds(now)
