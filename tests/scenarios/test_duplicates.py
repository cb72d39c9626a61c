"""Every message may come twice, and late."""

from __future__ import annotations

from dataclasses import replace

from tests.scenarios.world import World, statuses

from fanfold.domain.model.request import RunRequest
from fanfold.domain.model.run import Failure, LateAnswer
from fanfold.domain.model.states import Outcome
from fanfold.messages import events, topology


def test_a_duplicate_trigger_makes_no_second_run(world: World) -> None:
    world.configure(["dvf"])
    world.start()

    for _ in range(3):
        world.ask(RunRequest(run_id="r1"))
    world.report("r1")
    world.ask(RunRequest(run_id="r1"))
    world.ask(RunRequest(run_id="r2"))
    world.report("r2")

    assert len(world.collectors.calls("dvf")) == 2
    assert len(world.parts.ledger.recent_runs(10)) == 2


def test_a_duplicate_result_counts_once(world: World) -> None:
    world.configure(["dvf", "plu"])
    world.start()
    world.ask(RunRequest(run_id="r1"))
    report = world.report("r1")

    answers = world.parts.ledger.answers("r1")
    for _ in range(3):
        world.publish(topology.COLLECTOR_RESULTS, *map(events.encode_result, answers))
    world.ask(RunRequest(run_id="r2"))
    world.report("r2")

    assert world.parts.ledger.lates("r1") == []
    assert world.report("r1") == report


def test_a_late_answer_makes_the_next_revision_and_rewrites_nothing(world: World) -> None:
    world.configure(["dvf"])
    world.start()
    world.ask(RunRequest(run_id="r1"))
    first = world.report("r1")

    answer = world.parts.ledger.answers("r1")[0]
    late = replace(
        answer, writer="somebody", outcome=Outcome.FAILED, error=Failure("http", "too late")
    )
    world.parts.ledger.keep_late(LateAnswer(late, world.parts.clock.now()))
    world.publish(topology.COLLECTOR_RESULTS, events.encode_late_result(late))
    second = world.report("r1", revision=2)

    assert statuses(second) == statuses(first) == {"dvf": "succeeded"}
    assert second["late"][0]["outcome"] == "failed"
    assert second["changes"]
    assert world.report("r1") == first


def test_the_same_late_answer_twice_is_one_revision(world: World) -> None:
    world.configure(["dvf"])
    world.start()
    world.ask(RunRequest(run_id="r1"))
    world.report("r1")

    late = replace(world.parts.ledger.answers("r1")[0], writer="somebody")
    for _ in range(2):
        world.parts.ledger.keep_late(LateAnswer(late, world.parts.clock.now()))
        world.publish(topology.COLLECTOR_RESULTS, events.encode_late_result(late))
        world.report("r1", revision=2)
    world.ask(RunRequest(run_id="r2"))
    world.report("r2")

    assert world.wait_for("r1").revision == 2
