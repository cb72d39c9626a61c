"""Relay: claim a job, invoke its collector, record what came of it, say so.

The order is the promise. The lease is stored before the call, the answer before its event, and the
message is acknowledged last; a crash anywhere leaves a state that a redelivery or the sweep
completes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from fanfold.app.told import Told
from fanfold.app.upstreams import SWEEP_AHEAD_S, Sources
from fanfold.domain.model.errors import AnswerInHand, ComeBack, LeaseHeld, NotConfigured, Transient
from fanfold.domain.model.run import Answer, Entry, LateAnswer, Lease
from fanfold.domain.protocol.contract import Call
from fanfold.domain.rules.answering import lost_answer
from fanfold.domain.rules.attempt import Accept, Retry, begin, conclude
from fanfold.domain.rules.backoff import backoff_s
from fanfold.domain.rules.claim import (
    Accepted,
    Answered,
    Claim,
    Closed,
    Exhausted,
    Granted,
    Held,
    Waiting,
)
from fanfold.domain.syntax.traceparent import ids_of
from fanfold.messages import events, topology
from fanfold.ports.bus import Bus, Message
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import Clock, CollectorClient

T = TypeVar("T")

#: A claim of this age is looked at again before the call, in seconds. Far below the lease's margin.
FRESH_S = 0.5

#: Between two tries to store what is in hand, in seconds: the bound of the first wait, and of any.
STORE_BACKOFF_S, STORE_MAX_BACKOFF_S = 0.2, 5.0

#: Where a collector may send its answer later: from run id and collector to ``url`` and ``token``.
CallbackFor = Callable[[str, str], Mapping[str, str] | None]


@dataclass(frozen=True, slots=True)
class Relay:
    """Works on jobs. Holds the ports that it needs, and no state.

    ``holder`` names this process in leases; ``jitter`` draws from ``[0, 1)``. ``is_paced`` says
    that the bus pushes jobs whether or not there is a place for them, and takes a wait for a
    failure.
    """

    ledger: Ledger
    bus: Bus
    client: CollectorClient
    clock: Clock
    jitter: Callable[[], float]
    holder: str
    callback_for: CallbackFor
    is_paced: bool = False

    def work(self, job: events.JobMessage) -> Told:
        """Work on *job* and tell what became of it; then acknowledge.

        Raises:
            LeaseHeld: Another relay has it; deliver again later.
            ComeBack: It waits for its next attempt; deliver again after that.
            AnswerInHand: The lease ended before what came of the attempt could be stored.
        """
        granted = self.claim(job)
        if isinstance(granted, Told):
            return granted
        call, start = self.begin(granted, job.traceparent)
        reply = self.client.invoke(call)
        end = self.clock.now()
        follows = conclude(granted, reply, start=start, end=end, jitter=self.jitter())

        def store() -> Told | ComeBack:
            stored = self.store(granted, follows, end)
            if isinstance(stored, Recorded):
                self.bus.publish(topology.COLLECTOR_RESULTS, stored.messages())
                return stored.told()
            return stored

        told = self._insist(granted.lease, store)
        if isinstance(told, ComeBack):
            raise told
        if granted.job.wait is None:
            self.release_next(granted.entry, job)
        else:  # it did so when it began to wait
            self._release_next_again(granted.entry, job)
        return told

    def claim(self, job: events.JobMessage) -> Granted | Told:
        """Return the lease for *job*, or what became of it without a call.

        Raises:
            LeaseHeld: Another relay has it; deliver again later.
            ComeBack: It waits for its next attempt; deliver again after that.
        """
        now = self.clock.now()
        claimed = self.ledger.claim(job.run_id, job.collector, holder=self.holder, now=now)
        return self.claimed(job, claimed, now)

    def claimed(self, job: events.JobMessage, claim: Claim, now: datetime) -> Granted | Told:
        """Return the lease if *claim*, made for *job* at *now*, is one; else as :meth:`claim`."""
        match claim:
            case Granted():
                return self._admitted(claim, job, now)
            case Answered(answer, entry):
                # The event that said so may be lost: saying it again is what redelivery is for.
                trace_id = (ids_of(job.traceparent) or ("",))[0]
                message = events.encode_result(answer, trace_id=trace_id)
                self.bus.publish(topology.COLLECTOR_RESULTS, [message])
                self._release_next_again(entry, job)
                return Told(f"already {answer.outcome.value}")
            case Closed(why):
                return Told(why)
            case Accepted(_, entry):
                self._release_next_again(entry, job)
                return Told("accepted; the collector answers by itself")
            case Held(until):
                raise LeaseHeld(job.run_id, job.collector, (until - now).total_seconds())
            case Waiting(until, why):
                raise ComeBack(why, (until - now).total_seconds())
            case Exhausted(exhausted, entry, run):
                answer = lost_answer(exhausted, writer=f"{self.holder}/lost", now=now)
                told = store_answer(
                    answer, ledger=self.ledger, bus=self.bus, now=now, trace_id=run.trace_id
                )
                self.release_next(entry, job)
                return told

    def _admitted(self, granted: Granted, job: events.JobMessage, now: datetime) -> Granted | Told:
        """Return *granted* if the source behind its collector can bear one more call.

        Raises:
            ComeBack: It cannot; deliver again when it may.
        """
        limits = granted.entry.spec.limits
        if limits is None:
            return granted
        refusal = self._sources.ask(granted, limits, now)
        if refusal is not None and self.is_paced:
            # The sweep brings jobs a moment early: its next visit is a minute away.
            wait_s = (refusal.until - now).total_seconds()
            if wait_s <= SWEEP_AHEAD_S:
                self.clock.wait(wait_s)
                now = self.clock.now()
                refusal = self._sources.ask(granted, limits, now)
        if refusal is None:
            return granted
        self._sources.wait(granted, limits, refusal, now)
        words = f"waiting for {limits.name}: {refusal.why}"
        if not self.is_paced:
            raise ComeBack(words, (refusal.until - now).total_seconds())
        # Its place is for the next one; whoever ends a call at the source, or the sweep, brings
        # this one back.
        self._release_next_again(granted.entry, job)
        return Told(words, granted.run.trace_id)

    @property
    def _sources(self) -> Sources:
        return Sources(self.ledger, self.bus, self.is_paced)

    def release_next(self, entry: Entry, job: events.JobMessage) -> None:
        """Publish the job that waited for the place of *entry*, which is free now."""
        if entry.releases is not None:
            trace_id = (ids_of(job.traceparent) or ("",))[0]
            now = self.clock.now()
            following = events.encode_job(job.run_id, entry.releases, trace_id=trace_id, at=now)
            self.bus.publish(topology.COLLECTOR_JOBS, [following])

    def _release_next_again(self, entry: Entry, job: events.JobMessage) -> None:
        """Release as before, unless that job was seen since: a repeat stops there."""
        if entry.releases is not None:
            following = self.ledger.snapshot(job.run_id, entry.releases)
            seen = following.job is not None and (following.job.started or following.job.wait)
            if following.answer is None and not seen:
                self.release_next(entry, job)

    def begin(self, granted: Granted, traceparent: str | None) -> tuple[Call, datetime]:
        """Return the call that *granted* allows now, and the instant at which it begins.

        Raises:
            ComeBack: The lease was lost, or is too old: deliver again at once.
        """
        lease = granted.lease
        start = self.clock.now()
        # The claim was the last look at what is stored. If it is old by now, for this process was
        # paused, look again immediately before the call.
        if (start - lease.taken_at).total_seconds() >= FRESH_S:
            if not self.ledger.check(lease, now=start):
                raise ComeBack("the lease was lost before the call", 0.0)
            start = self.clock.now()
        callback = self.callback_for(lease.run_id, lease.collector)
        call = begin(granted, now=start, callback=callback, traceparent=traceparent)
        if call is None:
            raise ComeBack("too late for this lease: the process was paused before the call", 0.0)
        return call, start

    def store(
        self, granted: Granted, follows: Answer | Retry | Accept, end: datetime
    ) -> Recorded | Told | ComeBack:
        """Store what *follows* from an attempt that ended at *end*. It may be repeated.

        An answer's event is left to the caller.
        """
        stored = self._store(granted, follows, end)
        limits = granted.entry.spec.limits
        if limits is not None:
            self._sources.ended(granted, limits, follows, end)
        return stored

    def _store(
        self, granted: Granted, follows: Answer | Retry | Accept, end: datetime
    ) -> Recorded | Told | ComeBack:
        lease = granted.lease
        match follows:
            case Retry(attempt, wait_s):
                self.ledger.release(lease, attempt, not_before=end + timedelta(seconds=wait_s))
                return ComeBack(f"attempt {lease.attempt} failed: {attempt.error}", wait_s)
            case Accept(attempt, until):
                if self.ledger.accept(lease, attempt, until=until):
                    return Told("accepted; the collector answers by itself", granted.run.trace_id)
                return ComeBack("the lease was lost while the collector accepted", 0.0)
            case Answer():
                return record_answer(
                    follows, ledger=self.ledger, now=end, trace_id=granted.run.trace_id
                )

    def _insist(self, lease: Lease, store: Callable[[], T]) -> T:
        """Return what *store* returns, tried again and again while *lease* lives.

        A collector's answer is in hand: while nobody else may take the job over, the store may
        come back, and a person may mend a permission or setting. Every step of *store* can be
        repeated.

        Raises:
            AnswerInHand: It could not be stored before the lease ended.
        """
        tries = 0
        while True:
            try:
                return store()
            except (Transient, NotConfigured) as exc:
                tries += 1
                # Half of the bound is waited at least: a draw of 0 must not make a busy loop.
                wait_s = backoff_s(
                    tries,
                    base_s=STORE_BACKOFF_S,
                    cap_s=STORE_MAX_BACKOFF_S,
                    jitter=(1 + self.jitter()) / 2,
                )
                if self.clock.now() + timedelta(seconds=wait_s) >= lease.until:
                    raise AnswerInHand(lease.run_id, lease.collector, tries, exc) from exc
                self.clock.wait(wait_s)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An answer that the ledger took in: ``stored`` is it, or another one that was first.

    The events belong to the trace ``trace_id``.
    """

    answer: Answer
    stored: Answer
    trace_id: str

    @property
    def is_first(self) -> bool:
        """Whether the answer is the one that counts."""
        return self.stored.writer == self.answer.writer

    def messages(self) -> list[Message]:
        """Return the result events.

        Late evidence has one of its own, so that a final report gets its next revision.
        """
        messages = [events.encode_result(self.stored, trace_id=self.trace_id)]
        if not self.is_first:
            messages.append(events.encode_late_result(self.answer, trace_id=self.trace_id))
        return messages

    def told(self) -> Told:
        """Return what became of the answer."""
        if self.is_first:
            return Told(self.answer.outcome.value, self.trace_id, self.answer)
        late = f"{self.answer.outcome.value}, kept as late: it already {self.stored.outcome.value}"
        return Told(late, self.trace_id)


def record_answer(answer: Answer, *, ledger: Ledger, now: datetime, trace_id: str = "") -> Recorded:
    """Record *answer* if its collector has none; one that lost to another is kept as late."""
    recorded = Recorded(answer, ledger.record(answer), trace_id)
    if not recorded.is_first:
        ledger.keep_late(LateAnswer(answer, now))
    return recorded


def store_answer(
    answer: Answer, *, ledger: Ledger, bus: Bus, now: datetime, trace_id: str = ""
) -> Told:
    """Record *answer* if its collector has none, publish the event, and tell what became of it."""
    recorded = record_answer(answer, ledger=ledger, now=now, trace_id=trace_id)
    bus.publish(topology.COLLECTOR_RESULTS, recorded.messages())
    return recorded.told()
