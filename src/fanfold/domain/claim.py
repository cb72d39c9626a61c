"""Whether a relay may work on a job: one rule, applied by every ledger inside its own atomic step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fanfold.domain.collector import CollectorSpec
from fanfold.domain.run import Answer, Job, Lease

#: A lease outlives its attempt by this long, in seconds: the pause between the last check and
#: the first byte, and the time to record the answer, must fit in.
LEASE_MARGIN_S = 30.0

#: An attempt that could not have this long before the deadline does not start, in seconds.
MIN_ATTEMPT_S = 1.0


@dataclass(frozen=True, slots=True)
class Granted:
    """The job is yours until ``lease.until``; ``job`` is it as it stands now."""

    lease: Lease
    job: Job


@dataclass(frozen=True, slots=True)
class Answered:
    """The collector has its answer; its result event may have been lost."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Closed:
    """There is nothing to do and never will be. ``why`` says so in a sentence."""

    why: str


@dataclass(frozen=True, slots=True)
class Held:
    """Another relay has the lease until then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """The backoff, or an accepted asynchronous call, lasts until then."""

    until: datetime
    accepted: bool


@dataclass(frozen=True, slots=True)
class Exhausted:
    """Every attempt was started and the last one's end was never recorded."""

    job: Job


Claim = Granted | Answered | Closed | Held | Waiting | Exhausted


def attempt_budget_s(timeout_s: float, *, now: datetime, deadline: datetime) -> float:
    """Return how long an attempt that starts at *now* may take, in seconds; 0 if none may start.

    That is the collector's timeout, or what is left before the deadline if that is less; less
    than :data:`MIN_ATTEMPT_S` is not worth starting.
    """
    budget_s = min(timeout_s, (deadline - now).total_seconds())
    return budget_s if budget_s >= min(MIN_ATTEMPT_S, timeout_s) else 0.0


def decide(spec: CollectorSpec, job: Job, *, holder: str, now: datetime) -> Claim:
    """Return what becomes of *holder*'s wish to work on *job*, which has no answer yet.

    A grant is a new value of the job with a new lease; the ledger stores exactly that.
    """
    if job.accepted_until is not None:
        return Waiting(job.accepted_until, accepted=True)
    if job.lease is not None and now < job.lease.until:
        return Held(job.lease.until)
    budget_s = attempt_budget_s(spec.timeout_s, now=now, deadline=job.deadline)
    if not budget_s:
        return Closed("too little time is left before the deadline; the sweep answers")
    if job.started >= spec.max_attempts:
        return Exhausted(job)
    if job.not_before is not None and now < job.not_before:
        return Waiting(job.not_before, accepted=False)
    lease = Lease(
        run_id=job.run_id,
        collector=job.collector,
        fence=job.fence + 1,
        holder=holder,
        attempt=job.started + 1,
        taken_at=now,
        until=now + timedelta(seconds=budget_s + LEASE_MARGIN_S),
    )
    return Granted(
        lease,
        replace(job, fence=lease.fence, started=lease.attempt, lease=lease, not_before=None),
    )
