"""What fanfold asks of the outside world, and nothing about who provides it.

Each docstring lists the port's promises; ``tests/contracts/`` checks each one against every
adapter under the same name. An adapter is finished when its port's contract passes.

Every method of a ledger port may raise :class:`~fanfold.domain.errors.StoreUnavailable`; the call
can then be repeated as it is. What a method reports has been stored when it returns. Adapters are
safe to share between threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from fanfold.domain.claim import Claim, Standing
from fanfold.domain.collector import Auth, Past
from fanfold.domain.contract import Call, Progress, Reply
from fanfold.domain.run import Answer, Attempt, Closing, Entry, Figures, Job, Late, Lease, Run


class Runs(Protocol):
    """Remembers runs and their manifests.

    * **Created once.** Of any number of creations of one id, one returns True, and its run and
      manifest are the ones kept. The manifest is readable as soon as the run is.
    * **Mine is mine.** A creation whose reply was lost and which is repeated with the same
      ``writer`` returns True again.
    * **Forward only.** Phase and marks never move back; repeating a move changes nothing.
    * **Closed once.** Of any number of finalizations, one returns True; its closing is kept.
    """

    def create_run(self, run: Run, manifest: Sequence[Entry]) -> bool:
        """Store *run* with its *manifest* if its id is free; return whether it is *run*'s own."""
        ...

    def run(self, run_id: str) -> Run | None:
        """Return the run as it stands, or None."""
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

    def finalize_run(self, run_id: str, closing: Closing) -> bool:
        """Move the run to final with *closing* if it was not final; return whether it moved."""
        ...

    def mark_announced(self, run_id: str, *, revision: int, report: str, at: datetime) -> None:
        """Note that the report of *revision* is written at *report* and its event published.

        The first mark is the run's ``announced_at``; ``revision`` and ``report`` only grow.
        """
        ...

    def unannounced(self) -> Sequence[Run]:
        """Return every run that was created and not yet announced, oldest first."""
        ...

    def recent_runs(self, limit: int) -> Sequence[Run]:
        """Return the newest runs and notices by start, newest first, at most *limit*."""
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
    * **Decided by the rules.** Whether a claim is granted is :func:`fanfold.domain.claim.decide`
      on what is stored at that moment, and the grant is stored before it is returned.
    * **No claim after an answer.** Once a collector has an answer, no claim is granted and no
      lease checks.
    """

    def create_jobs(self, run_id: str, jobs: Sequence[Job]) -> None:
        """Store every job that is not there yet."""
        ...

    def standing(self, run_id: str, collector: str) -> Standing:
        """Return everything that is stored about one job, as one consistent view."""
        ...

    def claim(self, run_id: str, collector: str, *, holder: str, now: datetime) -> Claim:
        """Return the lease, or why there is none. See :mod:`fanfold.domain.claim`."""
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

    def keep_late(self, late: Late) -> None:
        """Keep *late* as evidence; raises as :meth:`record` does."""
        ...

    def lates(self, run_id: str) -> Sequence[Late]:
        """Return the run's late evidence in the order it was received."""
        ...


class History(Protocol):
    """Remembers the last runs of each collector.

    * **Once a run.** Remembering the figures of one run again changes nothing.
    * **Bounded.** It keeps what :class:`~fanfold.domain.collector.Past` can show, no more.
    """

    def pasts(self, collectors: Sequence[str]) -> Mapping[str, Past]:
        """Return what is known of each of *collectors*; unknown ones are left out."""
        ...

    def remember(self, run_id: str, figures: Sequence[Figures]) -> None:
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


class Ledger(Runs, Jobs, Answers, History, DeadLetters, Protocol):
    """All that is stored, behind one door: an adapter provides the five together."""

    def close(self) -> None:
        """Let go of connections. A closed ledger is not used again."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """What travels on the bus. ``attributes`` as Pub/Sub has them: at most 100 short strings."""

    data: bytes = b""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on its way into a function.

    ``attempt`` counts deliveries from 1, None where the carrier does not say.
    """

    message: Message
    message_id: str
    published_at: datetime
    subscription: str = ""
    attempt: int | None = None


class Bus(Protocol):
    """Carries a message to every subscription of its topic, at least once, in no promised order.

    * **Confirmed.** When publish returns, every message is stored by the bus.
    """

    def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        """Return the message ids, in order, once all are stored.

        Raises:
            BusUnavailable: At least one was not confirmed; any may be delivered all the same.
        """
        ...


class CollectorClient(Protocol):
    """Invokes a collector over HTTP.

    * **Always a reply.** Whatever the collector or the network does comes back as a Reply:
      no exception, no wait past ``call.timeout_s`` (by more than a second), no memory past the
      cap on bodies.
    * **Credentials stay home.** They go to the configured URL only: no redirect is followed, and
      plain http gets them only on loopback.
    """

    def invoke(self, call: Call) -> Reply:
        """Return what came of *call*."""
        ...


class Credentials(Protocol):
    """Turns an :class:`~fanfold.domain.collector.Auth` into headers, just before a call."""

    def headers(self, auth: Auth, url: str) -> Mapping[str, str]:
        """Return the headers to send to *url*.

        Raises:
            NotConfigured: A secret, a library or an identity is missing; the text says the fix.
            Transient: It could not be had now and may be later.
        """
        ...


class Secrets(Protocol):
    """Looks up what ``${secret:name}`` and ``${NAME}`` stand for, at the moment of use."""

    def fill(self, template: str) -> str:
        """Return *template* with every reference replaced.

        Raises:
            NotConfigured: A reference stands for nothing.
        """
        ...


class CallbackTokens(Protocol):
    """Makes and checks the token by which an asynchronous collector may answer."""

    def token(self, run_id: str, collector: str) -> str:
        """Return the token for this collector in this run."""
        ...

    def matches(self, run_id: str, collector: str, token: str) -> bool:
        """Return, in constant time, whether *token* is that token."""
        ...


class ReportSink(Protocol):
    """Keeps reports.

    * **Created only.** A document that is there already is left as it is.
    """

    def write(self, report_to: str, run_id: str, documents: Mapping[str, bytes]) -> str:
        """Store *documents* (by file name) and return the place of the first, for people.

        Raises:
            SinkUnavailable: It may work later.
            NotConfigured: It cannot work as configured.
        """
        ...

    def read(self, report_to: str, run_id: str, name: str) -> bytes | None:
        """Return a document that :meth:`write` stored, or None."""
        ...


#: Renders a report into the documents to store, by file name; the first is the one to link.
RenderReport = Callable[[Mapping[str, Any]], Mapping[str, bytes]]


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the current instant, aware, UTC."""
        ...
