"""The lane: every job of a host, in one thread, with the calls beside it.

In each turn of the host one commit stores what came of the calls that ended, counts it, takes jobs
and stores their leases; then the calls of these jobs begin. A kill leaves leased rows, which the
census of another process frees. What came of a call stays in hand until a commit holds it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.leases import LeasedMessage, Settlement
from fanfold.domain.model.errors import BusUnavailable, StoreUnavailable, Transient, words_of
from fanfold.domain.protocol.contract import Call
from fanfold.ports.bus import Delivery
from fanfold.ports.outside import Calls, Came

#: Calls that end within this time of the first one share its commit, in seconds.
GATHER_S = 0.001

#: Where a call waited for others in vain, none waits for so many turns.
ALONE_TURNS = 32

#: The file's own trouble: it undoes the whole turn, and no job is charged with it.
_OF_THE_FILE = (sqlite3.OperationalError, StoreUnavailable, BusUnavailable)


class OneJobFailed(Exception):
    """A bug in one job undoes this turn: it is made again, carefully."""


class JobSteps(Protocol):
    """What is done with a job. Each step is given the *work* that :meth:`claim` returned.

    :meth:`claim`, :meth:`store` and :meth:`count` are called inside the turn's commit. Anything
    that they raise, but for the file's own trouble, is a bug in one job.
    """

    def begin_turn(self) -> None:
        """Forget what was done in a turn whose commit was not made."""
        ...

    def claim(self, deliveries: Sequence[Delivery]) -> Sequence[Any | Transient | None]:
        """Return the work of each; why it comes back; or None if it is done with."""
        ...

    def store(self, ended: Sequence[tuple[Any, Came]]) -> Sequence[Transient | None]:
        """Store what came of each work; return why it comes back, None if it is done with."""
        ...

    def count(self) -> None:
        """Count what was stored in this turn, and publish the event of each run that is full."""
        ...

    def failed(self, delivery: Delivery, bug: Exception) -> None:
        """Tell of a bug in the work on *delivery*, which comes back."""
        ...

    def end_turn(self) -> None:
        """Tell what was done, now that it is on disk."""
        ...

    def begin(self, work: Any) -> Call | Transient:
        """Return the call to make now, or why the job comes back."""
        ...


@dataclass(frozen=True, slots=True)
class LeasedJob:
    """A job that is ready to be called, or being called."""

    held: LeasedMessage
    work: Any


class Lane:
    """The jobs of a host. The host calls it in each of its turns, from one thread.

    Args:
        database: Whose commits the turns are.
        steps: What is done with a job.
        calls: Makes the calls.
        places: Most jobs that are in hand at once.
        shared_limit: Most jobs that all the processes on the file hold.
    """

    def __init__(
        self, database: Database, steps: JobSteps, calls: Calls, *, places: int, shared_limit: int
    ) -> None:
        self.places = places
        self.shared_limit = shared_limit
        #: Whether the changes of each job are kept apart, so that those of one can be undone.
        self.is_careful = False
        self._database = database
        self._steps = steps
        self._calls = calls
        self._came: list[Came] = []
        self._calling = 0
        # For so many turns more, no call waits for others to share its commit.
        self._alone = 0

    def take(self) -> int:
        """Take what came of calls into the next commit; return how many these are."""
        self._came += self._calls.take()
        return len(self._came)

    def store(self) -> list[Settlement]:
        """Store what came of calls; to be called in the turn's commit."""
        self._steps.begin_turn()
        jobs: list[Any] = [came.key for came in self._came]
        ended = [(job.work, came) for job, came in zip(jobs, self._came, strict=True)]
        became = self._each(self._steps.store, ended)
        settled = [self._settled(job.held, error) for job, error in zip(jobs, became, strict=True)]
        if settled:
            self._steps.count()
        return settled

    def claim(self, jobs: Sequence[LeasedMessage]) -> tuple[list[LeasedJob], list[Settlement]]:
        """Claim *jobs*: return those to be called, and what became of the others.

        To be called in the turn's commit.
        """
        begun, settled = [], []
        claimed = self._each(self._steps.claim, [held.delivery for held in jobs])
        for held, work in zip(jobs, claimed, strict=True):
            if work is None or isinstance(work, Exception):
                settled.append(self._settled(held, work))
            else:
                begun.append(LeasedJob(held, work))
        return begun, settled

    def start(self, jobs: Sequence[LeasedJob]) -> list[Settlement]:
        """Begin the calls of *jobs*, now that their leases are on disk; return what has none."""
        self._calling -= len(self._came)
        if len(self._came) == 1:
            self._alone = self._alone - 1 if self._alone else ALONE_TURNS
        elif self._came:
            self._alone = 0
        self._came.clear()
        calls: list[tuple[object, Call]] = []
        settled = []
        for job in jobs:
            try:
                call = self._steps.begin(job.work)
            except Exception as exc:  # noqa: BLE001 - a bug in one job is that job's alone
                settled.append(self._settled(job.held, exc))
                continue
            if isinstance(call, Transient):
                settled.append(self._settled(job.held, call))
            else:
                calls.append((job, call))
        if calls:
            self._calling += len(calls)
            self._calls.start(calls)
        self._steps.end_turn()
        return settled

    def wait(self, wait_s: float, is_stirred: Callable[[], bool]) -> bool:
        """Let the calls go on until one ended, or *is_stirred*; at most *wait_s* seconds.

        Returns whether either is so. Calls that end together share a commit. Whoever stirs must
        :meth:`wake` this.
        """
        until = time.monotonic() + wait_s
        left_s = wait_s
        while left_s >= 0:
            has_come = self._calls.turn(left_s)
            if has_come and not self._came:
                gather_s = 0.0 if self._alone else GATHER_S
                until = min(until, time.monotonic() + gather_s)
            if (has_come and self.take() >= self._calling) or is_stirred():
                return True
            left_s = until - time.monotonic()
        return bool(self._came)

    def wake(self) -> None:
        """End the wait, in whatever thread."""
        self._calls.wake()

    def close(self) -> None:
        """Break off the calls that are under way."""
        self._calls.close()

    def _each(self, step: Callable[[Sequence[Any]], Sequence[Any]], of: Sequence[Any]) -> Any:
        """Return what *step* returns for all *of* them.

        A careful turn takes one after the other, and has in the place of what a bug left without
        a result the bug; what that one changed is undone.

        Raises:
            OneJobFailed: There is a bug, and the changes of one job cannot be told from others'.
        """
        if self.is_careful:
            return [self._apart(step, each) for each in of]
        try:
            return step(of)
        except _OF_THE_FILE:
            raise
        except Exception as exc:
            raise OneJobFailed from exc

    def _apart(self, step: Callable[[Sequence[Any]], Sequence[Any]], of: Any) -> Any:
        try:
            with self._database.apart():
                return step([of])[0]
        except _OF_THE_FILE:
            raise
        except Exception as exc:  # noqa: BLE001 - a bug in one job is that job's alone
            return exc

    def _settled(self, held: LeasedMessage, error: Exception | None) -> Settlement:
        if error is not None and not isinstance(error, Transient):
            self._steps.failed(held.delivery, error)
        return settlement(held, error)


def settlement(held: LeasedMessage, error: BaseException | None = None) -> Settlement:
    """Return what becomes of a message whose work ended with *error*, or well."""
    if error is None:
        return Settlement(held)
    if isinstance(error, Transient):
        return Settlement(held, str(error) or type(error).__name__, error.after_s)
    return Settlement(held, words_of(error))
