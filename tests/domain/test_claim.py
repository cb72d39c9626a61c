"""Whether a relay may work on a job: the list of cases, in their order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import RUN_ID, START, a_job, a_run, after, an_answer, an_attempt, entry

from fanfold.domain.model.run import Answer, Job, Lease
from fanfold.domain.model.states import Phase
from fanfold.domain.rules.claim import (
    LEASE_MARGIN_S,
    MAX_LOST_ATTEMPTS,
    MIN_ATTEMPT_S,
    Accepted,
    Answered,
    Claim,
    Closed,
    Exhausted,
    Granted,
    Held,
    JobSnapshot,
    Waiting,
    attempt_budget_s,
    decide,
)

RUN = a_run(phase=Phase.OPEN)
ENTRY = entry("dvf", max_attempts=3)
LEASE = Lease(RUN_ID, "dvf", 3, "other", 1, START, after(90))


def decided(at: float = 0.0, job: Job | None = None, **changes: Any) -> Claim:
    snapshot = JobSnapshot(RUN, ENTRY, job or a_job("dvf"))
    return decide(replace(snapshot, **changes), holder="me", now=after(at))


def closed(claimed: Claim) -> str:
    assert isinstance(claimed, Closed)
    return claimed.why


def test_a_free_job_is_granted_with_a_lease_that_outlives_the_attempt() -> None:
    claimed = decided()
    assert isinstance(claimed, Granted)
    assert claimed.lease == Lease(RUN_ID, "dvf", 1, "me", 1, START, after(60 + LEASE_MARGIN_S))
    assert claimed.job == a_job("dvf", fence=1, started=1, lease=claimed.lease)


def test_who_does_not_belong_is_closed() -> None:
    assert "no such run" in closed(decided(run=None))
    assert "did not ask" in closed(decided(entry=None))
    assert "did not ask" in closed(decided(entry=entry("dvf", skip="disabled")))


def test_an_answer_comes_before_everything_that_the_run_may_be() -> None:
    answer = an_answer("dvf")
    final = replace(RUN, phase=Phase.FINAL)

    assert decided(answer=answer) == Answered(answer, ENTRY)
    assert decided(answer=answer, run=final, job=a_job("dvf", lease=LEASE)) == Answered(
        answer, ENTRY
    )


def test_a_final_run_is_closed() -> None:
    assert "final" in closed(decided(run=replace(RUN, phase=Phase.FINAL)))


def test_an_accepted_job_is_left_to_its_collector() -> None:
    assert decided(job=a_job("dvf", accepted_until=after(50))) == Accepted(after(50), ENTRY)


def test_a_live_lease_is_held_to_its_last_moment() -> None:
    job = a_job("dvf", lease=LEASE, fence=3, started=1)

    assert decided(89.999, job) == Held(after(90))
    claimed = decided(90, job)
    assert isinstance(claimed, Granted)
    assert (claimed.lease.fence, claimed.lease.attempt) == (4, 2)


def test_nothing_starts_at_or_after_the_deadline() -> None:
    assert "too little time" in closed(decided(3600))
    assert "too little time" in closed(decided(3599.5))
    assert "too little time" in closed(decided(9999))


def test_an_attempt_near_the_deadline_gets_what_is_left() -> None:
    claimed = decided(3590)
    assert isinstance(claimed, Granted)
    assert claimed.lease.until == after(3600 + LEASE_MARGIN_S)


def test_attempts_that_were_all_started_are_exhausted() -> None:
    job = a_job("dvf", started=3)

    assert decided(job=job) == Exhausted(job, ENTRY, RUN)


def test_a_backoff_is_waited_for() -> None:
    job = a_job("dvf", started=1, not_before=after(30))

    claimed = decided(29, job)
    assert isinstance(claimed, Waiting)
    assert claimed.until == after(30)
    assert isinstance(decided(30, job), Granted)


def test_a_queued_job_waits_while_the_earlier_run_holds_its_collector() -> None:
    behind = entry("dvf", behind="r0")

    claimed = decided(entry=behind, blocked=True)
    assert isinstance(claimed, Waiting)
    assert claimed.why == "queued behind run r0"
    assert claimed.until > START
    assert isinstance(decided(entry=behind, blocked=False), Granted)


def test_a_job_without_a_record_is_worked_all_the_same() -> None:
    claimed = decide(JobSnapshot(RUN, entry("dvf")), holder="me", now=after(5))
    assert isinstance(claimed, Granted)
    assert claimed.job.published_at == after(5)


@pytest.mark.parametrize(
    ("timeout_s", "left_s", "budget_s"),
    [
        pytest.param(60, 100, 60, id="the timeout"),
        pytest.param(60, 10, 10, id="what is left"),
        pytest.param(60, 0.5, 0, id="not worth starting"),
        pytest.param(0.5, 0.5, 0.5, id="a short timeout is its own least"),
        pytest.param(60, -5, 0, id="too late"),
    ],
)
def test_budget(timeout_s: float, left_s: float, budget_s: float) -> None:
    assert attempt_budget_s(timeout_s, left_s=left_s) == budget_s


@given(st.floats(0.001, 1e5), st.floats(-1e5, 1e5))
def test_no_attempt_outlives_the_deadline(timeout_s: float, left_s: float) -> None:
    budget_s = attempt_budget_s(timeout_s, left_s=left_s)
    assert 0 <= budget_s <= max(0.0, left_s)
    assert budget_s <= timeout_s


INSTANTS = st.floats(0, 7200)
LEASES = st.builds(
    lambda taken_s, until_s: replace(LEASE, taken_at=after(taken_s), until=after(until_s)),
    INSTANTS,
    INSTANTS,
)
JOBS = st.builds(
    lambda lease, started, attempts, not_before_s, accepted_s: a_job(
        "dvf",
        lease=lease,
        fence=3,
        started=max(started, attempts),
        attempts=tuple(an_attempt(number + 1, "retry") for number in range(attempts)),
        not_before=None if not_before_s is None else after(not_before_s),
        accepted_until=None if accepted_s is None else after(accepted_s),
    ),
    st.none() | LEASES,
    st.integers(0, 5),
    st.integers(0, 4),
    st.none() | INSTANTS,
    st.none() | INSTANTS,
)


@given(
    job=JOBS,
    at=INSTANTS,
    phase=st.sampled_from(Phase),
    blocked=st.booleans(),
    answer=st.none() | st.just(an_answer("dvf")),
)
def test_a_grant_is_only_ever_what_every_rule_allows(
    *, job: Job, at: float, phase: Phase, blocked: bool, answer: Answer | None
) -> None:
    now = after(at)
    claimed = decided(at, job, run=replace(RUN, phase=phase), blocked=blocked, answer=answer)
    allowed = (
        answer is None
        and phase is not Phase.FINAL
        and not blocked
        and job.accepted_until is None
        and not job.leased_at(now)
        and (job.not_before is None or job.not_before <= now)
        and len(job.attempts) < 3
        and job.lost < MAX_LOST_ATTEMPTS
        and (job.deadline - now).total_seconds() >= MIN_ATTEMPT_S
    )

    assert isinstance(claimed, Granted) is allowed
    if isinstance(claimed, Granted):
        lease = claimed.lease
        assert (lease.fence, lease.holder) == (job.fence + 1, "me")
        assert lease.attempt == job.started + 1 == claimed.job.started
        assert lease.taken_at == now < lease.until
        assert lease.until <= job.deadline + timedelta(seconds=LEASE_MARGIN_S)
        assert claimed.job.attempts == job.attempts
