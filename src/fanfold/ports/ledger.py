"""The ledger: what is stored of runs, jobs, answers, collectors and dead letters.

Every method of a ledger port may raise :class:`~fanfold.domain.model.errors.StoreUnavailable`;
the call can then be repeated as it is. What a method reports has been stored when it returns.
Adapters are safe to share between threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from fanfold.domain.model.collector import CollectorHistory
from fanfold.domain.model.known_schedules import KnownSchedules
from fanfold.domain.model.pause import Pause
from fanfold.domain.model.run import (
    Answer,
    Attempt,
    Entry,
    Job,
    LateAnswer,
    Lease,
    PastRun,
    Run,
    RunFigures,
    Verdict,
)
from fanfold.domain.model.upstream import UpstreamState, Wait
from fanfold.domain.protocol.contract import Progress
from fanfold.domain.report.balance import Pair
from fanfold.domain.rules.claim import Claim, JobSnapshot

T = TypeVar("T")


class Runs(Protocol):
    """Remembers runs and their manifests.

    * **Created once.** Of any number of creations of one id, one returns True, and its run and
      manifest are the ones kept. The manifest is readable as soon as the run is.
    * **Mine is mine.** A creation whose reply was lost and which is repeated with the same
      ``writer`` returns True again.
    * **Forward only.** Phase and marks never move back; repeating a move changes nothing.
    * **Closed once.** Of any number of finalizations, one returns True; its verdict is kept.
    """

    def create_run(self, run: Run, manifest: Sequence[Entry]) -> bool:
        """Store *run* with its *manifest* if its id is free; return whether it is *run*'s own."""
        ...

    def run(self, run_id: str) -> Run | None:
        """Return the run as it stands, or None."""
        ...

    def run_lately(self, run_id: str) -> Run | None:
        """Return the run as it stood a few seconds ago at most, or None.

        What is fixed when a run is created is right, and phase and marks may have moved on since:
        who decides by them asks :meth:`run`.
        """
        ...

    def manifest(self, run_id: str) -> Sequence[Entry]:
        """Return the manifest in the order it was given, empty if there is no such run."""
        ...

    def open_run(self, run_id: str) -> None:
        """Move the run from preparing to open; leave any later phase alone."""
        ...

    def mark_dispatched(self, run_id: str, at: datetime) -> None:
        """Note that every job was published and confirmed."""
        ...

    def finalize_run(self, run_id: str, verdict: Verdict) -> bool:
        """Move the run to final with *verdict* if it was not final; return whether it moved."""
        ...

    def mark_announced(
        self,
        run_id: str,
        *,
        revision: int,
        report: str,
        at: datetime,
        late_listed: int = 0,
        remarks: Sequence[str] = (),
        verdict: Verdict | None = None,
    ) -> None:
        """Note that the report of *revision* is written at *report* and its event published.

        The first mark is the run's ``announced_at``; ``revision`` and ``report`` only grow.

        Args:
            run_id: The run.
            revision: Of the report. A mark of one that is not newer than the last changes nothing.
            report: Where the report is; empty if it could not be stored.
            at: When.
            late_listed: How many late answers the report lists.
            remarks: What the report's changes say beside the late answers.
            verdict: Takes the place of the one from finalizing, where the report could not be
                stored as it was.
        """
        ...

    def unannounced(self) -> Sequence[Run]:
        """Return every run that was created and not yet announced, oldest first."""
        ...

    def unlisted(self) -> Sequence[Run]:
        """Return every announced run with more late evidence than its report lists."""
        ...

    def recent_runs(self, limit: int) -> Sequence[Run]:
        """Return the newest runs and notices by start, newest first, at most *limit*."""
        ...

    def runs_between(
        self, since: datetime | None, until: datetime | None, limit: int
    ) -> Sequence[Run]:
        """Return the newest runs and notices that started in ``[since, until)``, at most *limit*.

        None leaves that end open. They come newest first, as of :meth:`recent_runs`.
        """
        ...

    def oldest_run_start(self) -> datetime | None:
        """Return the start of the oldest record that is kept, or None if there is none."""
        ...

    def find_runs(self, prefix: str, limit: int) -> Sequence[Run]:
        """Return runs whose id starts with *prefix*, newest first, at most *limit*."""
        ...


class Jobs(Protocol):
    """Remembers who works on what.

    * **One live lease.** Of any number of claims of one job, one is granted until its lease is
      released, is answered, or runs out.
    * **Fenced.** A lease that was taken over no longer checks, releases or accepts anything.
    * **Decided by the rules.** Whether a claim is granted is
      :func:`fanfold.domain.rules.claim.decide` on what is stored at that moment, and the grant is
      stored before it is returned.
    * **No claim after an answer.** Once a collector has an answer, no claim is granted and no
      lease checks.
    """

    def create_jobs(self, run_id: str, jobs: Sequence[Job]) -> None:
        """Store every job that is not there yet."""
        ...

    def snapshot(self, run_id: str, collector: str) -> JobSnapshot:
        """Return everything that is stored about one job, as one consistent view."""
        ...

    def claim(self, run_id: str, collector: str, *, holder: str, now: datetime) -> Claim:
        """Return the lease, or why there is none. See :mod:`fanfold.domain.rules.claim`."""
        ...

    def claim_all(
        self, keys: Sequence[tuple[str, str]], *, holder: str, now: datetime
    ) -> Sequence[Claim]:
        """Claim the jobs of *keys* (run id and collector), one after the other."""
        ...

    def check(self, lease: Lease, *, now: datetime) -> bool:
        """Return whether *lease* still holds at *now* and its collector has no answer."""
        ...

    def release(self, lease: Lease, attempt: Attempt, *, not_before: datetime) -> bool:
        """Record *attempt* and free the job until its next try; return whether it was held."""
        ...

    def accept(self, lease: Lease, attempt: Attempt, *, until: datetime) -> bool:
        """Record that the collector will answer later, by *until*; return whether it was held."""
        ...

    def wait(self, lease: Lease, wait: Wait | None) -> bool:
        """Give *lease* back unused; return whether it was held.

        The job then waits for its source as *wait* says, None where it does not. Its attempt does
        not count: the next one has the same number.
        """
        ...

    def waiting_for(self, upstream: str, *, run_id: str, limit: int) -> Sequence[tuple[str, str]]:
        """Return jobs that wait for the source *upstream*, at most *limit*, each as run, collector.

        Those of *run_id* are among them. A store may know those of other runs too, and gives those
        that wait longest.
        """
        ...

    def note_progress(self, run_id: str, collector: str, progress: Progress, at: datetime) -> None:
        """Keep what a collector last said of itself. Changes nothing else."""
        ...

    def republished(self, run_id: str, collectors: Sequence[str], at: datetime) -> None:
        """Note that the jobs' messages left again at *at*."""
        ...

    def jobs(self, run_id: str) -> Sequence[Job]:
        """Return the run's jobs, ordered by collector."""
        ...

    def busy(self, collectors: Sequence[str]) -> Mapping[str, str]:
        """Return, for those of *collectors* that an open run still waits for, that run's id."""
        ...


class Answers(Protocol):
    """Keeps the set of write-once answers that the join counts.

    * **Members only.** Nothing is kept for a run or collector that the manifest does not ask.
    * **First stays.** However many answers of one collector arrive, at once or later, the first
      is stored and every caller is given that one.
    * **No lost finish.** Of two answers that arrive together and are the last two, at least one
      caller that asks :meth:`all_answered` after its own record is told True.
    * **Kept apart.** Late evidence never touches an answer; the same evidence twice is one.
    * **In pairs.** :meth:`pairs` gives what :meth:`Runs.manifest` and :meth:`answers` hold.
    * **Never forgotten.** Evidence of an announced run is found by :meth:`Runs.unlisted`, from
      the commit that keeps it until a mark says that a report lists it.
    """

    def record(self, answer: Answer) -> Answer:
        """Store *answer* if its collector had none; return the one that is stored.

        Raises:
            UnknownRun: There is no such run.
            UnknownCollector: The run did not ask this collector.
        """
        ...

    def answer(self, run_id: str, collector: str) -> Answer | None:
        """Return the stored answer, or None."""
        ...

    def all_answered(self, run_id: str, asked: int) -> bool:
        """Return whether *asked* answers are stored, seeing every record that returned before."""
        ...

    def answers(self, run_id: str) -> Sequence[Answer]:
        """Return the stored answers, ordered by collector."""
        ...

    def pairs(self, run_id: str) -> Iterator[Pair]:
        """Give each collector of the manifest, in its order, with its answer if it has one.

        They are read a part at a time, so that no more than a part is held. An answer that has no
        place in the manifest, if the ledger meets one, comes last, alone. Nothing comes if there
        is no such run.
        """
        ...

    def keep_late(self, late: LateAnswer) -> None:
        """Keep *late* as evidence; raises as :meth:`record` does."""
        ...

    def lates(self, run_id: str) -> Sequence[LateAnswer]:
        """Return the run's late evidence in the order it was received."""
        ...


class History(Protocol):
    """Remembers the last runs of each collector.

    * **Once a run.** Remembering the figures of one run again changes nothing.
    * **Bounded.** It keeps what
      :class:`~fanfold.domain.model.collector.CollectorHistory` can show, no more.
    """

    def histories(self, collectors: Sequence[str]) -> Mapping[str, CollectorHistory]:
        """Return what is known of each of *collectors*; unknown ones are left out."""
        ...

    def past_runs(self, collectors: Sequence[str]) -> Mapping[str, Sequence[PastRun]]:
        """Return what is remembered of each of *collectors*, oldest first; unknown: left out."""
        ...

    def remember(self, run_id: str, figures: Sequence[RunFigures]) -> None:
        """Add the figures of a finished run."""
        ...


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that nobody could read or work: kept for a person."""

    letter_id: str
    subscription: str
    reason: str
    data: bytes
    attributes: Mapping[str, str]
    received_at: datetime
    replayed_at: datetime | None = None


class DeadLetters(Protocol):
    """Keeps messages that can never be worked, with the reason.

    * **Kept once.** The same ``letter_id`` twice is one letter.
    """

    def park(self, letter: DeadLetter) -> None:
        """Return once *letter* is stored."""
        ...

    def dead_letters(self, limit: int) -> Sequence[DeadLetter]:
        """Return the newest letters, newest first."""
        ...

    def mark_replayed(self, letter_id: str, at: datetime) -> None:
        """Note that the letter's message was published again."""
        ...


class Told(Protocol):
    """Remembers which event of a run was told to which target.

    * **Told stays told.** A mark that was made is found by every later question, on every
      connection, for as long as the event can be delivered again. Made twice, it is one mark.
    """

    def is_told(self, run_id: str, mark: str) -> bool:
        """Return whether :meth:`mark_told` was called with the same *run_id* and *mark*."""
        ...

    def mark_told(self, run_id: str, mark: str, at: datetime) -> None:
        """Remember *mark*, which names an event of the run *run_id* and a target.

        Args:
            run_id: The run, or the record of what was missed or refused.
            mark: The event's id and the target's key.
            at: When the target took the event.
        """
        ...


class Schedules(Protocol):
    """Remembers since when each schedule is in the configuration.

    * **The last one stays.** What was noted last is returned by every later question, on every
      connection.
    """

    def known_schedules(self) -> KnownSchedules | None:
        """Return what was noted last, None if nothing ever was."""
        ...

    def note_schedules(self, known: KnownSchedules) -> None:
        """Return once *known* stands in the place of what was noted before."""
        ...


class Pauses(Protocol):
    """Remembers what is paused, by whom, since when and why.

    * **Seen at once.** What a change stored is returned by every later question, on every
      connection.
    * **None lost.** Of changes that are made at once each sees those before it: two people who
      pause two collectors have paused both.
    """

    def pauses(self) -> Sequence[Pause]:
        """Return what is paused and what was, the oldest first; see the rules of pauses."""
        ...

    def change_pauses(
        self, change: Callable[[Sequence[Pause]], Sequence[Pause]]
    ) -> Sequence[Pause]:
        """Store what *change* makes of the pauses, in one atomic step, and return it.

        *change* may be called again, also with what it made itself.
        """
        ...


class Upstreams(Protocol):
    """Remembers what is known of the sources behind the collectors.

    * **One after the other.** Of any number of changes at once, each is made on what the one before
      it left.
    * **For all.** What was changed is seen by every later change, on every connection.
    """

    def change_upstream(
        self, name: str, change: Callable[[UpstreamState], tuple[UpstreamState, T]]
    ) -> T:
        """Store what *change* makes of the state of the source *name*, and return what it returns.

        *change* may be called more than once, also on what an earlier call of it made.
        """
        ...

    def upstreams(self, names: Sequence[str]) -> Mapping[str, UpstreamState]:
        """Return the states of the sources called *names*."""
        ...


class Ledger(
    Runs, Jobs, Answers, History, DeadLetters, Told, Schedules, Pauses, Upstreams, Protocol
):
    """All that is stored, behind one protocol: an adapter provides the nine together.

    * **Damage stays where it is.** A stored record that cannot be read keeps no other from being
      read, and no run from its end. What stands in its place is in
      :mod:`fanfold.domain.model.unreadable`.
    """

    def unreadable(self) -> Sequence[str]:
        """Return what this ledger read and could not make out, a sentence for each record.

        A record that was read well since is not among them. There are at most a hundred.
        """
        ...

    def close(self) -> None:
        """Let go of connections. A closed ledger is not used again."""
        ...
