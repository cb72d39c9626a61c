"""What a source can bear: the rule that both ledgers apply."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import START, a_job, after

from fanfold.domain.model.run import Attempt, Failure, Lease
from fanfold.domain.model.upstream import Breaker, SourceSign, Upstream, UpstreamState
from fanfold.domain.rules import upstreams

INSEE = "api.insee.fr"
UP, DOWN, UNKNOWN = SourceSign


def lease(job: str, seconds: float = 0, *, fence: int = 1, lasts_s: float = 600) -> Lease:
    return Lease("r", job, fence, "h1", fence, after(seconds), after(seconds + lasts_s))


def entered(state: UpstreamState, limits: Upstream, job: str, seconds: float) -> UpstreamState:
    state, refusal = upstreams.enter(state, limits, lease(job, seconds), after(seconds))
    assert refusal is None
    return state


def refused(
    state: UpstreamState, limits: Upstream, job: str, seconds: float
) -> tuple[UpstreamState, upstreams.Refusal]:
    state, refusal = upstreams.enter(state, limits, lease(job, seconds), after(seconds))
    assert refusal is not None
    return state, refusal


def broken(limits: Upstream) -> UpstreamState:
    """Return the state whose breaker opened at second 0."""
    state = UpstreamState()
    assert limits.breaker is not None
    for number in range(limits.breaker.failures):
        state = entered(state, limits, f"c{number}", 0)
        state = upstreams.leave(state, limits, lease(f"c{number}"), DOWN, START)
    return state


def test_no_more_calls_at_once_than_a_source_bears() -> None:
    limits = Upstream(INSEE, max_concurrent=2)
    state = entered(entered(UpstreamState(), limits, "a", 0), limits, "b", 1)

    state, refusal = refused(state, limits, "c", 2)
    assert refusal.why == "2 calls at once"
    assert refusal.until == after(2 + upstreams.RECHECK_S)

    state = upstreams.leave(state, limits, lease("a"), UP, after(3))
    assert upstreams.room(state, limits, after(3)) == 1
    entered(state, limits, "c", 3)


def test_a_place_ends_with_its_lease() -> None:
    limits = Upstream(INSEE, max_concurrent=1)
    state, _ = upstreams.enter(UpstreamState(), limits, lease("a", lasts_s=20), START)

    _, refusal = refused(state, limits, "b", 5)
    assert refusal.until == after(20)
    entered(state, limits, "b", 20)


def test_a_later_lease_of_the_same_job_keeps_its_place() -> None:
    limits = Upstream(INSEE, max_concurrent=1)
    state = entered(UpstreamState(), limits, "a", 0)
    state, refusal = upstreams.enter(state, limits, lease("a", 1, fence=2), after(1))
    assert refusal is None

    state = upstreams.leave(state, limits, lease("a"), UP, after(2))
    assert upstreams.room(state, limits, after(2)) == 0
    state = upstreams.leave(state, limits, lease("a", fence=2), UP, after(3))
    assert upstreams.room(state, limits, after(3)) == 1


@given(st.lists(st.floats(0, 30), min_size=1, max_size=60), st.integers(1, 5))
def test_no_minute_holds_more_calls_than_are_allowed(pauses: list[float], most: int) -> None:
    limits = Upstream(INSEE, per_minute=most)
    state, begun, now = UpstreamState(), [], START
    for number, pause in enumerate(pauses):
        now += timedelta(seconds=pause)
        state, refusal = upstreams.enter(state, limits, lease(f"c{number}"), now)
        if refusal is None:
            begun.append(now)
        else:
            assert now < refusal.until <= now + timedelta(seconds=upstreams.WINDOW_S)
    for first in begun:
        window = [at for at in begun if first <= at < first + timedelta(minutes=1)]
        assert len(window) <= most


def test_the_breaker_opens_after_failures_in_a_row() -> None:
    limits = Upstream(INSEE, breaker=Breaker(2, 120))
    state = UpstreamState()
    for number, sign in enumerate([DOWN, UP, DOWN, UNKNOWN]):
        state = upstreams.leave(state, limits, lease(f"c{number}"), sign, START)
    assert upstreams.room(state, limits, START) is None

    state = upstreams.leave(state, limits, lease("c9"), DOWN, START)
    _, refusal = refused(state, limits, "d", 1)
    assert refusal == upstreams.Refusal(
        after(120), "api.insee.fr is down (2 collectors failed first)", is_down=True
    )


def test_the_same_failure_counts_once() -> None:
    limits = Upstream(INSEE, breaker=Breaker(2, 120))
    state = UpstreamState()
    for _ in range(3):
        state = upstreams.leave(state, limits, lease("a"), DOWN, START)
    assert state.opened_at is None


def test_one_call_probes_after_the_pause_and_its_success_closes() -> None:
    limits = Upstream(INSEE, breaker=Breaker(2, 120))
    state = broken(limits)
    assert upstreams.room(state, limits, after(119)) == 0
    assert upstreams.room(state, limits, after(120)) == 1

    state = entered(state, limits, "p", 120)
    state, refusal = refused(state, limits, "q", 121)
    assert refusal.is_down

    state = upstreams.leave(state, limits, lease("p", 120), UP, after(122))
    assert state == UpstreamState()


def test_a_probe_that_fails_opens_the_breaker_anew() -> None:
    limits = Upstream(INSEE, breaker=Breaker(2, 120))
    state = entered(broken(limits), limits, "p", 120)
    for _ in range(2):  # the second time changes nothing
        state = upstreams.leave(state, limits, lease("p", 120), DOWN, after(125))
    assert refused(state, limits, "q", 130)[1].until == after(245)


@pytest.mark.parametrize("lasts_s", [10, 600])
def test_a_probe_of_which_nobody_hears_gives_way_to_the_next(lasts_s: float) -> None:
    limits = Upstream(INSEE, breaker=Breaker(1, 120))
    probe = lease("p", 120, lasts_s=lasts_s)
    state, _ = upstreams.enter(broken(limits), limits, probe, after(120))
    if lasts_s == 600:  # it ended, and says nothing of the source
        state = upstreams.leave(state, limits, probe, UNKNOWN, after(130))
    entered(state, limits, "q", 130)


@pytest.mark.parametrize("most", [None, 2])
def test_nobody_waits_behind_a_probe_whose_job_was_accepted(most: int | None) -> None:
    limits = Upstream(INSEE, most, breaker=Breaker(1, 120))
    state = entered(broken(limits), limits, "p", 120)
    refused(state, limits, "q", 121)
    state = upstreams.stay(state, limits, lease("p", 120), after(7200), after(122))
    entered(state, limits, "q", 122)


def test_a_call_that_began_before_the_breaker_opened_does_not_open_it_anew() -> None:
    limits = Upstream(INSEE, breaker=Breaker(1, 120))
    state = upstreams.leave(broken(limits), limits, lease("old"), DOWN, after(60))
    entered(state, limits, "p", 120)


@given(st.floats(1, 86_400 * 400), st.floats(0.1, 3_600), st.integers(1, 4))
def test_a_clock_that_is_set_back_holds_nobody_longer_than_the_limits_say(
    back_s: float, pause_s: float, most: int
) -> None:
    limits = Upstream(INSEE, most, most, Breaker(most, pause_s))
    state = UpstreamState()
    for number in range(most):
        state = entered(state, limits, f"c{number}", 0)
        state = upstreams.leave(state, limits, lease(f"c{number}"), DOWN, START)
    now, refusals = START - timedelta(seconds=back_s), 0
    while True:
        state, refusal = upstreams.enter(state, limits, lease("p"), now)
        if refusal is None:
            break
        refusals += 1
        assert now < refusal.until <= now + timedelta(seconds=max(pause_s, upstreams.WINDOW_S))
        now = refusal.until
    # Each limit, and one look more where a second was begun.
    assert refusals <= 4


def test_a_clock_that_is_set_back_lets_a_place_last_as_long_as_it_would_have() -> None:
    limits = Upstream(INSEE, max_concurrent=1)
    state = entered(UpstreamState(), limits, "a", 0)
    state, _ = refused(state, limits, "b", -3600)
    entered(state, limits, "b", -3600 + 600)


def test_what_a_dead_process_held_is_free() -> None:
    limits = Upstream(INSEE, max_concurrent=1)
    state = entered(UpstreamState(), limits, "a", 0)
    assert upstreams.room(upstreams.without_holder(state, "h2"), limits, START) == 0
    entered(upstreams.without_holder(state, "h1"), limits, "b", 1)


def test_who_accepted_its_job_keeps_its_place_until_it_answers() -> None:
    limits = Upstream(INSEE, max_concurrent=1)
    state = entered(UpstreamState(), limits, "a", 0)
    state = upstreams.stay(state, limits, lease("a"), after(7200), after(1))
    refused(state, limits, "b", 3600)
    job = a_job("a", "r", fence=1, started=1)
    state = upstreams.leave_late(state, limits, job, UP, after(3600))
    entered(state, limits, "b", 3600)


@pytest.mark.parametrize(
    ("status", "kind", "sign"),
    [
        (503, "http", DOWN),
        (500, "own_word", DOWN),
        (429, "http", DOWN),
        (None, "network", DOWN),
        (424, "upstream_unavailable", DOWN),
        (None, "timeout", UNKNOWN),
        (404, "http", UP),
        (401, "auth", UP),
        (200, "expectation", UP),
        (200, "bad_response", UP),
        (200, None, UP),
    ],
)
def test_what_an_attempt_says_of_the_source(
    status: int | None, kind: str | None, sign: SourceSign
) -> None:
    error = None if kind is None else Failure(kind, "x")
    attempt = Attempt(1, START, START, "failed" if error else "succeeded", status, error)
    assert upstreams.sign_of(attempt) is sign


def test_a_wait_adds_up() -> None:
    limits = Upstream(INSEE, max_concurrent=1)
    refusal = upstreams.Refusal(after(30), "1 call at once")
    wait = upstreams.waiting(None, limits, refusal, START)
    wait = upstreams.waiting(wait.ended(after(30)), limits, refusal, after(30))
    assert wait.seconds(after(40)) == 40
    assert wait.ended(after(50)).seconds(after(99)) == 50
    assert wait.first_at == START
