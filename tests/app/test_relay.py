"""The relay: every case of a claim, and what becomes of each reply."""

from __future__ import annotations

import pytest
from tests.app.doubles import Ports, unavailable
from tests.conftest import MakeWorld
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

from fanfold import wire
from fanfold.domain.claim import MAX_LOST_ATTEMPTS
from fanfold.domain.collector import Expect, Overlap, Severity
from fanfold.domain.contract import Call, Findings, Reply
from fanfold.domain.errors import ComeBack, LeaseHeld, StoreUnavailable, Transient
from fanfold.domain.run import Job
from fanfold.domain.states import Outcome
from fanfold.topology import COLLECTOR_RESULTS

JOB = wire.JobMessage("r1", "dvf")


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    return opened(make_world)


def opened(make_world: MakeWorld, ports: Ports | None = None, **of: object) -> World:
    """Return a world with an open run of one collector, whose job nobody worked on."""
    given: dict[str, object] = {"backoff_s": 10.0, "max_backoff_s": 100.0, "max_attempts": 3}
    world = make_world(
        configured=catalogue(collector("dvf", **(given | of))),
        **({"wrap": ports.wrap} if ports else {}),
    )
    world.ask()
    assert world.deliver() == 1
    return world


def work(world: World) -> str:
    return world.parts.doors.relay.work(JOB)


def the_job(world: World) -> Job:
    (job,) = world.ledger.jobs("r1")
    return job


def results(world: World) -> list[str]:
    return [each.message.attributes["ce-id"] for each in world.waiting(COLLECTOR_RESULTS)]


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
    assert wire.TRACEPARENT.fullmatch(call.traceparent or "")


def test_an_answer_that_is_known_is_said_again_and_nobody_is_called(world: World) -> None:
    work(world)
    assert work(world) == "already succeeded"

    assert world.client.called("dvf") == 1


def test_who_does_not_belong_is_acknowledged(world: World) -> None:
    relay = world.parts.doors.relay
    assert "no such run" in relay.work(wire.JobMessage("nobody", "dvf"))
    assert "did not ask" in relay.work(wire.JobMessage("r1", "stranger"))
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


def test_a_retryable_failure_is_retried_after_the_backoff(world: World) -> None:
    world.client.says("dvf", broken(503), broken(500), ok(3))
    waits = []
    for _ in range(2):
        with pytest.raises(ComeBack) as caught:
            work(world)
        waits.append(caught.value.after_s)
        with pytest.raises(ComeBack, match="waiting to retry"):
            work(world)
        world.clock.forward(caught.value.after_s or 0)

    assert waits == [5.0, 10.0]
    assert work(world) == "succeeded"
    answer = world.ledger.answer("r1", "dvf")
    assert answer is not None
    assert [(each.outcome, each.http_status) for each in answer.attempts] == [
        ("retry", 503),
        ("retry", 500),
        ("succeeded", 200),
    ]
    assert [call.attempt for call in world.client.calls] == [1, 2, 3]
    assert {call.idempotency_key for call in world.client.calls} == {"r1/dvf"}


def test_a_retry_after_comes_before_the_backoff(world: World) -> None:
    world.client.says("dvf", broken(429, retry_after_s=77.0), ok())
    with pytest.raises(ComeBack) as caught:
        work(world)

    assert caught.value.after_s == 77.0


@pytest.mark.parametrize("retry_after_s", [3600.0, 1e18])
def test_a_wait_beyond_the_deadline_is_the_last_word(world: World, retry_after_s: float) -> None:
    world.client.says("dvf", broken(429, retry_after_s=retry_after_s))

    assert work(world) == "failed"


def test_a_failure_that_a_retry_cannot_mend_is_not_retried(world: World) -> None:
    world.client.says("dvf", broken(404, retryable=False))

    assert work(world) == "failed"
    assert world.client.called("dvf") == 1


def test_attempts_run_out(make_world: MakeWorld) -> None:
    world = opened(make_world, max_attempts=2)
    world.client.says("dvf", broken(503))
    with pytest.raises(ComeBack):
        work(world)
    world.clock.forward(100)

    assert work(world) == "failed"
    assert world.client.called("dvf") == 2


def test_a_timeout_that_is_the_last_word_is_timed_out(make_world: MakeWorld) -> None:
    world = opened(make_world, max_attempts=1)
    world.client.says("dvf", broken(None, kind="timeout"))

    assert work(world) == "timed_out"


def test_an_expectation_that_fails_is_a_failure_and_never_retried(make_world: MakeWorld) -> None:
    world = opened(make_world, expect=(Expect("min_records", 40, Severity.FAIL),))
    assert work(world) == "failed"

    answer = world.ledger.answer("r1", "dvf")
    assert answer is not None
    assert answer.error is not None
    assert (answer.error.kind, answer.records) == ("expectation", 10)
    assert world.client.called("dvf") == 1


def test_an_accepted_job_waits_for_its_collector(world: World) -> None:
    world.client.says("dvf", accepted())
    assert "accepted" in work(world)
    assert "accepted" in work(world)

    assert world.client.called("dvf") == 1
    assert the_job(world).accepted_until == after(60)
    assert world.outcomes() == {}


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
    ports["ledger"].once_after("claim", lambda: world.clock.forward(3600))
    with pytest.raises(ComeBack):
        work(world)

    assert world.client.calls == []


def test_an_answer_that_lost_to_another_is_kept_as_late_with_an_event(world: World) -> None:
    def meanwhile(_: Call) -> Reply:
        timed_out = an_answer("dvf", run_id="r1", writer="sweep", outcome=Outcome.TIMED_OUT)
        world.ledger.record(timed_out)
        return ok(3)

    world.client.says("dvf", meanwhile)
    assert work(world) == "succeeded, kept as late: it already timed_out"

    assert world.outcomes() == {"dvf": "timed_out"}
    assert [late.answer.records for late in world.ledger.lates("r1")] == [3]
    assert len(results(world)) == 2


def test_a_retry_of_a_lease_that_was_taken_over_records_nothing(world: World) -> None:
    def meanwhile(_: Call) -> Reply:
        world.ledger.claim("r1", "dvf", holder="other", now=after(90))
        return broken(503)

    world.client.says("dvf", meanwhile)
    with pytest.raises(ComeBack):
        work(world)

    job = the_job(world)
    assert job.lease is not None
    assert (job.lease.holder, job.attempts) == ("other", ())


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


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_publish_that_failed_is_repeated_without_another_call(
    make_world: MakeWorld, when: str
) -> None:
    ports = Ports()
    world = opened(make_world, ports)
    getattr(ports["bus"], f"once_{when}")("publish", unavailable)
    with pytest.raises(StoreUnavailable):
        work(world)

    assert work(world) == "already succeeded"
    assert results(world) == ["r1/dvf"]
    assert world.client.called("dvf") == 1


def test_no_relay_calls_while_another_does(make_world: MakeWorld) -> None:
    clock, client = MovingClock(), StubClient()
    world = opened(make_world)
    other = make_world(configured=world.configured, clock=clock, client=client)

    def meanwhile(_: Call) -> Reply:
        with pytest.raises(Transient):
            work(other)
        return Reply(200, Findings(records=1))

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
        world.parts.doors.relay.work(wire.JobMessage("r2", "dvf"))
