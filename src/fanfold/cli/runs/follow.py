"""Follow a run until it is announced or refused, or the time to wait is over."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum

from fanfold.cli.interrupt import Interrupt
from fanfold.cli.output.progress import Pace, ProgressView
from fanfold.domain.model.run import Run
from fanfold.domain.model.states import Phase, RunStatus
from fanfold.runtime.parts import Parts
from fanfold.views.reports import report_now

#: How often the run's record is read, in seconds: from a file, and over a network.
POLL_EVERY_S, POLL_FAR_EVERY_S = 0.05, 1.0

#: A final run whose report is not written after this long is given up on, in seconds.
UNWRITTEN_AFTER_S = 20.0

#: How often to ask whether the request was refused, in seconds.
REFUSED_EVERY_S = 0.5


class End(StrEnum):
    """Why following ended."""

    ANNOUNCED = "announced"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    INTERRUPTED = "interrupted"
    UNWRITTEN = "unwritten"


@dataclass(slots=True)
class Follower:
    """Watches one run. ``message_id`` is that of its request, to recognise a refusal.

    ``wait_s`` bounds the watching, in seconds; None does not.
    """

    parts: Parts
    run_id: str
    message_id: str | None
    progress: ProgressView
    interrupted: Interrupt
    wait_s: float | None = None
    poll_every_s: float = POLL_EVERY_S
    run: Run | None = None
    _final_since: float = field(default=0.0)

    def follow(self) -> End:
        """Watch to the end; ``run`` is then the run as it was read last."""
        started = time.monotonic()
        pace, next_refused = Pace(self.progress.every_s), started + REFUSED_EVERY_S
        while True:
            self.run = self.parts.ledger.run(self.run_id)
            now = time.monotonic()
            if self.run is not None:
                ended = self._ended(self.run, now)
                if ended or pace.is_due():
                    self._show(self.run, pace)
                if ended:
                    return ended
            elif now >= next_refused:
                next_refused = now + REFUSED_EVERY_S
                self.run = self._refusal()
                if self.run is not None:
                    return End.REFUSED
            if self.wait_s is not None and now - started >= self.wait_s:
                return End.TIMED_OUT
            if self.interrupted.wait(self.poll_every_s):
                return End.INTERRUPTED

    def _ended(self, run: Run, now: float) -> End | None:
        if run.announced_at is not None:
            return End.ANNOUNCED
        if run.phase is Phase.FINAL:
            self._final_since = self._final_since or now
            if now - self._final_since >= UNWRITTEN_AFTER_S:
                return End.UNWRITTEN
        return None

    def _show(self, run: Run, pace: Pace) -> None:
        started = time.monotonic()
        self.progress.update(report_now(run, self.parts.ledger, self.parts.clock.now()))
        pace.took(started)

    def _refusal(self) -> Run | None:
        """Return the record that says that our request was refused, if there is one."""
        if self.message_id is None:
            return None
        for run in self.parts.ledger.recent_runs(20):
            if run.verdict is RunStatus.REJECTED and run.trigger.message_id == self.message_id:
                return run
        return None
