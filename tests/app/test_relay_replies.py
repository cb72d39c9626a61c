"""The relay: what becomes of each reply."""

from __future__ import annotations

import pytest
from tests.app.one_job import opened, results, the_job, work
from tests.conftest import MakeWorld
from tests.support import (
    World,
    accepted,
    after,
    an_answer,
    broken,
    catalogue,
    collector,
    ok,
)

from fanfold.domain.model.collector import Expect, Severity
from fanfold.domain.model.errors import ComeBack
from fanfold.domain.model.run import Answer
from fanfold.domain.model.states import Outcome
from fanfold.domain.protocol.contract import Call, Reply


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    return opened(make_world)


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


@pytest.mark.parametrize(
    ("retry_after_s", "wait_s"),
    [(77.0, 77.0), (4.9, 5.0), (0.0, 5.0), (-3.0, 5.0), (None, 5.0), (100.5, 100.0), (3000, 100.0)],
)
def test_a_stated_wait_makes_the_backoff_longer_and_never_shorter(
    world: World, retry_after_s: float | None, wait_s: float
) -> None:
    world.client.says("dvf", broken(429, retry_after_s=retry_after_s), ok())
    with pytest.raises(ComeBack) as caught:
        work(world)

    assert caught.value.after_s == wait_s
    assert the_job(world).not_before == after(wait_s)


@pytest.mark.parametrize("retry_after_s", [3599.5, 3600.0, 1e18])
def test_a_wait_beyond_the_deadline_is_the_last_word(world: World, retry_after_s: float) -> None:
    world.client.says("dvf", broken(429, retry_after_s=retry_after_s))

    assert work(world) == "failed"
    assert world.client.called("dvf") == 1


def test_an_answer_says_that_a_wait_would_have_passed_the_deadline(world: World) -> None:
    world.clock.forward(3600 - 12 * 60)
    world.client.says("dvf", broken(503, retry_after_s=3 * 3600.0))
    work(world)

    answer = world.ledger.answer("r1", "dvf")
    assert answer is not None
    assert answer.error is not None
    assert answer.error.message == "http 503; asked to wait 3h00m, the run ends in 12m00s"
    assert answer.attempts[-1].error == answer.error


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


def test_an_answer_without_a_count_fails_what_is_written_and_warns_of_a_default(
    make_world: MakeWorld,
) -> None:
    found: list[Answer] = []
    for run_id, written in (("r1", True), ("r2", False)):
        expect = (Expect("min_records", 1, Severity.FAIL, written=written),)
        world = make_world(configured=catalogue(collector("dvf", expect=expect)))
        world.client.says("dvf", ok(None, warnings=("slow",)))
        world.ask(run_id=run_id)
        world.settle()
        found += world.ledger.answers(run_id)

    assert [(each.outcome.value, each.warnings) for each in found] == [
        ("failed", ("slow",)),
        ("succeeded", ("slow", "no record count")),
    ]


def test_an_accepted_job_waits_for_its_collector(world: World) -> None:
    world.client.says("dvf", accepted())
    assert "accepted" in work(world)
    assert "accepted" in work(world)

    assert world.client.called("dvf") == 1
    assert the_job(world).accepted_until == after(60)
    assert world.outcomes() == {}


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
