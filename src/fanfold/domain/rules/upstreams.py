"""Whether a call may begin at a source now, and what its end says about the source.

These are functions of what is stored of the source (:class:`UpstreamState`) and of the limits that
the run's manifest holds. The ledgers apply them in an atomic step of their own, so that the limits
hold for all processes on one store.

A clock that is set must not hold a call back for ever. What lies ahead of *now* (a breaker that
opened in an hour, a call that began in an hour) is taken for something of this very moment, and
stored so: from then on it lasts no longer than it would have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fanfold.domain.model.run import Attempt, Job, Lease
from fanfold.domain.model.upstream import (
    BegunCalls,
    Place,
    SourceSign,
    Upstream,
    UpstreamState,
    Wait,
)
from fanfold.domain.rules.upstream_words import down_words
from fanfold.domain.syntax.text import plural

#: A job that waits for a place looks again after this long at the latest, in seconds. Whoever gives
#: a place back wakes it sooner.
RECHECK_S = 30.0

#: Calls are counted by the second in which they began; a second counts for so long, in seconds: no
#: 60 s then hold more calls than are allowed.
WINDOW_S = 61.0

#: What the end of a call says of the source, by the kind of its failure, where that alone tells.
#: ``upstream_unavailable`` and ``upstream_rate_limited`` are the words of ``fanfold.collector``.
#: A kind that is missing here was an answer, and whoever answers is up.
SIGNS: Mapping[str, SourceSign] = {
    "network": SourceSign.DOWN,
    "upstream_unavailable": SourceSign.DOWN,
    "upstream_rate_limited": SourceSign.DOWN,
    "timeout": SourceSign.UNKNOWN,
    "deadline": SourceSign.UNKNOWN,
    "cancelled": SourceSign.UNKNOWN,
    "lost": SourceSign.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call may not begin now: the job looks again at ``until``.

    ``why`` and ``is_down`` are those of :class:`~fanfold.domain.model.upstream.Wait`.
    """

    until: datetime
    why: str
    is_down: bool = False


def sign_of(attempt: Attempt) -> SourceSign:
    """Return what the end of *attempt* says about the source behind its collector."""
    if attempt.outcome == "accepted":
        return SourceSign.UNKNOWN  # the source has not been asked yet
    status = attempt.http_status or 0
    if status == 429 or status >= 500:
        return SourceSign.DOWN
    kind = "" if attempt.error is None else attempt.error.kind
    return SIGNS.get(kind, SourceSign.UP)


def enter(
    state: UpstreamState, limits: Upstream, lease: Lease, now: datetime
) -> tuple[UpstreamState, Refusal | None]:
    """Return the state once the call of *lease* was admitted or refused, and the refusal.

    A job that asks again while its place is noted, for nobody told of its first call's end, takes
    its own place over.
    """
    state = at(state, limits, now)
    job = job_key(lease.run_id, lease.collector)
    state = _without(state, job)
    refusal = _refusal(state, limits, now)
    if refusal is not None:
        return state, refusal
    if state.opened_at is not None:
        state = replace(state, probe=job)
    if state.opened_at is not None or limits.max_concurrent is not None:
        place = Place(lease.fence, lease.holder, now, lease.until)
        state = replace(state, places={**state.places, job: place})
    if limits.per_minute is not None:
        state = replace(state, calls=_with_call(state.calls, now))
    return state, None


def leave(
    state: UpstreamState, limits: Upstream, lease: Lease, sign: SourceSign, now: datetime
) -> UpstreamState:
    """Return the state after the call of *lease* ended, with what that says of the source.

    Doing it again changes nothing.
    """
    state = at(state, limits, now)
    job = job_key(lease.run_id, lease.collector)
    place = state.places.get(job)
    is_own = place is not None and place.fence == lease.fence
    was_probe = is_own and state.probe == job
    if is_own:
        state = _without(state, job)
    if limits.breaker is None or sign is SourceSign.UNKNOWN:
        return state
    if sign is SourceSign.UP:
        return replace(state, failed=(), opened_at=None, probe=None)
    call = f"{job}#{lease.attempt}"
    if call in state.failed:
        return state
    failed = state.failed
    if state.opened_at is None:
        failed = (*failed, call)
        opened_at = now if len(failed) >= limits.breaker.failures else None
        return replace(state, failed=failed, opened_at=opened_at)
    if was_probe:
        return replace(state, failed=(*failed[:-1], call), opened_at=now)
    return state


def stay(
    state: UpstreamState, limits: Upstream, lease: Lease, until: datetime, now: datetime
) -> UpstreamState:
    """Return the state after the collector of *lease* accepted its job, and works until *until*.

    It keeps its place. If it was the probe it said nothing yet, and the next call probes too:
    nobody waits for hours behind it.
    """
    state = at(state, limits, now)
    job = job_key(lease.run_id, lease.collector)
    place = state.places.get(job)
    if place is None or place.fence != lease.fence:
        return state
    places = dict(state.places)
    if limits.max_concurrent is None:
        del places[job]
    else:
        places[job] = replace(place, until=until)
    return replace(state, places=places, probe=None if state.probe == job else state.probe)


def leave_late(
    state: UpstreamState, limits: Upstream, job: Job, sign: SourceSign, now: datetime
) -> UpstreamState:
    """Return the state after the work of a *job* ended that its collector had accepted."""
    place = state.places.get(job_key(job.run_id, job.collector))
    fence = job.fence if place is None else place.fence
    until = now if place is None else place.until
    lease = Lease(job.run_id, job.collector, fence, "", job.started, now, until)
    return leave(state, limits, lease, sign, now)


def at(state: UpstreamState, limits: Upstream, now: datetime) -> UpstreamState:
    """Return *state* as it is at *now*: without what is over, and with nothing ahead of now."""
    places = {}
    for job, place in state.places.items():
        moved = place
        if place.since > now:  # the clock was set back: the place lasts as long as it would have
            moved = replace(place, since=now, until=now + (place.until - place.since))
        if moved.until > now:
            places[job] = moved
    window = now - timedelta(seconds=WINDOW_S)
    calls = tuple(
        each if each.at <= now else replace(each, at=_second(now))
        for each in state.calls
        if each.at > window
    )
    opened_at = state.opened_at
    if limits.breaker is None:
        opened_at = None
    elif opened_at is not None:
        opened_at = min(opened_at, now)
    probe = state.probe if state.probe in places else None
    failed = () if limits.breaker is None else state.failed
    return UpstreamState(places, _merged(calls), failed, opened_at, probe)


def room(state: UpstreamState, limits: Upstream, now: datetime) -> int | None:
    """Return how many calls may begin at *now*, None for any number."""
    state = at(state, limits, now)
    if state.opened_at is not None:
        return 0 if _refusal(state, limits, now) is not None else 1
    free = []
    if limits.max_concurrent is not None:
        free.append(limits.max_concurrent - len(state.places))
    if limits.per_minute is not None:
        free.append(limits.per_minute - sum(each.number for each in state.calls))
    return max(0, min(free)) if free else None


def without_holder(state: UpstreamState, holder: str) -> UpstreamState:
    """Return *state* without the places of the process *holder*, which is gone."""
    places = {job: place for job, place in state.places.items() if place.holder != holder}
    return replace(state, places=places, probe=state.probe if state.probe in places else None)


def waiting(before: Wait | None, limits: Upstream, refusal: Refusal, now: datetime) -> Wait:
    """Return how a job waits that was refused at *now* and waited as in *before*."""
    return Wait(
        upstream=limits.name,
        why=refusal.why,
        first_at=now if before is None else before.first_at,
        is_down=refusal.is_down,
        since=now,
        until=refusal.until,
        before_s=0.0 if before is None else before.seconds(now),
    )


def next_try_at(state: UpstreamState, limits: Upstream) -> datetime | None:
    """Return when the source is tried again that is down, None if it is not."""
    if state.opened_at is None or limits.breaker is None:
        return None
    return state.opened_at + timedelta(seconds=limits.breaker.pause_s)


def job_key(run_id: str, collector: str) -> str:
    """Return how a job is called in the state of a source."""
    return f"{run_id}/{collector}"


def _refusal(state: UpstreamState, limits: Upstream, now: datetime) -> Refusal | None:
    recheck_at = now + timedelta(seconds=RECHECK_S)
    probes_at = next_try_at(state, limits)
    if probes_at is not None:
        why = down_words(limits.name, state.failed)
        if now < probes_at:
            return Refusal(probes_at, why, is_down=True)
        if state.probe is not None:
            return Refusal(min(recheck_at, state.places[state.probe].until), why, is_down=True)
    most = limits.max_concurrent
    if most is not None and len(state.places) >= most:
        ends = min((place.until for place in state.places.values()), default=recheck_at)
        return Refusal(min(recheck_at, ends), f"{plural(most, 'call')} at once")
    most = limits.per_minute
    if most is not None and sum(each.number for each in state.calls) >= most:
        first = state.calls[0].at + timedelta(seconds=WINDOW_S)
        return Refusal(first, f"{plural(most, 'call')} a minute")
    return None


def _without(state: UpstreamState, job: str) -> UpstreamState:
    if job not in state.places:
        return state
    places = {key: place for key, place in state.places.items() if key != job}
    return replace(state, places=places, probe=None if state.probe == job else state.probe)


def _with_call(calls: tuple[BegunCalls, ...], now: datetime) -> tuple[BegunCalls, ...]:
    return _merged((*calls, BegunCalls(_second(now), 1)))


def _merged(calls: tuple[BegunCalls, ...]) -> tuple[BegunCalls, ...]:
    """Return *calls* in order, with one entry for each second."""
    numbers: dict[datetime, int] = {}
    for each in sorted(calls, key=lambda each: each.at):
        numbers[each.at] = numbers.get(each.at, 0) + each.number
    return tuple(BegunCalls(second, number) for second, number in numbers.items())


def _second(now: datetime) -> datetime:
    return now.replace(microsecond=0)
