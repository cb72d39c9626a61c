"""The relay: every case of a claim, and what comes between the claim and the call."""

from __future__ import annotations

import pytest
from tests.app.doubles import Ports
from tests.app.one_job import opened, results, work
from tests.conftest import MakeWorld
from tests.support import (
    START,
    MovingClock,
    StubClient,
    World,
    accepted,
    after,
    an_answer,
    catalogue,
    collector,
)

from fanfold.domain.model.collector import Overlap
from fanfold.domain.model.errors import ComeBack, LeaseHeld, Transient
from fanfold.domain.model.states import Outcome
from fanfold.domain.protocol.contract import Call, Reply
from fanfold.domain.protocol.findings import ReportedFigures
from fanfold.domain.rules.claim import MAX_LOST_ATTEMPTS
from fanfold.domain.syntax.traceparent import ids_of
from fanfold.messages import events


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    return opened(make_world)


def test_a_granted_job_is_called_recorded_and_announced(world: World) -> None:
    world.clock.forward(4)
    assert work(world) == "succeeded"

    answer = world.ledger.answer("r1", "dvf")
    assert answer is not None
    assert (answer.outcome, answer.records, answer.queued_s) == (Outcome.SUCCEEDED, 10, 4.0)
    assert [each.outcome for each in answer.attempts] == ["succeeded"]
    assert results(world) == ["r1/dvf"]


def test_a_call_says_all_that_a_collector_may_want_to_know(world: World) -> None:
    work(world)

    (call,) = world.client.calls
    assert (call.run_id, call.attempt, call.idempotency_key) == ("r1", 1, "r1/dvf")
    assert (call.timeout_s, call.deadline) == (60.0, after(60))
    assert call.previous == {"revision": None, "records": None}
    assert call.callback is not None
    assert call.callback["url"] == "https://relay.example/callback/r1/dvf"
    assert world.parts.tokens.matches("r1", "dvf", call.callback["token"])
    assert ids_of(call.traceparent) is not None


def test_an_answer_that_is_known_is_said_again_and_nobody_is_called(world: World) -> None:
    work(world)
    assert work(world) == "already succeeded"

    assert world.client.called("dvf") == 1


def test_who_does_not_belong_is_acknowledged(world: World) -> None:
    relay = world.parts.functions.relay
    assert "no such run" in relay.work(events.JobMessage("nobody", "dvf")).words
    assert "did not ask" in relay.work(events.JobMessage("r1", "stranger")).words
    assert world.client.calls == []


def test_a_lease_that_another_holds_brings_the_message_back_when_it_ends(world: World) -> None:
    world.ledger.claim("r1", "dvf", holder="other", now=START)
    with pytest.raises(LeaseHeld) as caught:
        work(world)

    assert caught.value.after_s == 90.0
    assert world.client.calls == []


def test_after_the_deadline_nobody_is_called(world: World) -> None:
    world.clock.forward(3600)

    assert "too little time" in work(world)
    assert world.client.calls == []


def test_near_the_deadline_an_attempt_has_what_is_left(world: World) -> None:
    world.clock.forward(3590)
    work(world)

    (call,) = world.client.calls
    assert (call.timeout_s, call.deadline) == (10.0, after(3600))


def test_a_lease_lost_before_the_call_calls_nobody(make_world: MakeWorld) -> None:
    ports = Ports()
    world = opened(make_world, ports)

    def paused() -> None:
        """Another relay takes the job over while this process stands still."""
        world.clock.forward(90)
        world.ledger.claim("r1", "dvf", holder="other", now=world.clock.now())

    ports["ledger"].once_after("claim", paused)
    with pytest.raises(ComeBack, match="lost before the call"):
        work(world)
    assert world.client.calls == []


def test_an_answer_that_came_during_a_pause_is_not_asked_for_again(make_world: MakeWorld) -> None:
    ports = Ports()
    world = opened(make_world, ports)

    def paused() -> None:
        world.clock.forward(5)
        world.ledger.record(an_answer("dvf", run_id="r1", writer="sweep"))

    ports["ledger"].once_after("claim", paused)
    with pytest.raises(ComeBack):
        work(world)
    assert world.client.calls == []


def test_a_pause_past_the_deadline_calls_nobody(make_world: MakeWorld) -> None:
    ports = Ports()
    world = opened(make_world, ports)
    # The lease outlives the deadline by its margin, so it still holds.
    world.clock.forward(3595)
    ports["ledger"].once_after("claim", lambda: world.clock.forward(5))
    with pytest.raises(ComeBack):
        work(world)

    assert world.client.calls == []


def test_attempts_whose_end_nobody_recorded_are_lost(make_world: MakeWorld) -> None:
    world = opened(make_world, max_attempts=1)
    for _ in range(MAX_LOST_ATTEMPTS):
        world.ledger.claim("r1", "dvf", holder="killed", now=world.clock.now())
        world.clock.forward(90)
    assert work(world) == "failed"

    answer = world.ledger.answer("r1", "dvf")
    assert answer is not None
    assert answer.error is not None
    assert answer.error.kind == "lost"
    assert world.client.calls == []


def test_a_crash_of_ours_is_not_one_of_the_collectors_attempts(make_world: MakeWorld) -> None:
    world = opened(make_world, max_attempts=1)
    world.ledger.claim("r1", "dvf", holder="killed", now=START)
    world.clock.forward(90)

    assert work(world) == "succeeded"
    assert world.client.called("dvf") == 1


def test_no_relay_calls_while_another_does(make_world: MakeWorld) -> None:
    clock, client = MovingClock(), StubClient()
    world = opened(make_world)
    other = make_world(configured=world.configured, clock=clock, client=client)

    def meanwhile(_: Call) -> Reply:
        with pytest.raises(Transient):
            work(other)
        return Reply(200, ReportedFigures(records=1))

    world.client.says("dvf", meanwhile)
    assert work(world) == "succeeded"
    assert client.calls == []


def test_a_queued_job_looks_again_later(make_world: MakeWorld) -> None:
    world = make_world(configured=catalogue(collector("dvf", on_overlap=Overlap.QUEUE)))
    world.client.says("dvf", accepted())
    world.ask()
    world.settle()
    world.ask(run_id="r2")
    world.settle()

    with pytest.raises(ComeBack, match="queued behind run r1"):
        world.parts.functions.relay.work(events.JobMessage("r2", "dvf"))
