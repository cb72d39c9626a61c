"""Whether a relay may work on a job: one rule, applied by every ledger in its own atomic step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fanfold.domain.model.run import Answer, Entry, Job, Lease, Run
from fanfold.domain.model.states import Phase
from fanfold.domain.model.unreadable import why_unreadable

#: A lease outlives its attempt by this long, in seconds: the pause between the last check and
#: the first byte, and the time to record the answer, must fit in.
LEASE_MARGIN_S = 30.0

#: An attempt that could not have this long before the deadline does not start, in seconds.
MIN_ATTEMPT_S = 1.0

#: Attempts that were started and whose end was never recorded, because their relay died: after
#: this many the collector is given up, for it may be what kills its relays.
MAX_LOST_ATTEMPTS = 3

#: How long a job waits before it looks again whether the earlier run let go, in seconds.
QUEUE_RECHECK_S = 10.0


@dataclass(frozen=True, slots=True)
class Granted:
    """The job is yours until ``lease.until``; ``job`` is it as it stands now."""

    lease: Lease
    job: Job
    entry: Entry
    run: Run


@dataclass(frozen=True, slots=True)
class Answered:
    """The collector has its answer; its result event may have been lost, and what it releases."""

    answer: Answer
    entry: Entry


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
    """The job is not to be worked before ``until``. ``why`` says so in a sentence."""

    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The collector took the job and answers by itself, until then."""

    until: datetime
    entry: Entry


@dataclass(frozen=True, slots=True)
class Exhausted:
    """No attempt is left, and no answer came of those there were: their relays died."""

    job: Job
    entry: Entry
    run: Run


Claim = Granted | Answered | Closed | Held | Waiting | Accepted | Exhausted


def attempt_budget_s(timeout_s: float, *, left_s: float) -> float:
    """Return how long an attempt may take, in seconds; 0 if none may start.

    That is the collector's timeout, or what is left before the deadline, *left_s*, if that is
    less; less than :data:`MIN_ATTEMPT_S` is not worth starting.
    """
    budget_s = min(timeout_s, left_s)
    return budget_s if budget_s >= min(MIN_ATTEMPT_S, timeout_s) else 0.0


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """Everything that is stored about one job, as one consistent view.

    ``blocked`` says that ``entry.queue_behind`` still waits for this collector.
    """

    run: Run | None
    entry: Entry | None = None
    job: Job | None = None
    answer: Answer | None = None
    blocked: bool = False


def decide(  # noqa: C901 - the rule is one list of cases, in order
    snapshot: JobSnapshot, *, holder: str, now: datetime
) -> Claim:
    """Return what becomes of *holder*'s wish to work on the job that *snapshot* describes.

    A grant holds the job with its new lease; the ledger stores exactly that.
    """
    run, entry = snapshot.run, snapshot.entry
    if run is None:
        return Closed("no such run in the ledger")
    if entry is None or entry.skip is not None:
        return Closed("the run did not ask this collector")
    if snapshot.answer is not None:
        return Answered(snapshot.answer, entry)
    if run.phase is Phase.FINAL:
        return Closed("the run is final")
    if why := why_unreadable(run, entry, snapshot.job):
        return Closed(why)
    # The manifest says who belongs: a job that outran its record is worked all the same.
    job = snapshot.job or new_job(run, entry.name, now)
    if job.accepted_until is not None:
        return Accepted(job.accepted_until, entry)
    if job.leased_at(now) and job.lease is not None:
        return Held(job.lease.until)
    left_s = (job.deadline - now).total_seconds()
    budget_s = attempt_budget_s(entry.spec.timeout_s, left_s=left_s)
    if not budget_s:
        return Closed("too little time is left before the deadline; the sweep answers")
    if job.lost >= MAX_LOST_ATTEMPTS or len(job.attempts) >= entry.spec.max_attempts:
        return Exhausted(job, entry, run)
    if job.not_before is not None and now < job.not_before:
        return Waiting(job.not_before, "waiting to retry")
    if snapshot.blocked:
        until = now + timedelta(seconds=QUEUE_RECHECK_S)
        return Waiting(until, f"queued behind run {entry.queue_behind}")
    lease = Lease(
        run_id=job.run_id,
        collector=job.collector,
        fence=job.fence + 1,
        holder=holder,
        attempt=job.started + 1,
        taken_at=now,
        until=now + timedelta(seconds=budget_s + LEASE_MARGIN_S),
    )
    taken = replace(
        job,
        fence=lease.fence,
        started=lease.attempt,
        lease=lease,
        not_before=None,
        wait=None if job.wait is None else job.wait.ended(now),
    )
    return Granted(lease, taken, entry, run)


def new_job(run: Run, collector: str, now: datetime) -> Job:
    """Return the record of a job that nobody has worked on."""
    return Job(run.run_id, collector, published_at=now, deadline=run.deadline)
