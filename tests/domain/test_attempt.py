"""One attempt as two steps without I/O: for every reply, exactly one thing follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import START, a_run, accepted, after, an_attempt, broken, entry, ok

from fanfold.domain.model.run import Answer, Failure
from fanfold.domain.model.states import Outcome
from fanfold.domain.protocol.contract import Reply
from fanfold.domain.rules.attempt import Accept, Retry, begin, conclude
from fanfold.domain.rules.claim import Granted, JobSnapshot, decide
from fanfold.domain.syntax.limits import MAX_TEXT_CHARS
from fanfold.domain.syntax.traceparent import ids_of, traceparent_of

SPEC: dict[str, Any] = {
    "timeout_s": 60.0,
    "backoff_s": 10.0,
    "max_backoff_s": 100.0,
    "max_attempts": 3,
}


def granted(*, at_s: float = 0.0, ended: int = 0, **spec: Any) -> Granted:
    """Return the grant of a job, *at_s* after its run's start, of which *ended* attempts failed."""
    member = entry("dvf", **(SPEC | spec))
    found = decide(JobSnapshot(a_run(manifest=[member]), member), holder="h", now=after(at_s))
    assert isinstance(found, Granted)
    attempts = tuple(an_attempt(number + 1, "retry") for number in range(ended))
    return replace(found, job=replace(found.job, attempts=attempts))


def follows(
    reply: Reply, grant: Granted, *, at_s: float = 0.0, jitter: float = 0.5
) -> Answer | Retry | Accept:
    return conclude(grant, reply, start=after(at_s), end=after(at_s), jitter=jitter)


def error_of(answer: Answer | Retry | Accept) -> Failure:
    assert isinstance(answer, Answer)
    assert answer.error is not None
    return answer.error


def test_a_call_ends_with_its_budget() -> None:
    call = begin(granted(), now=START)
    late = begin(granted(at_s=3590), now=after(3590))

    assert call is not None
    assert (call.timeout_s, call.deadline) == (60.0, after(60))
    assert late is not None
    assert (late.timeout_s, late.deadline) == (10.0, after(3600))


def test_no_call_starts_that_would_outlive_its_lease_or_its_run() -> None:
    assert begin(granted(), now=after(31)) is None
    assert begin(granted(at_s=3590), now=after(3599.5)) is None


def test_a_message_cannot_move_a_call_into_another_trace() -> None:
    grant = granted()
    own = traceparent_of(grant.run.trace_id, "asked")
    foreign = traceparent_of("b" * 32, "asked")

    given_traces = [
        call.traceparent
        for text in (own, foreign, None, "garbage")
        if (call := begin(grant, now=START, traceparent=text)) is not None
    ]
    assert given_traces[0] == own
    assert {ids_of(text) is not None for text in given_traces} == {True}
    assert {(ids_of(text) or ("",))[0] for text in given_traces} == {grant.run.trace_id}


REPLIES = st.one_of(
    st.builds(ok, st.one_of(st.none(), st.integers(0, 10**15))),
    st.just(accepted()),
    st.builds(
        broken,
        st.sampled_from([None, 404, 429, 503]),
        kind=st.sampled_from(["http", "network", "timeout"]),
        retryable=st.booleans(),
        retry_after_s=st.one_of(st.none(), st.floats(-1e6, 1e12)),
    ),
)


@given(REPLIES, st.integers(0, 2), st.floats(0, 3598), st.floats(0, 1, exclude_max=True))
def test_a_retry_waits_its_backoff_at_least_and_can_still_be_made(
    reply: Reply, ended: int, at_s: float, jitter: float
) -> None:
    after_it = follows(reply, granted(at_s=at_s, ended=ended), at_s=at_s, jitter=jitter)

    if isinstance(after_it, Retry):
        own_s = min(100.0, 10.0 * 2**ended) * jitter
        assert own_s <= after_it.wait_s <= 100.0
        assert after_it.wait_s >= min(reply.retry_after_s or 0.0, 100.0)
        assert at_s + after_it.wait_s <= 3599.0
        assert ended < 2
        assert after_it.attempt.outcome == "retry"
    elif isinstance(after_it, Accept):
        assert reply.accepted
        assert after_it.until <= after(3600)
    else:
        assert (after_it.outcome is Outcome.SUCCEEDED) == (reply.failure is None)
        assert len(after_it.attempts) == ended + 1


@given(st.floats(0, 1, exclude_max=True), st.floats(-1e3, 100))
def test_no_stated_wait_shortens_the_backoff(jitter: float, stated_s: float) -> None:
    without = follows(broken(503), granted(), jitter=jitter)
    stated = follows(broken(503, retry_after_s=stated_s), granted(), jitter=jitter)

    assert isinstance(without, Retry)
    assert isinstance(stated, Retry)
    assert stated.wait_s == max(without.wait_s, stated_s)


def test_six_attempts_that_are_asked_to_come_back_at_once_take_their_time() -> None:
    waits = [
        found.wait_s
        for ended in range(5)
        if isinstance(
            found := follows(
                broken(503, retry_after_s=0.0), granted(ended=ended, max_attempts=6), jitter=0.5
            ),
            Retry,
        )
    ]
    assert waits == [5.0, 10.0, 20.0, 40.0, 50.0]


@pytest.mark.parametrize(
    ("stated_s", "at_s", "says"),
    [
        (10_800.0, 2880.0, "http 503; asked to wait 3h00m, the run ends in 12m00s"),
        (60.0, 3570.0, "http 503; asked to wait 1m00s, the run ends in 30s"),
        (1.0, 3598.0, "http 503; the next try would come after 5s, the run ends in 2s"),
        (None, 3597.0, "http 503; the next try would come after 5s, the run ends in 3s"),
    ],
)
def test_a_wait_that_passes_the_deadline_is_told(
    stated_s: float | None, at_s: float, says: str
) -> None:
    found = follows(broken(503, retry_after_s=stated_s), granted(at_s=at_s), at_s=at_s)

    assert error_of(found).message == says


def test_the_reason_stays_where_the_message_must_be_cut() -> None:
    failure = Failure("http", "x" * MAX_TEXT_CHARS, retryable=True)
    message = error_of(follows(Reply(503, failure=failure, retry_after_s=9e9), granted())).message

    assert len(message) <= MAX_TEXT_CHARS
    assert "the run ends in 1h00m" in message


def test_the_last_attempt_and_a_final_failure_say_no_more_than_they_know() -> None:
    last = follows(broken(503, retry_after_s=9e9), granted(ended=2))
    final = follows(broken(404, retryable=False, retry_after_s=9e9), granted())

    assert error_of(last).message == "http 503"
    assert error_of(final).message == "http 404"


def test_an_acceptance_lasts_as_long_as_the_collectors_timeout() -> None:
    found = conclude(granted(), accepted(), start=after(2), end=after(5), jitter=0.5)
    near_the_end = follows(accepted(), granted(at_s=3590), at_s=3590)

    assert isinstance(found, Accept)
    assert found.until == after(2) + timedelta(seconds=60)
    assert isinstance(near_the_end, Accept)
    assert near_the_end.until == after(3600)
