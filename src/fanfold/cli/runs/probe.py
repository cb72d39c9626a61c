"""One collector, called outside of any run as a run would call it."""

from __future__ import annotations

import queue
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from fanfold.adapters.http.traced import AS_IN_A_RUN, Traced, TracingClient, Variation
from fanfold.cli.interrupt import Interrupt
from fanfold.cli.output.probed import Probed
from fanfold.cli.runs.callback_listener import CallbackListener
from fanfold.cli.runs.probe_target import Target
from fanfold.domain.model.run import Answer, Entry, Lease, Run, Trigger
from fanfold.domain.protocol.contract import Call, Progress, Reply, read_completion
from fanfold.domain.rules.answering import answer_of
from fanfold.domain.rules.attempt import Accept, Retry, begin, conclude
from fanfold.domain.rules.claim import LEASE_MARGIN_S, Granted, attempt_budget_s, new_job
from fanfold.domain.syntax.durations import duration

T = TypeVar("T")

#: After this time a person is told what is waited for, and then so often, in seconds.
TELL_AFTER_S, TELL_EVERY_S = 1.0, 10.0

#: The largest draw that a backoff may be drawn by.
LARGEST_DRAW = 1 - 1e-9


class Stopped(Exception):
    """Somebody asked the command to stop."""


@dataclass(slots=True)
class Prober:
    """Calls a collector. A call can be stopped, and says on stderr what it waits for.

    ``listener`` takes what the collector calls back; None where it could not reach this machine.
    """

    client: TracingClient
    target: Target
    interrupt: Interrupt
    note: Callable[[str], None]
    listener: CallbackListener | None = None
    run_id: str = field(
        default_factory=lambda: f"{_now():%Y-%m-%dT%H%MZ}-probe-{secrets.token_hex(3)}"
    )

    def probe(self) -> Probed:
        """Call the collector as a run would, and wait for an answer that comes later."""
        granted = self.grant()
        call, start = self.call_of(granted)
        traced = self.watched("", lambda: self.client.trace(call))
        began_s = time.monotonic() - traced.phases.total
        shortest, longest = self._follows(granted, traced.reply, start)
        if isinstance(shortest, Accept) and self.listener is not None:
            return self._await_answer(granted, traced, shortest, began_s)
        wait_s = longest.wait_s if isinstance(longest, Retry) else 0.0
        return Probed(granted, traced, shortest, wait_s, seconds=traced.phases.total)

    def trace(self, call: Call, variation: Variation = AS_IN_A_RUN) -> Traced:
        """Make *call* as *variation* says."""
        return self.client.trace(call, variation)

    def grant(self, attempt: int = 1) -> Granted:
        """Return what a ledger would grant a relay for this collector now."""
        now, spec = _now(), self.target.spec
        deadline = now + timedelta(seconds=max(self.target.run_timeout_s, 1.0))
        run = Run(
            run_id=self.run_id,
            writer="probe",
            trigger=Trigger("ad_hoc", "probe"),
            start_time=now,
            deadline=deadline,
            scheduled_for=None,
            total=1,
            asked=1,
            timezone="UTC",
            tolerated_failures=0,
            report_to="",
            config_version="",
            retry_of=None,
            expires_at=deadline,
            trace_id=secrets.token_hex(16),
        )
        budget_s = attempt_budget_s(spec.timeout_s, left_s=self.target.run_timeout_s)
        until = now + timedelta(seconds=budget_s + LEASE_MARGIN_S)
        lease = Lease(run.run_id, spec.name, 1, "probe", attempt, now, until)
        job = replace(new_job(run, spec.name, now), lease=lease, started=attempt)
        return Granted(lease, job, Entry(spec, past=self.target.past), run)

    def call_of(self, granted: Granted) -> tuple[Call, datetime]:
        """Return the call that *granted* allows, and when it begins."""
        start = _now()
        callback = None if self.listener is None else self.listener.callback
        call = begin(granted, now=start, callback=callback)
        assert call is not None  # noqa: S101 - the grant is made for it
        return call, start

    def watched(self, what: str, work: Callable[[], T]) -> T:
        """Return what *work* returns, made in a thread; tell what it waits for, and until when.

        Raises:
            Stopped: Somebody asked the command to stop.
        """
        done: queue.SimpleQueue[T | BaseException] = queue.SimpleQueue()

        def run() -> None:
            try:
                done.put(work())
            except BaseException as exc:  # noqa: BLE001 - it is raised where it is waited for
                done.put(exc)

        threading.Thread(target=run, name="probe", daemon=True).start()
        began_s = time.monotonic()
        tell_at_s = began_s + TELL_AFTER_S
        while True:
            try:
                result = done.get(timeout=0.1)
            except queue.Empty:
                self.check_stopped()
            else:
                if isinstance(result, BaseException):
                    raise result
                return result
            if time.monotonic() >= tell_at_s:
                tell_at_s = time.monotonic() + TELL_EVERY_S
                passed, most = duration(time.monotonic() - began_s), self.target.spec.timeout_s
                what_now = f"{what}: {self.client.words()}" if what else self.client.words()
                self.note(f"… {what_now}, {passed} of at most {duration(most)}")

    def check_stopped(self) -> None:
        """Return unless somebody asked the command to stop.

        Raises:
            Stopped: Somebody did; the calls under way are broken off.
        """
        if self.interrupt.is_set():
            self.client.stop()
            raise Stopped

    def _follows(
        self, granted: Granted, reply: Reply, start: datetime
    ) -> tuple[Answer | Retry | Accept, Answer | Retry | Accept]:
        """Return what follows after the shortest backoff, and after the longest."""
        shortest, longest = (
            conclude(granted, reply, start=start, end=_now(), jitter=draw)
            for draw in (0.0, LARGEST_DRAW)
        )
        return shortest, longest

    def _await_answer(
        self, granted: Granted, traced: Traced, accepted: Accept, began_s: float
    ) -> Probed:
        """Wait for the answer that an asynchronous collector promised."""
        assert self.listener is not None  # noqa: S101 - the caller looked
        told: list[Progress] = []
        self.note(f"… accepted; waits for its callback, at most {duration(_left_s(accepted))}")
        while (left_s := _left_s(accepted)) > 0:
            self.check_stopped()
            try:
                body = self.listener.said.get(timeout=min(0.1, left_s))
            except queue.Empty:
                continue
            read = read_completion(body, traced.mask)
            if isinstance(read, Progress):
                told.append(read)
                share = "" if read.fraction is None else f"{read.fraction:.0%} "
                self.note(f"… {share}{read.message or ''}".rstrip())
                continue
            attempts = (replace(accepted.attempt, end_time=_now()),)
            answer = answer_of(
                read, granted.entry, granted.job, writer="probe", attempts=attempts, now=_now()
            )
            took_s = time.monotonic() - began_s
            return Probed(granted, traced, answer, later=tuple(told), seconds=took_s)
        took_s = time.monotonic() - began_s
        return Probed(granted, traced, accepted, is_awaited=True, later=tuple(told), seconds=took_s)


def _left_s(accepted: Accept) -> float:
    return (accepted.until - _now()).total_seconds()


def _now() -> datetime:
    return datetime.now(UTC)
