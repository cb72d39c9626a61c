"""Relay: claim a job, invoke its collector, record what came of it, say so.

The order is the promise. The lease is stored before the call, the answer before its event, and the
message is acknowledged last; a crash anywhere leaves a state that a redelivery or the sweep
completes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from fanfold.app.answering import answer_of, closed_answer
from fanfold.domain.model.errors import ComeBack, LeaseHeld
from fanfold.domain.model.run import Answer, Attempt, Failure, LateAnswer
from fanfold.domain.model.states import Outcome
from fanfold.domain.protocol.contract import Call, Reply
from fanfold.domain.rules.backoff import backoff_s
from fanfold.domain.rules.claim import (
    Accepted,
    Answered,
    Closed,
    Exhausted,
    Granted,
    Held,
    Waiting,
    attempt_budget_s,
)
from fanfold.domain.syntax.traceparent import traceparent_of
from fanfold.messages import events as wire
from fanfold.messages import topology
from fanfold.ports.bus import Bus
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import Clock, CollectorClient

#: A claim of this age is looked at again before the call, in seconds. Far below the lease's margin.
FRESH_S = 0.5

#: Where a collector may send its answer later: from run id and collector to ``url`` and ``token``.
CallbackFor = Callable[[str, str], Mapping[str, str] | None]


@dataclass(frozen=True, slots=True)
class Relay:
    """Works on jobs. Holds the ports that it needs, and no state.

    ``holder`` names this process in leases; ``jitter`` draws from ``[0, 1)``.
    """

    ledger: Ledger
    bus: Bus
    client: CollectorClient
    clock: Clock
    jitter: Callable[[], float]
    holder: str
    callback_for: CallbackFor

    def work(self, job: wire.JobMessage) -> str:
        """Work on *job* and return a few words on what became of it; then acknowledge.

        Raises:
            LeaseHeld: Another relay has it; deliver again later.
            ComeBack: It waits for its next attempt; deliver again after that.
        """
        now = self.clock.now()
        claimed = self.ledger.claim(job.run_id, job.collector, holder=self.holder, now=now)
        match claimed:
            case Granted():
                return self._attempt(claimed, job.traceparent)
            case Answered(answer):
                # The event that said so may be lost: saying it again is what redelivery is for.
                self._say(answer)
                return f"already {answer.outcome.value}"
            case Closed(why):
                return why
            case Accepted():
                return "accepted; the collector answers by itself"
            case Held(until):
                raise LeaseHeld(job.run_id, job.collector, (until - now).total_seconds())
            case Waiting(until, why):
                raise ComeBack(why, (until - now).total_seconds())
            case Exhausted():
                return self._give_up(claimed, now)

    def _attempt(self, granted: Granted, traceparent: str | None) -> str:
        lease, entry = granted.lease, granted.entry
        start = self.clock.now()
        # The claim was the last look at what is stored. If it is old by now, for this process was
        # paused, look again immediately before the call.
        if (start - lease.taken_at).total_seconds() >= FRESH_S:
            if not self.ledger.check(lease, now=start):
                raise ComeBack("the lease was lost before the call", 0.0)
            start = self.clock.now()
        budget_s = attempt_budget_s(entry.spec.timeout_s, now=start, deadline=granted.job.deadline)
        if not budget_s or start + timedelta(seconds=budget_s) > lease.until:
            raise ComeBack("too late for this lease: the process was paused before the call", 0.0)
        reply = self.client.invoke(self._call(granted, budget_s, start, traceparent))
        end = self.clock.now()
        if reply.accepted:
            return self._accept(granted, reply, start, end)
        wait_s = self._retry_in_s(granted, reply, end)
        attempt = _attempt_of(lease.attempt, reply, start, end, will_retry=wait_s is not None)
        if wait_s is not None:
            self.ledger.release(lease, attempt, not_before=end + timedelta(seconds=wait_s))
            raise ComeBack(f"attempt {lease.attempt} failed: {attempt.error}", wait_s)
        answer = answer_of(
            reply,
            entry,
            granted.job,
            writer=f"{self.holder}/{lease.fence}",
            attempts=(*granted.job.attempts, attempt),
            now=end,
        )
        return settle(answer, ledger=self.ledger, bus=self.bus, now=end)

    def _call(
        self, granted: Granted, budget_s: float, start: datetime, traceparent: str | None
    ) -> Call:
        lease, entry, run = granted.lease, granted.entry, granted.run
        return Call(
            spec=entry.spec,
            run_id=lease.run_id,
            attempt=lease.attempt,
            deadline=start + timedelta(seconds=budget_s),
            timeout_s=budget_s,
            scheduled_for=run.scheduled_for,
            previous={
                "revision": entry.past.revision,
                "records": entry.past.records[-1] if entry.past.records else None,
            },
            callback=self.callback_for(lease.run_id, lease.collector),
            traceparent=traceparent
            or traceparent_of(run.trace_id, lease.run_id, lease.collector, lease.attempt),
        )

    def _retry_in_s(self, granted: Granted, reply: Reply, now: datetime) -> float | None:
        """Return the wait before the next attempt, or None if this reply is the last word."""
        spec, failure = granted.entry.spec, reply.failure
        ended = len(granted.job.attempts) + 1
        if failure is None or not failure.retryable or ended >= spec.max_attempts:
            return None
        wait_s = reply.retry_after_s
        if wait_s is None:
            wait_s = backoff_s(
                ended, base_s=spec.backoff_s, cap_s=spec.max_backoff_s, jitter=self.jitter()
            )
        if wait_s >= (granted.job.deadline - now).total_seconds():
            return None
        next_start = now + timedelta(seconds=wait_s)
        in_time = attempt_budget_s(spec.timeout_s, now=next_start, deadline=granted.job.deadline)
        return wait_s if in_time else None

    def _accept(self, granted: Granted, reply: Reply, start: datetime, end: datetime) -> str:
        lease = granted.lease
        until = min(start + timedelta(seconds=granted.entry.spec.timeout_s), granted.job.deadline)
        attempt = Attempt(lease.attempt, start, end, "accepted", reply.http_status)
        if not self.ledger.accept(lease, attempt, until=until):
            raise ComeBack("the lease was lost while the collector accepted", 0.0)
        return "accepted; the collector answers by itself"

    def _give_up(self, exhausted: Exhausted, now: datetime) -> str:
        job = exhausted.job
        failure = Failure(
            "lost",
            f"{job.lost} attempts were started and their end never recorded: the relay stopped in "
            "the middle of each call",
        )
        answer = closed_answer(Outcome.FAILED, job, failure, writer=f"{self.holder}/lost", now=now)
        return settle(answer, ledger=self.ledger, bus=self.bus, now=now)

    def _say(self, answer: Answer) -> None:
        self.bus.publish(topology.COLLECTOR_RESULTS, [wire.encode_result(answer)])


def settle(answer: Answer, *, ledger: Ledger, bus: Bus, now: datetime) -> str:
    """Record *answer* if its collector has none, publish the event, and say what became of it.

    An answer that lost to another is kept as late evidence, and has an event of its own, so that
    a final report gets its next revision.
    """
    stored = ledger.record(answer)
    events = [wire.encode_result(stored)]
    if stored.writer != answer.writer:
        ledger.keep_late(LateAnswer(answer, now))
        events.append(wire.encode_late_result(answer))
    bus.publish(topology.COLLECTOR_RESULTS, events)
    if stored.writer != answer.writer:
        return f"{answer.outcome.value}, kept as late: it already {stored.outcome.value}"
    return answer.outcome.value


def _attempt_of(
    number: int, reply: Reply, start: datetime, end: datetime, *, will_retry: bool
) -> Attempt:
    outcome = "retry" if will_retry else "failed" if reply.failure else "succeeded"
    return Attempt(number, start, end, outcome, reply.http_status, reply.failure)
