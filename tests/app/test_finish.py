"""Aggregate and finish: counted once, one report, and every step mended by a repeat."""

from __future__ import annotations

import json

import pytest
from tests.app.doubles import Died, Ports, died, unavailable
from tests.conftest import MakeWorld
from tests.support import World, after, an_answer, catalogue

from fanfold.domain.model.errors import StoreUnavailable, UnknownRun
from fanfold.domain.model.run import Answer, LateAnswer
from fanfold.domain.model.states import Outcome, Phase
from fanfold.domain.report import balance
from fanfold.domain.report.fold import fold
from fanfold.messages import events
from fanfold.messages.events import ResultMessage
from fanfold.ports.bus import Delivery
from fanfold.rendering import to_bytes


def opened(make_world: MakeWorld, ports: Ports | None = None) -> World:
    world = make_world(**({"wrap": ports.wrap} if ports else {}))
    world.ask()
    world.deliver()
    return world


def answer(name: str, writer: str = "relay/1", **changes: object) -> Answer:
    return an_answer(name, run_id="r1", writer=writer, **changes)


def take(world: World, given: Answer) -> str:
    """Store *given* as its relay does, and take in its event."""
    if world.ledger.record(given).writer != given.writer:
        world.ledger.keep_late(LateAnswer(given, world.clock.now()))
    result = ResultMessage("r1", given.collector, writer=given.writer)
    return world.parts.functions.aggregator.take(result).words


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    return opened(make_world)


def test_the_last_answer_ends_the_run(world: World) -> None:
    assert take(world, answer("plu")) == "counted"
    assert "it was the last" in take(world, answer("dvf"))

    assert world.run().phase is Phase.FINAL
    assert world.finished_events() == ["r1/1"]
    assert world.run().report == f"{world.configured.report_to}/r1/report.html"


def test_a_duplicate_counts_once(world: World) -> None:
    for _ in range(3):
        assert take(world, answer("plu")) == "counted"

    assert world.run().phase is Phase.OPEN
    assert world.outcomes() == {"plu": "succeeded"}


def test_a_duplicate_after_the_end_changes_nothing(world: World) -> None:
    take(world, answer("plu"))
    take(world, answer("dvf"))
    before = (world.run(), world.report())
    assert take(world, answer("plu")) == "the run was final"

    assert (world.run(), world.report()) == before
    assert world.finished_events() == ["r1/1"]


def test_a_result_of_an_unknown_run_is_a_dead_letter(world: World) -> None:
    message = events.encode_result(an_answer("dvf", run_id="nobody"))
    world.parts.functions.take_result(Delivery(message, "m1", after(1), "collector-results"))

    assert world.dead() == ["no run 'nobody' in the ledger"]
    with pytest.raises(UnknownRun):
        world.parts.functions.aggregator.take(ResultMessage("nobody", "dvf", writer="w"))


def test_a_second_answer_before_the_end_is_kept_as_evidence(world: World) -> None:
    take(world, answer("plu", records=1))
    take(world, answer("plu", writer="w2", records=2))
    take(world, answer("dvf"))

    first = json.loads(world.report() or b"")
    second = json.loads(world.report(revision=2) or b"")
    assert first["collectors"]["plu"]["records"] == 1
    assert second["collectors"] == first["collectors"]
    assert [late["records"] for late in second["late"]] == [2]
    assert world.finished_events() == ["r1/1", "r1/2"]


def test_an_answer_after_the_end_makes_one_more_revision(world: World) -> None:
    take(world, answer("plu", outcome=Outcome.TIMED_OUT, writer="sweep", records=None))
    take(world, answer("dvf"))
    final = world.report()
    for _ in range(2):
        take(world, answer("plu", records=7))

    assert world.report() == final
    second = json.loads(world.report(revision=2) or b"")
    assert second["collectors"]["plu"]["status"] == "timed_out"
    assert second["summary"]["late"] == 1
    assert second["changes"]
    assert world.finished_events() == ["r1/1", "r1/2"]
    assert world.run().revision == 2


def test_a_collectors_own_words_are_an_answer(world: World) -> None:
    words = {"collector": "plu", "status": "succeeded", "records": 12}
    take_words = ResultMessage("r1", "plu", token=world.token("plu"), body=words)
    assert world.parts.functions.aggregator.take(take_words).words == "counted"
    world.clock.forward(5)
    assert world.parts.functions.aggregator.take(take_words).words == "counted"

    stored = world.ledger.answer("r1", "plu")
    assert stored is not None
    assert stored.records == 12
    assert list(world.ledger.lates("r1")) == []


def test_a_collectors_progress_is_noted_and_counts_for_nothing(world: World) -> None:
    words = {"fraction": 0.5, "message": "half way"}
    result = ResultMessage("r1", "plu", token=world.token("plu"), body=words)
    assert world.parts.functions.aggregator.take(result).words == "progress noted"

    assert world.outcomes() == {}
    noted = {job.collector: job.progress for job in world.ledger.jobs("r1")}["plu"]
    assert noted is not None
    assert noted["fraction"] == 0.5


def test_words_that_break_the_contract_are_a_failed_answer(world: World) -> None:
    words = {"records": "many"}
    result = ResultMessage("r1", "plu", token=world.token("plu"), body=words)
    world.parts.functions.aggregator.take(result)

    stored = world.ledger.answer("r1", "plu")
    assert stored is not None
    assert stored.error is not None
    assert stored.error.kind == "bad_response"


FINISH_STEPS = [
    ("ledger", "answer"),
    ("ledger", "all_answered"),
    ("ledger", "finalize_run"),
    ("ledger", "remember"),
    ("sink", "write"),
    ("bus", "publish"),
    ("ledger", "mark_announced"),
]


@pytest.mark.parametrize("mended_by", ["redelivery", "sweep"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("port", "step"), FINISH_STEPS)
def test_a_finish_that_stopped_is_mended_with_the_same_bytes(
    make_world: MakeWorld, port: str, step: str, when: str, mended_by: str
) -> None:
    ports = Ports()
    world = opened(make_world, ports)
    take(world, answer("plu"))
    getattr(ports[port], f"once_{when}")(step, unavailable)
    with pytest.raises(StoreUnavailable):
        take(world, answer("dvf"))
    world.clock.forward(20)
    if mended_by == "redelivery":
        take(world, answer("dvf"))
    else:
        world.tick()

    assert world.run().announced_at is not None
    assert set(world.finished_events()) == {"r1/1"}
    assert world.ledger.histories(["dvf"])["dvf"].outcomes == "s"
    assert world.report() == undisturbed(world)


def undisturbed(world: World) -> bytes:
    """Return the report that the run's own record and answers fold to."""
    folded = fold(world.run(), world.ledger.manifest("r1"), world.ledger.answers("r1"))
    return to_bytes(folded)


def test_the_event_goes_out_before_the_mark(make_world: MakeWorld) -> None:
    ports = Ports()
    world = opened(make_world, ports)
    take(world, answer("plu"))
    ports["bus"].once_before("publish", died)
    with pytest.raises(Died):
        take(world, answer("dvf"))

    assert world.run().announced_at is None
    assert ports["sink"].called == ["write"]


def test_a_report_that_would_not_balance_is_not_written(make_world: MakeWorld) -> None:
    world = make_world(configured=catalogue("dvf", "plu"))
    world.ask()
    world.deliver()
    world.ledger.record(answer("dvf"))
    with pytest.raises(balance.Unbalanced, match="plu asked without an answer"):
        world.parts.finisher.finish("r1")

    assert world.run().phase is Phase.OPEN
    assert world.report() is None
