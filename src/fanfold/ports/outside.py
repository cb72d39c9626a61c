"""Everything else that is asked of the outside: collectors, secrets, reports, the time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from fanfold.domain.model.collector import Auth, CollectorSpec
from fanfold.domain.model.run import Run
from fanfold.domain.protocol.contract import Call, Reply
from fanfold.domain.protocol.masking import Mask
from fanfold.domain.report.announcement import Announcement
from fanfold.ports.bus import Message


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


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a call that :class:`Calls` made, and when.

    ``key`` is the one that the call was started with. An error is a bug: no collector's doing.
    """

    key: object
    reply: Reply | Exception
    at: datetime


class Calls(Protocol):
    """Makes calls side by side, in the thread of one who turns its loop.

    * **Always a reply.** Each call that was started has one reply, in the time and with the
      promises of :class:`CollectorClient`; after :meth:`close` there may be none.
    * **Nobody waits for another.** Neither a call that stands still nor a caller who is kept
      elsewhere keeps an answer from being read in time.
    """

    def start(self, calls: Sequence[tuple[object, Call]]) -> None:
        """Begin every call, each with the key that its reply shall name."""
        ...

    def turn(self, wait_s: float) -> bool:
        """Do what is there to do, once; wait for it at most *wait_s* seconds.

        Returns whether there is something to take.
        """
        ...

    def wake(self) -> None:
        """End the wait of :meth:`turn`, in whatever thread."""
        ...

    def take(self) -> Sequence[Came]:
        """Return what came since this was last asked."""
        ...

    def close(self) -> None:
        """Break off what is under way."""
        ...


class Credentials(Protocol):
    """Turns an :class:`~fanfold.domain.model.collector.Auth` into headers, just before a call."""

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


class Masks(Protocol):
    """Makes the mask for what a collector says later: by callback, or as a message.

    * **Nothing in confidence comes back.** The mask holds the secrets that this collector is sent,
      and its callback's token. Where a secret cannot be looked up, the mask leaves every free
      text out, and says so.
    """

    def mask_for(self, spec: CollectorSpec, run_id: str) -> Mask:
        """Return the mask for what the collector of *spec* says in this run. Never raises."""
        ...


#: A document in pieces, which can be gone through more than once.
Chunks = Iterable[bytes]


class ReportSink(Protocol):
    """Keeps reports.

    * **Created only.** A document that is there already is left as it is.
    * **The same only if the bytes are.** A document that is there with other bytes is told.
    * **Whole or not there.** A document whose pieces end in an error is not stored.
    * **Piece by piece.** No more of a document is held than its pieces, and a few MiB.
    """

    def write(self, report_to: str, run_id: str, documents: Mapping[str, Chunks]) -> str:
        """Store *documents* (by file name) and return the place of the first, for people.

        Raises:
            SinkUnavailable: It may work later.
            NotConfigured: It cannot work as configured.
            ReportDiffers: A document is there with other bytes. The others are stored.
        """
        ...

    def read(self, report_to: str, run_id: str, name: str) -> bytes | None:
        """Return a document that :meth:`write` stored, or None."""
        ...


class Target(Protocol):
    """Takes the events of runs, for a machine.

    * **Secrets at the moment of use.** What the configuration refers to is looked up for each
      event. No error and no log line says the target's address or secret.
    * **Straight there.** No redirect is followed, and plain http goes to this machine only.
    """

    @property
    def name(self) -> str:
        """The key of the configuration that names this target, for people."""
        ...

    @property
    def key(self) -> str:
        """What tells this target from every other one, for the mark that it was told."""
        ...

    def tell(self, message: Message) -> None:
        """Return once the target took the event that *message* carries.

        Raises:
            TargetAway: It may take the event later.
            TargetRefuses: It will never take this event.
            NotConfigured: A secret or a library is missing.
        """
        ...


class PeopleTarget(Protocol):
    """Takes messages for people. It promises what :class:`Target` promises."""

    @property
    def name(self) -> str:
        """The key of the configuration that names this target, for people."""
        ...

    @property
    def key(self) -> str:
        """What tells this target from every other one, for the mark that it was told."""
        ...

    def say(self, announcement: Announcement) -> None:
        """Return once the target took *announcement*.

        Raises:
            TargetAway: It may take the message later.
            NotConfigured: A secret or a library is missing, or nobody knows such a target.
        """
        ...


@dataclass(frozen=True, slots=True)
class Beat:
    """What a monitor hears of the run of a slot: that it starts, or how it ended.

    ``signal`` is ``start``, ``success``, ``fail``, or ``log`` for a word that changes nothing;
    ``sentence`` says why, in a line.
    """

    run_id: str
    signal: str
    sentence: str


class Heartbeat(Protocol):
    """Tells a monitor, which raises the alarm itself when nothing comes.

    It promises what :class:`Target` promises.
    """

    @property
    def name(self) -> str:
        """The key of the configuration that names this target, for people."""
        ...

    @property
    def key(self) -> str:
        """What tells this target from every other one, for the mark that it was told."""
        ...

    def send(self, beat: Beat) -> None:
        """Return once the monitor took *beat*; raises as :meth:`Target.tell` does."""
        ...


@dataclass(frozen=True, slots=True)
class Targets:
    """Who is told of the events of runs: machines of every event, people of what changed.

    ``heartbeats`` are the monitors that hear of the runs of slots.
    """

    machines: Sequence[Target] = ()
    people: Sequence[PeopleTarget] = ()
    heartbeats: Sequence[Heartbeat] = ()


class Drawing(Protocol):
    """The documents of a report in the making, whose collectors come one by one."""

    def add(self, name: str, one: Mapping[str, Any]) -> None:
        """Take the collector *name*, whose part of the report is *one*."""
        ...

    def documents(self, report: Mapping[str, Any]) -> Mapping[str, Chunks]:
        """Return the documents to store, by file name; the first is the one to link.

        *report* is the report but for its ``collectors``. It may be asked again for another
        revision of the same collectors.
        """
        ...


#: Begins the documents of the report of a run.
DrawReport = Callable[[Run], Drawing]


class Clock(Protocol):
    """Tells the time, and lets it pass."""

    def now(self) -> datetime:
        """Return the current instant, aware, UTC."""
        ...

    def wait(self, seconds: float) -> None:
        """Return after *seconds*; other threads go on meanwhile."""
        ...
