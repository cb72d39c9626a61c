"""Upstreams: a call begins when the source behind its collector can bear one more.

A relay asks once it has the job's lease, immediately before the call. A job that is refused gives
its lease back unused: it is no attempt, it holds no place, and its record says that it waits. Where
the bus keeps a message for a stated time the message waits; where it does not (Pub/Sub takes that
for a failure) the message is acknowledged. Either way whoever ends a call at the source brings out
the jobs that may follow, and what nobody brought out comes back by itself: the message after its
time, or the sweep's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from fanfold.domain.model.errors import Transient
from fanfold.domain.model.run import Answer, Attempt, Entry, Job, Run
from fanfold.domain.model.upstream import SourceSign, Upstream, UpstreamState
from fanfold.domain.rules import upstreams
from fanfold.domain.rules.attempt import Accept, Retry
from fanfold.domain.rules.claim import Granted
from fanfold.domain.rules.upstream_words import down_words
from fanfold.domain.rules.upstreams import Refusal
from fanfold.messages import events, topology
from fanfold.ports.bus import Bus
from fanfold.ports.ledger import Ledger

#: Most jobs that the end of one call brings out, where the bus gives each of them out when there is
#: a place for it, and where it pushes them whether or not there is one: then the sweep adds more.
MOST_BROUGHT_OUT, MOST_PUSHED = 100, 1

#: The sweep brings out what may begin this much later, in seconds: until its job arrives.
SWEEP_AHEAD_S = 5.0


@dataclass(frozen=True, slots=True)
class Sources:
    """What a relay asks about the sources. Holds the ports that it needs, and no state.

    ``is_paced``: see :class:`fanfold.app.relay.Relay`.
    """

    ledger: Ledger
    bus: Bus
    is_paced: bool

    def ask(self, granted: Granted, limits: Upstream, now: datetime) -> Refusal | None:
        """Return why the call that *granted* allows may not begin now; None if it may."""
        lease = granted.lease
        try:
            return self.ledger.change_upstream(
                limits.name, lambda state: upstreams.enter(state, limits, lease, now)
            )
        except Transient:
            # Nobody could take the job over while the lease lives.
            with suppress(Transient):
                self.ledger.wait(lease, None)
            raise

    def wait(self, granted: Granted, limits: Upstream, refusal: Refusal, now: datetime) -> None:
        """Give the lease of *granted* back, and note that its job waits because of *refusal*."""
        wait = upstreams.waiting(granted.job.wait, limits, refusal, now)
        self.ledger.wait(granted.lease, wait)

    def ended(
        self, granted: Granted, limits: Upstream, follows: Answer | Retry | Accept, now: datetime
    ) -> None:
        """Note that the call of *granted* ended, and bring out the jobs that may follow it.

        It may be repeated.
        """
        lease = granted.lease

        def change(state: UpstreamState) -> tuple[UpstreamState, int]:
            if isinstance(follows, Accept):
                state = upstreams.stay(state, limits, lease, follows.until, now)
            else:
                sign = upstreams.sign_of(_last_attempt(follows))
                state = upstreams.leave(state, limits, lease, sign, now)
            return state, self._brought_out(state, limits, now)

        room = self.ledger.change_upstream(limits.name, change)
        if room:
            waiting = self.ledger.waiting_for(limits.name, run_id=lease.run_id, limit=room)
            self._bring_out(waiting, granted.run, now)

    def _brought_out(self, state: UpstreamState, limits: Upstream, now: datetime) -> int:
        """Return how many jobs the end of a call brings out."""
        room = upstreams.room(state, limits, now)
        if self.is_paced:
            return MOST_PUSHED if room is None else min(room, MOST_PUSHED)
        # Behind an open breaker one looks, and learns when the source may be tried: those that
        # wait since before it opened come back at other times.
        least = 1 if state.opened_at is not None else 0
        return MOST_BROUGHT_OUT if room is None else max(least, min(room, MOST_BROUGHT_OUT))

    def _bring_out(self, jobs: Sequence[tuple[str, str]], run: Run, now: datetime) -> None:
        traces = {run.run_id: run.trace_id}
        for run_id in {run_id for run_id, _ in jobs} - traces.keys():
            other = self.ledger.run(run_id)
            if other is not None:
                traces[run_id] = other.trace_id
        messages = [
            events.encode_job(run_id, name, trace_id=traces[run_id], at=now)
            for run_id, name in jobs
            if run_id in traces
        ]
        if messages:
            self.bus.publish(topology.COLLECTOR_JOBS, messages)


def reported(answer: Answer, limits: Upstream, job: Job, *, ledger: Ledger, now: datetime) -> None:
    """Note that a collector which had accepted its *job* gave its *answer*: its call is over."""
    kind = "" if answer.error is None else answer.error.kind
    sign = upstreams.SIGNS.get(kind, SourceSign.UP)
    ledger.change_upstream(
        limits.name, lambda state: (upstreams.leave_late(state, limits, job, sign, now), None)
    )


def given_up(limits: Upstream, job: Job, *, ledger: Ledger, now: datetime) -> None:
    """Note that nobody waits any more for a collector that had accepted its *job*."""
    ledger.change_upstream(
        limits.name,
        lambda state: (upstreams.leave_late(state, limits, job, SourceSign.UNKNOWN, now), None),
    )


def down_now(jobs: Iterable[Job], manifest: Sequence[Entry], ledger: Ledger) -> dict[str, str]:
    """Return, for those of *jobs* that wait for a source which is down, the words that say so.

    They are by collector. A job that began to wait before the breaker opened is among them.
    """
    waiting = {job.collector for job in jobs if job.is_waiting}
    behind = {entry.name: entry.spec.limits for entry in manifest if entry.name in waiting}
    states = ledger.upstreams(sorted({each.name for each in behind.values() if each}))
    return {
        name: down_words(limits.name, states[limits.name].failed)
        for name, limits in behind.items()
        if limits is not None and states[limits.name].opened_at is not None
    }


def may_come_out(
    jobs: Sequence[Job],
    manifest: Sequence[Entry],
    places: int | None,
    *,
    ledger: Ledger,
    now: datetime,
) -> list[str]:
    """Return the collectors of those *jobs* of a run which wait, and which a sweep brings out now.

    *places* is how many jobs may be worked beside those that are, None for any number.
    """
    soon = now + timedelta(seconds=SWEEP_AHEAD_S)
    lines: dict[Upstream, list[Job]] = {}
    limits_of = {entry.name: entry.spec.limits for entry in manifest}
    for job in jobs:
        limits = limits_of.get(job.collector)
        if job.is_waiting and limits is not None:
            lines.setdefault(limits, []).append(job)
    states = ledger.upstreams([limits.name for limits in lines])
    found: list[str] = []
    for limits, line in lines.items():
        room = upstreams.room(states[limits.name], limits, soon)
        line.sort(key=lambda job: job.wait.first_at if job.wait else job.published_at)
        found += [job.collector for job in line[:room]]
    return found if places is None else found[: max(0, places)]


def _last_attempt(follows: Answer | Retry) -> Attempt:
    return follows.attempt if isinstance(follows, Retry) else follows.attempts[-1]
