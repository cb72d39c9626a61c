"""The sweep: closes and repairs what events alone would leave open."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.app.doubles import Ports, unavailable
from tests.conftest import MakeWorld
from tests.support import (
    START,
    World,
    accepted,
    after,
    an_answer,
    broken,
    catalogue,
    collector,
)

from fanfold.app.sweep import REDRIVE_AFTER_S, RESUME_AFTER_S, Swept
from fanfold.domain.model.collector import Overlap
from fanfold.domain.model.errors import NotConfigured, StoreUnavailable
from fanfold.domain.model.run import Attempt
from fanfold.domain.model.states import Phase, RunStatus
from fanfold.messages.topology import COLLECTOR_JOBS, COLLECTOR_RESULTS


def sweep(world: World) -> Swept:
    return world.parts.sweeper.sweep(world.configured)


def lose(world: World, *subscriptions: str) -> None:
    """Drop every message that waits there, as a retention that ran out does."""
    for subscription in subscriptions:
        world.bus.database.write(
            lambda connection, name=subscription: connection.execute(  # type: ignore[misc]
                "DELETE FROM queued WHERE subscription = ?", (name,)
            )
        )


def opened(make_world: MakeWorld, **of: object) -> World:
    world = make_world(configured=catalogue(collector("dvf", **of), collector("plu", **of)))
    world.ask()
    world.deliver()
    return world


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    return opened(make_world)


def why(world: World, name: str) -> str:
    answer = world.ledger.answer("r1", name)
    assert answer is not None
    assert answer.error is not None
    return answer.error.message


def test_a_run_that_goes_well_is_left_alone(world: World) -> None:
    assert sweep(world) == Swept()
    world.settle()
    assert sweep(world) == Swept()


@pytest.mark.parametrize("step", ["create_jobs", "open_run", "mark_dispatched"])
def test_a_dispatch_that_stopped_is_taken_up(make_world: MakeWorld, step: str) -> None:
    ports = Ports()
    world = make_world(wrap=ports.wrap)
    world.ask()
    ports["ledger"].once_before(step, unavailable)
    world.deliver()
    lose(world, "run-requests")
    assert sweep(world).resumed == []

    world.clock.forward(RESUME_AFTER_S)
    assert sweep(world).resumed == ["r1"]
    world.settle()
    assert world.outcomes() == {"dvf": "succeeded", "plu": "succeeded"}
    assert world.run().phase is Phase.FINAL


def test_jobs_that_were_lost_are_published_again(world: World) -> None:
    lose(world, COLLECTOR_JOBS)
    world.clock.forward(REDRIVE_AFTER_S - 1)
    assert sweep(world).redriven == []
    world.clock.forward(1)
    assert sweep(world).redriven == ["r1"]
    assert sweep(world).redriven == []

    world.settle()
    assert world.outcomes() == {"dvf": "succeeded", "plu": "succeeded"}


def test_jobs_that_somebody_works_on_are_not_published_again(make_world: MakeWorld) -> None:
    world = opened(make_world, timeout_s=3000.0)
    lose(world, COLLECTOR_JOBS)
    world.ledger.claim("r1", "dvf", holder="other", now=START)
    world.clock.forward(REDRIVE_AFTER_S)
    sweep(world)

    assert [each.message.attributes["ce-id"] for each in world.waiting(COLLECTOR_JOBS)] == [
        "r1/plu"
    ]


def test_results_that_were_lost_after_their_answer_still_end_the_run(world: World) -> None:
    world.deliver()  # the relay answers; its results wait
    assert len(world.waiting(COLLECTOR_RESULTS)) == 2
    lose(world, COLLECTOR_RESULTS)

    assert sweep(world).finished == ["r1"]
    assert world.finished_events() == ["r1/1"]


def test_past_the_deadline_every_missing_answer_is_a_timeout_that_says_why(
    make_world: MakeWorld,
) -> None:
    world = make_world(configured=catalogue("never", "working", "waiting", "accepting", "done"))
    world.client.says("accepting", accepted())
    world.ask()
    world.deliver()
    lose(world, COLLECTOR_JOBS)
    world.clock.forward(3550)
    now = world.clock.now()
    for name in ("working", "waiting", "accepting"):
        claimed = world.ledger.claim("r1", name, holder="h", now=now)
        if name == "waiting":
            attempt = _attempt("retry")
            world.ledger.release(claimed.lease, attempt, not_before=after(3599))  # type: ignore[union-attr]
        if name == "accepting":
            world.ledger.accept(claimed.lease, _attempt("accepted"), until=after(3600))  # type: ignore[union-attr]
    world.ledger.record(an_answer("done", run_id="r1"))
    world.clock.forward(50)
    swept = sweep(world)

    assert swept.finished == ["r1"]
    assert len(swept.timed_out) == 4
    assert why(world, "never") == "was never started before the run's deadline"
    assert why(world, "working") == (
        "attempt 1 began 50s before the run's deadline, and no answer of it was stored by then"
    )
    assert why(world, "waiting") == "was waiting to retry after attempt 1 at the run's deadline"
    assert why(world, "accepting").startswith("accepted the job and did not report")
    assert world.outcomes()["done"] == "succeeded"
    assert world.run().status is RunStatus.FAILED


def _attempt(outcome: str) -> Attempt:
    return Attempt(1, after(3550), after(3551), outcome)


def test_a_run_that_was_never_opened_ends_at_its_deadline_too(make_world: MakeWorld) -> None:
    ports = Ports()
    world = make_world(wrap=ports.wrap)
    world.ask()
    ports["ledger"].once_before("create_jobs", unavailable)
    world.deliver()
    world.clock.forward(3600)
    sweep(world)

    assert world.outcomes() == {"dvf": "timed_out", "plu": "timed_out"}
    assert world.run().announced_at is not None


def test_an_accepted_job_that_never_reports_times_out_before_the_run(
    make_world: MakeWorld,
) -> None:
    world = opened(make_world)
    world.client.says("dvf", accepted())
    world.settle()
    world.clock.forward(59)
    assert sweep(world) == Swept()
    world.clock.forward(1)
    swept = sweep(world)

    assert (swept.timed_out, swept.finished) == (["r1/dvf"], ["r1"])
    assert why(world, "dvf") == "accepted the job and never reported"


def test_a_retry_that_waits_is_not_published_again(make_world: MakeWorld) -> None:
    world = opened(make_world, max_backoff_s=3000.0)
    world.client.says("dvf", broken(503, retry_after_s=2000.0))
    world.settle()
    lose(world, COLLECTOR_JOBS)
    world.clock.forward(1999)
    assert sweep(world).redriven == []
    world.clock.forward(1)
    assert sweep(world).redriven == ["r1"]


def test_an_end_that_was_not_announced_is_announced(make_world: MakeWorld) -> None:
    ports = Ports()
    world = make_world(wrap=ports.wrap)
    world.ask()
    for _ in range(2):  # both results find the set full
        ports["sink"].once_before("write", unavailable)
    world.settle()
    lose(world, COLLECTOR_RESULTS)
    assert world.run().announced_at is None

    assert sweep(world).finished == ["r1"]
    assert world.finished_events() == ["r1/1"]


def test_overlapping_sweeps_are_harmless(make_world: MakeWorld) -> None:
    ports = Ports()
    world = make_world(wrap=ports.wrap)
    world.ask()
    world.deliver()
    world.clock.forward(3600)
    ports["ledger"].once_before("record", lambda: _void(sweep(world)))
    ports["ledger"].once_before("finalize_run", lambda: _void(sweep(world)))
    sweep(world)

    assert set(world.finished_events()) == {"r1/1"}
    assert list(world.ledger.lates("r1")) == []
    assert json.loads(world.report() or b"")["summary"]["timed_out"] == 2


def _void(_: object) -> None:
    """Make of anything that happens something that returns nothing."""


@pytest.mark.parametrize(
    "trouble",
    [StoreUnavailable("x"), NotConfigured("x"), ZeroDivisionError("x")],
    ids=lambda each: type(each).__name__,
)
def test_one_runs_trouble_does_not_keep_the_others(
    make_world: MakeWorld, trouble: Exception
) -> None:
    ports = Ports()
    both = catalogue(collector("dvf", on_overlap=Overlap.ALLOW))
    world = make_world(configured=both, wrap=ports.wrap)

    def fail() -> None:
        raise trouble

    for run_id in ("r1", "r2"):
        world.ask(run_id=run_id)
    world.deliver()
    world.clock.forward(3600)
    ports["sink"].once_before("write", fail)
    swept = sweep(world)

    assert swept.finished == ["r2"]
    assert [each.partition(":")[0] for each in swept.trouble] == ["r1"]
    assert sweep(world).finished == ["r1"]


def test_trouble_is_logged_as_what_it_is(make_world: MakeWorld) -> None:
    ports = Ports()
    world = make_world(wrap=ports.wrap)
    world.ask()
    world.deliver()
    world.clock.forward(3600)
    ports["sink"].once_before("write", unavailable)
    world.tick()

    severities = {severity for severity, message, _ in world.logged if "r1: not now" in message}
    assert severities == {"ERROR"}


def test_a_sweep_without_a_configuration_still_ends_runs(world: World) -> None:
    world.clock.forward(3600)

    def unreadable() -> None:
        raise NotConfigured("no such file")

    world.parts.functions = replace(
        world.parts.functions,
        catalogue=unreadable,  # type: ignore[arg-type]
        readable=lambda: None,
    )
    world.tick()

    assert world.run().announced_at is not None
    assert any("missed runs are not looked for: no such file" in each[1] for each in world.logged)


@pytest.mark.parametrize(
    ("step", "trouble"),
    [("unlisted", "late answers: x"), ("known_schedules", "missed slots: x")],
)
def test_what_cannot_be_looked_for_keeps_nothing_else_from_being_swept(
    make_world: MakeWorld, step: str, trouble: str
) -> None:
    ports = Ports()
    nightly = catalogue(collector("dvf", cron="15 2 * * *"), missed_after_s=2700.0)
    world = make_world(configured=nightly, wrap=ports.wrap)
    world.ask()
    world.deliver()
    world.clock.forward(86_400 + 3600)

    def fail() -> None:
        raise NotConfigured("x")

    ports["ledger"].once_before(step, fail)
    swept = sweep(world)

    assert (swept.finished, swept.trouble) == (["r1"], [trouble])
    assert bool(swept.missed) == (step == "unlisted")
