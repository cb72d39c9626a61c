"""What every test builds with: values, a clock that moves, a client that records, a whole world.

A :class:`World` is one process without threads: messages are delivered when the test says so, and
time passes when the test says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from fanfold.adapters.embedded.bus import SqliteBus
from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.leases import LeasedMessage, PullRequest, Settlement
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.adapters.embedded.owners import Owner
from fanfold.adapters.report_folder import FolderSink
from fanfold.domain.model.collector import Catalogue, Collector, CollectorSpec
from fanfold.domain.model.errors import Transient
from fanfold.domain.model.request import RunRequest
from fanfold.domain.model.run import (
    Answer,
    Attempt,
    Entry,
    Failure,
    Job,
    LateAnswer,
    Run,
    Skip,
    Trigger,
    Verdict,
)
from fanfold.domain.model.states import Outcome, RunStatus
from fanfold.domain.protocol.contract import Call, Reply
from fanfold.domain.protocol.findings import ReportedFigures
from fanfold.messages import events, run_request
from fanfold.messages.topology import (
    COLLECTOR_RESULTS,
    RUN_REPORTS,
    RUN_REQUESTS,
    SWEEP_TICKS,
    topology,
)
from fanfold.ports.bus import Delivery, Message
from fanfold.ports.ledger import Ledger
from fanfold.rendering.report_json import document_name
from fanfold.runtime import parts
from fanfold.settings import Settings

P = TypeVar("P")

#: A Monday, at the slot of a nightly schedule.
START = datetime(2026, 11, 23, 2, 15, tzinfo=UTC)

RUN_ID = "2026-11-23T0215Z-nightly"


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class MovingClock:
    """Tells the time that the test set."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def wait(self, seconds: float) -> None:
        self.forward(seconds)


def ok(records: int | None = 10, **findings: Any) -> Reply:
    return Reply(200, ReportedFigures(records=records, **findings))


def broken(
    status: int | None = 503,
    *,
    kind: str = "http",
    retryable: bool = True,
    retry_after_s: float | None = None,
) -> Reply:
    failure = Failure(kind, f"{kind} {status}", retryable)
    return Reply(status, failure=failure, retry_after_s=retry_after_s)


def accepted() -> Reply:
    return Reply(202, accepted=True)


#: What a collector answers, or what happens during the call and then that.
Says = Reply | Callable[[Call], Reply]


class StubClient:
    """Answers as told (the last word is repeated; ten records if nothing was said), and records."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._said: dict[str, list[Says]] = {}

    def says(self, collector: str, *replies: Says) -> None:
        self._said[collector] = list(replies)

    def invoke(self, call: Call) -> Reply:
        self.calls.append(call)
        said = self._said.get(call.spec.name) or [ok()]
        word = said.pop(0) if len(said) > 1 else said[0]
        return word if isinstance(word, Reply) else word(call)

    def called(self, collector: str) -> int:
        return sum(call.spec.name == collector for call in self.calls)


def spec(name: str, **changes: Any) -> CollectorSpec:
    given: dict[str, Any] = {"url": f"https://{name}.example/", "timeout_s": 60.0}
    return CollectorSpec(name=name, **(given | changes))


def collector(name: str, **changes: Any) -> Collector:
    """Return a collector of the configuration; *changes* go to it or to its spec."""
    named = ("enabled", "cron", "on_overlap", "transport")
    own = {key: changes.pop(key) for key in named if key in changes}
    return Collector(spec(name, **changes), **own)


def catalogue(*collectors: Collector | str, **changes: Any) -> Catalogue:
    given: dict[str, Any] = {"schedule": "nightly", "run_timeout_s": 3600.0}
    made = tuple(collector(each) if isinstance(each, str) else each for each in collectors)
    return Catalogue(made, **(given | changes))


def entry(name: str, *, skip: str | None = None, behind: str | None = None, **of: Any) -> Entry:
    return Entry(spec(name, **of), skip=Skip(skip) if skip else None, queue_behind=behind)


def a_run(run_id: str = RUN_ID, *, manifest: Sequence[Entry] = (), **changes: Any) -> Run:
    asked = sum(each.skip is None for each in manifest)
    run = Run(
        run_id=run_id,
        writer="w1",
        trigger=Trigger("schedule", by="nightly", message_id="1"),
        start_time=START,
        deadline=after(3600),
        scheduled_for=START,
        total=len(manifest),
        asked=asked,
        timezone="Europe/Paris",
        tolerated_failures=0,
        report_to="reports",
        config_version="sha256:0",
        retry_of=None,
        expires_at=after(86_400),
        trace_id="a" * 32,
    )
    return replace(run, **changes)


def a_job(name: str, run_id: str = RUN_ID, **changes: Any) -> Job:
    return replace(Job(run_id, name, published_at=START, deadline=after(3600)), **changes)


def an_attempt(number: int = 1, outcome: str = "succeeded", **changes: Any) -> Attempt:
    return replace(Attempt(number, after(1), after(2), outcome, 200), **changes)


def an_answer(
    name: str, *, run_id: str = RUN_ID, writer: str = "relay/1", **changes: Any
) -> Answer:
    given: dict[str, Any] = {"outcome": Outcome.SUCCEEDED, "end_time": after(2), "records": 10}
    return Answer(run_id, name, writer, **(given | changes))


def a_closing(**changes: Any) -> Verdict:
    return replace(
        Verdict(RunStatus.SUCCEEDED, "2 of 2 succeeded", {"total": 2}, after(9)), **changes
    )


class CountedBus:
    """A bus that notes in *published* what was handed to it, with its topic.

    A queue cannot tell: it keeps one of two waiting messages with the same ``ce-id``.
    """

    def __init__(self, bus: SqliteBus, published: list[tuple[str, Message]]) -> None:
        self._bus = bus
        self._published = published

    def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        ids = self._bus.publish(topic, messages)
        self._published += [(topic, message) for message in messages]
        return ids


class World:
    """One process on the file in *folder*: the real parts, a moving clock and a stub client.

    Args:
        folder: Where the file and the reports are; another world on it is another process.
        configured: The configuration, which a test may replace; two collectors if absent.
        clock: Shared between the processes of a test.
        client: Likewise.
        published: Likewise: what was handed to the bus, with its topic.
        connect: Opens a ledger elsewhere; messages go by the file all the same.
        wrap: Puts something around the ports ``ledger``, ``bus`` and ``sink``, told by name.
        is_paced: Whether jobs are held back until there is a place for them.
    """

    def __init__(
        self,
        folder: Path,
        *,
        configured: Catalogue | None = None,
        clock: MovingClock | None = None,
        client: StubClient | None = None,
        published: list[tuple[str, Message]] | None = None,
        env: Mapping[str, str] | None = None,
        connect: Callable[[], Ledger] | None = None,
        wrap: Callable[[str, Any], Any] = lambda _, port: port,
        is_paced: bool = False,
    ) -> None:
        self.folder = folder
        self.configured = configured or catalogue("dvf", "plu")
        self.configured = replace(self.configured, report_to=str(folder / "reports"))
        self.clock = clock or MovingClock()
        self.client = client or StubClient()
        self.published = [] if published is None else published
        self.logged: list[tuple[str, str, Mapping[str, Any]]] = []
        database = Database(folder / "fanfold.db")
        # Power cuts are not played here, and a test has hundreds of commits.
        database._writer.execute("PRAGMA synchronous = OFF")
        self.owner = Owner(database)
        self.database = database
        self.ledger: Ledger = SqliteLedger(database) if connect is None else connect()
        self.bus = SqliteBus(database, topology(), self.clock, self._jitter)
        self.sink = FolderSink()
        self.parts = parts.assemble(
            parts.Backend(
                ledger=wrap("ledger", self.ledger),
                bus=wrap("bus", CountedBus(self.bus, self.published)),
                sink=wrap("sink", self.sink),
                callback_key="5f3a9c07b1e84d62a0f7c39be1d8462f",
                writer=self.owner.name,
                is_paced=is_paced,
            ),
            Settings(),
            env or {},
            log=self._log,
            client=self.client,
            clock=self.clock,
            jitter=self._jitter,
            catalogue=lambda: self.configured,
        )
        self.parts.callback.base = "https://relay.example"

    def close(self) -> None:
        self.ledger.close()
        self.database.close()

    def _jitter(self) -> float:
        return 0.5

    def _log(self, severity: str, message: str, **fields: Any) -> None:
        self.logged.append((severity, message, fields))

    def token(self, collector: str, run_id: str = "r1") -> str:
        return self.parts.tokens.token(run_id, collector)

    def comes_late(self, answer: Answer) -> None:
        """Let a relay keep *answer* as late evidence, and publish its event."""
        self.ledger.keep_late(LateAnswer(answer, self.clock.now()))
        self.bus.publish(COLLECTOR_RESULTS, [events.encode_late_result(answer)])

    def ask(self, **request: Any) -> str:
        """Publish a run request for the run ``run_id`` (``r1`` if not said), and return its id."""
        asked = RunRequest(**({"run_id": "r1"} | request))
        self.bus.publish(RUN_REQUESTS, [run_request.encode_run_request(asked)])
        return asked.run_id or ""

    def publish(self, topic: str, message: Message) -> None:
        self.bus.publish(topic, [message])

    def deliver(self) -> int:
        """Deliver every visible message once, and return how many there were."""
        wants = [PullRequest(each.name, 100) for each in topology().fed()]
        held = self.bus.exchange([], wants, holder=self.owner.name)
        for each in held:
            self.bus.exchange([self._serve(each)], [], holder=self.owner.name)
        return len(held)

    def settle(self) -> None:
        """Deliver until nothing is visible."""
        while self.deliver():
            pass

    def tick(self) -> None:
        """Let a sweep come, and deliver what it leads to."""
        self.bus.publish(SWEEP_TICKS, [events.encode_tick(at=self.clock.now())])
        self.settle()

    def live(self, seconds: float, step_s: float = 60.0) -> None:
        """Let *seconds* pass, with a sweep and every delivery that is due each *step_s*."""
        self.settle()
        passed = 0.0
        while passed < seconds:
            self.clock.forward(step_s)
            passed += step_s
            self.tick()

    def _serve(self, held: LeasedMessage) -> Settlement:
        function = topology().subscriptions[held.delivery.subscription].function
        try:
            self.parts.functions.named(str(function))(held.delivery)
        except Transient as exc:
            return Settlement(held, str(exc), exc.after_s)
        except Exception as exc:  # noqa: BLE001 - as the host does
            return Settlement(held, repr(exc))
        return Settlement(held)

    def run_or_none(self, run_id: str = "r1") -> Run | None:
        return self.ledger.run(run_id)

    def run(self, run_id: str = "r1") -> Run:
        found = self.run_or_none(run_id)
        assert found is not None
        return found

    def outcomes(self, run_id: str = "r1") -> dict[str, str]:
        return {each.collector: each.outcome.value for each in self.ledger.answers(run_id)}

    def report(self, run_id: str = "r1", revision: int = 1) -> bytes | None:
        name = document_name(revision, "json")
        return self.sink.read(self.configured.report_to, run_id, name)

    def waiting(self, subscription: str) -> Sequence[Delivery]:
        return self.bus.messages(subscription, 1000)

    def finished_events(self) -> list[str]:
        return self.published_ids(RUN_REPORTS)

    def published_ids(self, topic: str) -> list[str]:
        """Return the event ids of what was handed to the bus for *topic*, in order."""
        return [message.attributes["ce-id"] for to, message in self.published if to == topic]

    def dead(self) -> list[str]:
        return [letter.reason for letter in self.ledger.dead_letters(100)]
