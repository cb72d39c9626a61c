"""One attempt as two steps without I/O: what to call, and what follows from the reply.

Whoever works on jobs, one call in a thread or hundreds in one loop, does the same: claim, ask
:func:`begin` for the call, make it, ask :func:`conclude` what follows, and store exactly that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fanfold.domain.model.run import Answer, Attempt, Failure
from fanfold.domain.protocol.contract import Call, Reply
from fanfold.domain.rules import backoff
from fanfold.domain.rules.answering import answer_of
from fanfold.domain.rules.claim import Granted, attempt_budget_s
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.limits import MAX_TEXT_CHARS
from fanfold.domain.syntax.text import one_line
from fanfold.domain.syntax.traceparent import ids_of, traceparent_of


@dataclass(frozen=True, slots=True)
class Retry:
    """The attempt failed and another one follows, ``wait_s`` seconds after its end."""

    attempt: Attempt
    wait_s: float


@dataclass(frozen=True, slots=True)
class Accept:
    """The collector took the job and answers by itself, at the latest at ``until``."""

    attempt: Attempt
    until: datetime


def begin(
    granted: Granted,
    *,
    now: datetime,
    callback: Mapping[str, str] | None = None,
    traceparent: str | None = None,
) -> Call | None:
    """Return the call to make at *now*, or None if the lease does not leave the time for it.

    Args:
        granted: What the ledger granted.
        now: The instant at which the call starts.
        callback: Where the collector may answer later; see :class:`Call`.
        traceparent: The trace context of the job's message. It is passed on if it belongs to the
            run's trace; a message can name another, and the run is one trace.
    """
    lease, entry, run = granted.lease, granted.entry, granted.run
    left_s = (granted.job.deadline - now).total_seconds()
    budget_s = attempt_budget_s(entry.spec.timeout_s, left_s=left_s)
    if not budget_s or now + timedelta(seconds=budget_s) > lease.until:
        return None
    ids = ids_of(traceparent)
    if ids is None or ids[0] != run.trace_id:
        traceparent = traceparent_of(run.trace_id, lease.run_id, lease.collector, lease.attempt)
    counts = entry.past.records
    return Call(
        spec=entry.spec,
        run_id=lease.run_id,
        attempt=lease.attempt,
        deadline=now + timedelta(seconds=budget_s),
        timeout_s=budget_s,
        scheduled_for=run.scheduled_for,
        previous={"revision": entry.past.revision, "records": counts[-1] if counts else None},
        callback=callback,
        traceparent=traceparent,
    )


def conclude(
    granted: Granted, reply: Reply, *, start: datetime, end: datetime, jitter: float
) -> Answer | Retry | Accept:
    """Return what follows from *reply*, which came at *end* to the call that began at *start*.

    *jitter* is a draw from ``[0, 1)``: by it the backoff of a retry is drawn.
    """
    lease, entry, job = granted.lease, granted.entry, granted.job
    attempt = Attempt(
        lease.attempt, start, end, _outcome(reply), reply.http_status, error=reply.failure
    )
    if reply.accepted:
        until = min(start + timedelta(seconds=entry.spec.timeout_s), job.deadline)
        return Accept(attempt, until)
    if reply.failure is not None and _may_retry(granted, reply.failure):
        wait_s, why_not = _wait(granted, reply, end, jitter)
        if not why_not:
            return Retry(replace(attempt, outcome="retry"), wait_s)
        failure = _because(reply.failure, why_not)
        reply, attempt = replace(reply, failure=failure), replace(attempt, error=failure)
    return answer_of(
        reply,
        entry,
        job,
        writer=f"{lease.holder}/{lease.fence}",
        attempts=(*job.attempts, attempt),
        now=end,
    )


def _outcome(reply: Reply) -> str:
    if reply.accepted:
        return "accepted"
    return "succeeded" if reply.failure is None else "failed"


def _may_retry(granted: Granted, failure: Failure) -> bool:
    ended = len(granted.job.attempts) + 1
    return failure.retryable and ended < granted.entry.spec.max_attempts


def _wait(granted: Granted, reply: Reply, now: datetime, jitter: float) -> tuple[float, str]:
    """Return the wait before the next attempt, in seconds, and why there is none, or ``""``.

    A collector that asks for a longer wait than the run lasts is not called again, even where
    ``max_backoff`` is short: it said that it cannot answer in this run.
    """
    spec, stated_s = granted.entry.spec, reply.retry_after_s
    left_s = (granted.job.deadline - now).total_seconds()
    own_s = backoff.backoff_s(
        len(granted.job.attempts) + 1,
        base_s=spec.backoff_s,
        cap_s=spec.max_backoff_s,
        jitter=jitter,
    )
    wait_s = backoff.wait_s(stated_s, own_s, cap_s=spec.max_backoff_s)
    longest_s = max(wait_s, stated_s or 0.0)
    if attempt_budget_s(spec.timeout_s, left_s=left_s - longest_s):
        return wait_s, ""
    asked = "asked to wait" if stated_s and stated_s >= own_s else "the next try would come after"
    ends = f"the run ends in {duration(max(0.0, left_s))}"
    return wait_s, f"{asked} {duration(longest_s)}, {ends}"


def _because(failure: Failure, why: str) -> Failure:
    """Return *failure* with *why* at the end of its message, whatever of that must be cut."""
    message = one_line(failure.message, MAX_TEXT_CHARS - len(why) - 2)
    return replace(failure, message=f"{message}; {why}")
