"""Cancel: end a run now, with what it has."""

from __future__ import annotations

import json

import pytest
from tests.app.doubles import Died, Ports, died, unavailable
from tests.conftest import MakeWorld
from tests.support import World, an_answer, catalogue, ok

from fanfold.app.cancel import cancel, cancel_collectors
from fanfold.domain.model.errors import StoreUnavailable, UnknownCollector, UnknownRun
from fanfold.domain.model.states import RunStatus
from fanfold.domain.protocol.contract import Call, Reply


def stop(world: World, run_id: str = "r1", writer: str = "me") -> int:
    return cancel(
        run_id,
        reason="wrong year",
        ledger=world.parts.ledger,
        finisher=world.parts.finisher,
        clock=world.clock,
        writer=writer,
    )


def opened(make_world: MakeWorld, ports: Ports | None = None) -> World:
    world = make_world(
        configured=catalogue("dvf", "plu", "sirene"), **({"wrap": ports.wrap} if ports else {})
    )
    world.ask()
    world.deliver()
    world.ledger.record(an_answer("sirene", run_id="r1"))
    return world


def test_a_cancelled_run_ends_with_what_it_has(make_world: MakeWorld) -> None:
    world = opened(make_world)
    assert stop(world) == 2

    assert world.outcomes() == {"dvf": "cancelled", "plu": "cancelled", "sirene": "succeeded"}
    assert world.run().status is RunStatus.CANCELLED
    assert world.finished_events() == ["r1/1"]
    report = json.loads(world.report() or b"")
    assert report["summary"]["cancelled"] == 2
    assert report["collectors"]["dvf"]["error"] == "the run was cancelled: wrong year"


def test_a_cancelled_collector_is_not_called(make_world: MakeWorld) -> None:
    world = opened(make_world)
    stop(world)
    world.live(120)

    assert world.client.calls == []


def test_an_answer_that_was_under_way_is_late_evidence(make_world: MakeWorld) -> None:
    world = opened(make_world)

    def meanwhile(_: Call) -> Reply:
        stop(world)
        return ok(5)

    world.client.says("dvf", meanwhile)
    world.settle()

    assert world.outcomes()["dvf"] == "cancelled"
    assert world.finished_events() == ["r1/1", "r1/2"]


def test_cancelling_what_has_ended_changes_nothing(make_world: MakeWorld) -> None:
    world = opened(make_world)
    world.settle()
    before = world.run()

    assert stop(world) == 0
    assert world.run() == before
    with pytest.raises(UnknownRun):
        stop(world, "nobody")


@pytest.mark.parametrize("step", ["finalize_run", "remember", "mark_announced"])
def test_a_cancel_that_stopped_is_completed_by_a_repeat_or_the_sweep(
    make_world: MakeWorld, step: str
) -> None:
    ports = Ports()
    world = opened(make_world, ports)
    ports["ledger"].once_before(step, unavailable)
    with pytest.raises(StoreUnavailable):
        stop(world)
    world.tick()

    assert world.run().status is RunStatus.CANCELLED
    assert world.run().announced_at is not None


@pytest.mark.parametrize("records", [1, 2])
def test_a_cancel_while_the_run_is_prepared_is_completed_before_the_deadline(
    make_world: MakeWorld, records: int
) -> None:
    ports = Ports()
    world = make_world(wrap=ports.wrap)
    world.ask()
    ports["ledger"].once_before("create_jobs", unavailable)
    world.deliver()
    for _ in range(records - 1):
        ports["ledger"].once_after("record", lambda: None)
    ports["ledger"].once_after("record", died)
    with pytest.raises(Died):
        stop(world)
    world.live(180)

    assert world.run().announced_at is not None
    assert world.client.called("dvf") == 0
    assert world.run().status is RunStatus.CANCELLED


def stop_some(world: World, *names: str, writer: str = "me") -> list[str]:
    return list(
        cancel_collectors(
            "r1",
            names,
            reason="too slow",
            ledger=world.parts.ledger,
            finisher=world.parts.finisher,
            clock=world.clock,
            writer=writer,
        )
    )


def test_one_collector_is_cancelled_and_the_run_goes_on(make_world: MakeWorld) -> None:
    world = opened(make_world)
    assert stop_some(world, "plu") == ["plu"]
    assert world.run().verdict is None

    world.settle()
    assert world.outcomes() == {"dvf": "succeeded", "plu": "cancelled", "sirene": "succeeded"}
    assert [call.spec.name for call in world.client.calls] == ["dvf"]
    report = json.loads(world.report() or b"")
    assert report["collectors"]["plu"]["error"] == "cancelled: too slow"
    assert world.run().status is RunStatus.CANCELLED


def test_the_last_collectors_cancel_ends_the_run(make_world: MakeWorld) -> None:
    world = opened(make_world)
    assert stop_some(world, "dvf", "plu") == ["dvf", "plu"]
    assert world.finished_events() == ["r1/1"]


def test_a_collector_that_answered_keeps_its_answer(make_world: MakeWorld) -> None:
    world = opened(make_world)
    assert stop_some(world, "sirene") == []
    assert world.outcomes() == {"sirene": "succeeded"}
    stop_some(world, "plu")
    assert stop_some(world, "plu", writer="another") == []


def test_of_a_cancel_and_an_answer_at_once_the_first_stays(make_world: MakeWorld) -> None:
    world = opened(make_world)

    def cancelled_meanwhile(call: Call) -> Reply:
        stop_some(world, call.spec.name)
        return ok(7)

    world.client.says("plu", cancelled_meanwhile)
    world.settle()
    assert world.outcomes()["plu"] == "cancelled"
    (late,) = world.ledger.lates("r1")
    assert (late.answer.collector, late.answer.records) == ("plu", 7)


def test_a_collector_that_was_not_asked_cannot_be_cancelled(make_world: MakeWorld) -> None:
    world = opened(make_world)
    with pytest.raises(UnknownCollector):
        stop_some(world, "plu", "other")
    assert world.outcomes() == {"sirene": "succeeded"}


def test_a_cancel_that_broke_off_before_the_run_ended_is_made_good_by_its_repeat(
    make_world: MakeWorld,
) -> None:
    world = opened(make_world)
    world.ledger.record(an_answer("dvf", run_id="r1"))
    world.ledger.record(an_answer("plu", run_id="r1"))
    assert stop_some(world, "plu") == []
    assert world.finished_events() == ["r1/1"]
