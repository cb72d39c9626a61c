"""The promises, each by its name. What is played in finer steps stands in tests/app."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest
from tests.app.doubles import Died, Ports, died
from tests.promises.conftest import Backend
from tests.support import (
    START,
    MovingClock,
    StubClient,
    World,
    accepted,
    after,
    an_answer,
    broken,
    catalogue,
    collector,
    ok,
)

from fanfold.app.health import look
from fanfold.app.relay import store_answer
from fanfold.domain.model.errors import StoreUnavailable, Transient
from fanfold.domain.model.states import Outcome, RunStatus
from fanfold.domain.protocol.contract import Call, Reply
from fanfold.domain.report import balance
from fanfold.messages import events
from fanfold.messages.topology import COLLECTOR_JOBS, COLLECTOR_RESULTS, RUN_REQUESTS, SWEEP_TICKS
from fanfold.ports.bus import Delivery, Message

BALANCED = ("succeeded", "failed", "timed_out", "cancelled", "skipped")


def report_of(world: World, run_id: str = "r1", revision: int = 1) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(world.report(run_id, revision) or b"null")
    assert document is not None
    return document


class Losing:
    """A bus that takes every message of some topics and delivers none of them."""

    def __init__(self, bus: Any, topics: tuple[str, ...]) -> None:
        self.bus = bus
        self.topics = topics

    def publish(self, topic: str, messages: Any) -> Any:
        if topic in self.topics:
            return ["lost"] * len(messages)
        return self.bus.publish(topic, messages)


@pytest.mark.parametrize(
    "lost", [(), (COLLECTOR_RESULTS,), (COLLECTOR_JOBS,), (COLLECTOR_JOBS, COLLECTOR_RESULTS)]
)
def test_every_accepted_run_ends(backend: Backend, lost: tuple[str, ...]) -> None:
    world = backend(wrap=lambda name, port: Losing(port, lost) if name == "bus" else port)
    world.client.says("plu", broken(503))
    world.ask()
    world.live(3600)

    assert world.run().announced_at is not None
    assert world.run().announced_at <= world.run().deadline  # type: ignore[operator]
    assert world.finished_events() == ["r1/1"]
    assert report_of(world)["summary"]["total"] == 2


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_counted_once(backend: Backend, order: tuple[int, ...]) -> None:
    answers = [
        an_answer("dvf", run_id="r1", writer="first", records=1),
        an_answer("plu", run_id="r1", writer="first", records=2),
        an_answer("dvf", run_id="r1", writer="second", records=3),
    ]
    given = [answers[number] for number in order]
    world = backend()
    for name in ("dvf", "plu"):
        world.client.says(name, accepted())
    world.ask()
    world.settle()
    for answer in (*given, *given):
        store_answer(answer, ledger=world.ledger, bus=world.bus, now=world.clock.now())
        world.settle()

    first = {each.collector: each for each in reversed(given)}
    assert {each.collector: each for each in world.ledger.answers("r1")} == first
    assert report_of(world)["summary"]["succeeded"] == 2
    assert report_of(world)["collectors"]["dvf"]["records"] == first["dvf"].records
    assert len(world.ledger.lates("r1")) == 1


def test_nothing_is_lost(backend: Backend) -> None:
    world = backend()
    world.client.says("dvf", accepted())
    world.ask()
    world.settle()
    world.publish(COLLECTOR_JOBS, Message(b"nobody can read this"))
    world.live(3600)
    late = an_answer("dvf", run_id="r1", writer="collector/late", records=3)
    world.comes_late(late)
    world.live(60)

    assert report_of(world)["collectors"]["plu"]["records"] == 10
    assert report_of(world)["collectors"]["dvf"]["status"] == "timed_out"
    assert [each["records"] for each in report_of(world, revision=2)["late"]] == [3]
    (letter,) = world.ledger.dead_letters(10)
    assert letter.data == b"nobody can read this"
    assert "not JSON" in letter.reason
    assert world.waiting(COLLECTOR_JOBS) == []


def test_the_same_trigger_is_the_same_run(backend: Backend) -> None:
    nightly = catalogue(collector("dvf", cron="15 2 * * *"))
    world = backend(configured=nightly)
    other = backend(configured=nightly, clock=world.clock, client=world.client)
    for _ in range(2):
        world.ask(run_id=None, schedule="nightly")
        other.ask(run_id=None, schedule="nightly")
        world.settle()
        other.clock.forward(30)
    (delivery,) = _delivered(world, RUN_REQUESTS, Message(b"{}"))
    for process in (world, other):
        process.parts.functions.take_request(delivery)
        process.settle()

    runs = sorted(run.run_id for run in world.ledger.recent_runs(10))
    assert runs[0] == "2026-11-23T0215Z-nightly"
    assert len(runs) == 2  # the slot's, and the one that was asked for by hand twice
    assert world.client.called("dvf") == 2


def _delivered(world: World, topic: str, message: Message) -> Sequence[Delivery]:
    """Publish *message*, and return it as it waits, once it was delivered too."""
    world.publish(topic, message)
    waiting = world.waiting(topic)
    world.settle()
    return waiting


def test_one_failure_stays_one_failure(backend: Backend) -> None:
    names = ("dead", "slow", "rude", "silent", "good")
    world = backend(configured=catalogue(*(collector(name, max_attempts=1) for name in names)))

    def slow(_: Call) -> Reply:
        world.clock.forward(60)
        return broken(None, kind="timeout")

    def silent(_: Call) -> Reply:
        raise ZeroDivisionError("a bug in the client")

    world.client.says("dead", broken(None, kind="network"))
    world.client.says("slow", slow)
    world.client.says("rude", broken(200, kind="bad_response", retryable=False))
    world.client.says("silent", silent)
    world.ask()
    world.live(3600)

    assert world.outcomes() == {
        "dead": "failed",
        "slow": "timed_out",
        "rude": "failed",
        "silent": "failed",
        "good": "succeeded",
    }
    assert report_of(world)["collectors"]["good"]["records"] == 10


def test_not_called_twice_on_purpose(backend: Backend) -> None:
    clock, client = MovingClock(), StubClient()
    world = backend(clock=clock, client=client)
    other = backend(clock=clock, client=client)

    def meanwhile(call: Call) -> Reply:
        with pytest.raises(Transient):
            other.parts.functions.relay.work(events.JobMessage("r1", call.spec.name))
        return ok()

    client.says("dvf", meanwhile)
    world.ask()
    world.settle()
    for process in (world, other):
        for name in ("dvf", "plu"):
            again = events.encode_job("r1", name, trace_id="a" * 32, at=START)
            process.publish(COLLECTOR_JOBS, again)
        process.settle()

    assert (client.called("dvf"), client.called("plu")) == (1, 1)
    assert [call.idempotency_key for call in client.calls] == ["r1/dvf", "r1/plu"]

    client.says("dvf", ok())
    client.says("plu", broken(400, retryable=False), ok(5))
    world.ask(run_id="r2")
    world.settle()
    world.ask(run_id=None, retry_of="r2")
    world.settle()
    kept = events.encode_job("r2-try2", "dvf", trace_id="a" * 32, at=START)
    world.publish(COLLECTOR_JOBS, kept)
    world.settle()

    keys = [call.idempotency_key for call in client.calls[2:]]
    assert keys == ["r2/dvf", "r2/plu", "r2-try2/plu"]
    report = report_of(world, "r2-try2")
    assert report["summary"]["succeeded"] == report["summary"]["total"] == 2
    where = {name: one["answered_in"] for name, one in report["collectors"].items()}
    assert where == {"dvf": "r2", "plu": "r2-try2"}


@pytest.mark.parametrize("left_s", [600, 61, 60, 30, 1, 0.5, 0, -1])
def test_not_called_late(backend: Backend, left_s: float) -> None:
    world = backend()
    world.ask()
    world.deliver()
    world.clock.forward(3600 - left_s)
    world.settle()

    deadline = world.run().deadline
    assert len(world.client.calls) == (2 if left_s >= 1 else 0)
    for call in world.client.calls:
        assert call.deadline <= deadline
        assert world.clock.at < deadline
        assert (call.deadline - world.clock.at).total_seconds() == call.timeout_s


@pytest.mark.parametrize("last", list(Outcome))
def test_the_report_balances(backend: Backend, last: Outcome) -> None:
    world = backend(configured=catalogue("a", "b", collector("off", enabled=False), collector("c")))
    world.ask(exclude=("c",))
    world.deliver()
    world.ledger.record(an_answer("a", run_id="r1"))
    with pytest.raises(balance.Unbalanced):
        world.parts.finisher.finish("r1")
    assert world.report() is None
    world.ledger.record(an_answer("b", run_id="r1", outcome=last))
    world.parts.finisher.finish("r1")

    report = report_of(world)
    summary = report["summary"]
    assert summary["total"] == 4 == sum(summary[key] for key in BALANCED)
    assert list(report["collectors"]) == ["a", "b", "off", "c"]
    assert (summary["skipped"], summary[last.value] >= 1) == (2, True)


def test_final_is_final(backend: Backend) -> None:
    world = backend(configured=catalogue("dvf"))
    world.client.says("dvf", accepted())
    world.ask()
    world.live(3600)
    before = (world.report(), world.run().status, world.outcomes())
    assert before[1] is RunStatus.FAILED
    for number in range(3):
        late = an_answer("dvf", run_id="r1", writer=f"late/{number % 2}", records=number % 2)
        world.comes_late(late)
        world.live(60)

    assert (world.report(), world.run().status, world.outcomes()) == before
    assert len(report_of(world, revision=2)["changes"]) == 1
    assert len(report_of(world, revision=3)["changes"]) == 2
    assert report_of(world, revision=3)["status"] == "failed"
    assert world.finished_events() == ["r1/1", "r1/2", "r1/3"]


def test_a_restart_loses_nothing(backend: Backend) -> None:
    clock, client, ports = MovingClock(), StubClient(), Ports()
    world = backend(clock=clock, client=client, wrap=ports.wrap)
    world.ask()
    for port, step in (
        ("ledger", "create_run"),
        ("bus", "publish"),
        ("ledger", "claim"),
        ("ledger", "record"),
        ("ledger", "finalize_run"),
        ("sink", "write"),
    ):
        ports[port].once_after(step, died)
        with pytest.raises(Died):
            world.live(3000)
        world = backend(clock=clock, client=client, wrap=ports.wrap)
    world.live(1200)

    assert world.outcomes() == {"dvf": "succeeded", "plu": "succeeded"}
    assert set(world.finished_events()) == {"r1/1"}
    assert report_of(world)["summary"]["succeeded"] == 2
    assert world.run().announced_at is not None
    assert after(0) <= world.clock.at
    assert world.waiting(SWEEP_TICKS) == []


def test_a_red_night_is_seen(backend: Backend) -> None:
    client = StubClient()
    client.says("plu", broken(retryable=False), ok())
    world = backend(client=client)

    def code() -> int:
        return look(world.ledger, world.configured, world.clock.now()).health.code

    world.ask()
    world.live(60)
    assert (world.run().status, code()) == (RunStatus.FAILED, 1)
    world.ask(run_id="by-hand", collectors=("dvf",))
    world.live(60)
    assert (world.run("by-hand").status, code()) == (RunStatus.SUCCEEDED, 1)
    world.ask(run_id="again", collectors=("plu",))
    world.live(60)
    assert (world.run("again").status, code()) == (RunStatus.SUCCEEDED, 0)

    world.ask(run_id="refused", collectors=("nobody",))
    world.live(60)
    assert code() == 1
    world.clock.forward(90_000)
    assert code() == 0


class Failing:
    """A port of which some methods always fail; the others work."""

    def __init__(self, port: Any, methods: frozenset[str]) -> None:
        self.port = port
        self.methods = methods

    def __getattr__(self, name: str) -> Any:
        return self._fail if name in self.methods else getattr(self.port, name)

    def _fail(self, *_: Any, **__: Any) -> Any:
        raise StoreUnavailable("what is kept beside the run cannot be reached")


@pytest.mark.parametrize(
    "duties",
    [
        {"unlisted"},
        {"known_schedules"},
        {"unlisted", "known_schedules", "note_schedules", "runs_between", "note_progress"},
    ],
    ids=["late answers", "missed slots", "all of it"],
)
def test_housekeeping_never_stops_the_work(backend: Backend, duties: set[str]) -> None:
    failing = frozenset(duties)
    world = backend(wrap=lambda name, port: Failing(port, failing) if name == "ledger" else port)
    world.client.says("plu", accepted())
    world.ask()
    world.live(3600)

    assert world.outcomes() == {"dvf": "succeeded", "plu": "timed_out"}
    assert world.finished_events() == ["r1/1"]
    assert world.run().announced_at is not None
    # What could not be done is told, and nothing else is in its way.
    assert [text for severity, text, _ in world.logged if severity == "ERROR"] != []
