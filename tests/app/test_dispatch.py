"""Dispatch: one request, one run; a repeat goes on at the step that was not done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.app.doubles import Ports, unavailable
from tests.conftest import MakeWorld
from tests.support import START, World, after, catalogue, collector

from fanfold.app import dispatch as module
from fanfold.domain.model.collector import Overlap
from fanfold.domain.model.errors import StoreUnavailable
from fanfold.domain.model.request import Arrival, RunRequest
from fanfold.domain.model.run import Run
from fanfold.domain.model.states import Phase, RunStatus
from fanfold.messages import run_request
from fanfold.messages.topology import COLLECTOR_JOBS
from fanfold.ports.bus import Delivery, Message

ARRIVAL = Arrival("m1", START)


def deliver(world: World, attempt: int = 1, message_id: str = "m1", **request: object) -> Run:
    """Deliver a request to the dispatcher, and return the newest run."""
    asked = RunRequest(**({"run_id": "r1"} | request))  # type: ignore[arg-type]
    message = run_request.encode_run_request(asked)
    world.parts.functions.take_request(
        Delivery(message, message_id, START, "run-requests", attempt)
    )
    return world.ledger.recent_runs(1)[0]


def void(_: object) -> None:
    """Make of anything that happens something that returns nothing."""


def jobs_of(world: World) -> list[str]:
    return [each.message.attributes["ce-id"] for each in world.waiting(COLLECTOR_JOBS)]


def test_a_request_makes_a_run_with_one_job_for_each_asked_collector(make_world: MakeWorld) -> None:
    world = make_world(configured=catalogue("dvf", "plu", collector("old", enabled=False)))
    run = deliver(world)

    assert (run.run_id, run.phase, run.status) == ("r1", Phase.OPEN, RunStatus.RUNNING)
    assert (run.total, run.asked, run.deadline) == (3, 2, after(3600))
    assert jobs_of(world) == ["r1/dvf", "r1/plu"]
    assert [job.collector for job in world.ledger.jobs("r1")] == ["dvf", "plu"]


STEPS = [
    "create_run",
    "create_jobs",
    "open_run",
    "answers",
    "mark_dispatched",
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_repeat_goes_on_at_the_step_that_failed(
    make_world: MakeWorld, step: str, when: str
) -> None:
    ports = Ports()
    world = make_world(wrap=ports.wrap)
    getattr(ports["ledger"], f"once_{when}")(step, unavailable)
    with pytest.raises(StoreUnavailable):
        deliver(world)
    run = deliver(world, attempt=2)

    assert (run.run_id, run.phase) == ("r1", Phase.OPEN)
    assert run.dispatched_at is not None
    assert jobs_of(world) == ["r1/dvf", "r1/plu"]
    assert len(world.ledger.recent_runs(10)) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_is_not_marked_before_every_publish_is_confirmed(
    make_world: MakeWorld, when: str
) -> None:
    ports = Ports()
    world = make_world(wrap=ports.wrap)
    getattr(ports["bus"], f"once_{when}")("publish", unavailable)
    with pytest.raises(StoreUnavailable):
        deliver(world)
    assert world.run().dispatched_at is None

    deliver(world, attempt=2)
    assert world.run().dispatched_at == START
    assert jobs_of(world) == ["r1/dvf", "r1/plu"]


def test_a_repeat_of_what_is_done_publishes_nothing(world: World) -> None:
    deliver(world)
    world.settle()
    deliver(world, attempt=2)

    assert jobs_of(world) == []
    assert world.client.called("dvf") == 1


def test_another_process_takes_a_half_made_run_further(make_world: MakeWorld) -> None:
    ports = Ports()
    first = make_world(wrap=ports.wrap)
    ports["ledger"].once_before("open_run", unavailable)
    with pytest.raises(StoreUnavailable):
        deliver(first)
    second = make_world(configured=catalogue("changed", "meanwhile"))
    deliver(second, attempt=2)

    assert jobs_of(second) == ["r1/dvf", "r1/plu"]


def test_two_deliveries_of_one_request_at_the_same_time_are_one_run(make_world: MakeWorld) -> None:
    ports = Ports()
    world = make_world(wrap=ports.wrap)
    # The second one runs from start to end while the first one plans.
    ports["ledger"].once_before("histories", lambda: void(deliver(world, attempt=2)))
    deliver(world)
    world.settle()

    assert world.outcomes() == {"dvf": "succeeded", "plu": "succeeded"}
    assert world.dead() == []
    assert len(world.ledger.recent_runs(10)) == 1


def test_every_job_is_published_however_many_there_are(make_world: MakeWorld) -> None:
    many = [f"c{number:04}" for number in range(2 * module.BATCH + 1)]
    world = make_world(configured=catalogue(*many))
    deliver(world)

    assert len(world.ledger.jobs("r1")) == len(many)
    assert world.bus.waiting()[COLLECTOR_JOBS] == len(many)


def test_a_run_that_asks_nobody_ends_at_once_with_its_report(make_world: MakeWorld) -> None:
    world = make_world(configured=catalogue(collector("old", enabled=False)))
    run = deliver(world)

    assert (run.phase, run.status) == (Phase.FINAL, RunStatus.SUCCEEDED)
    assert world.finished_events() == ["r1/1"]
    assert world.report() is not None


def test_a_dry_run_is_recorded_and_asks_nobody(world: World) -> None:
    run = deliver(world, dry_run=True)

    assert (run.run_id, run.status) == ("r1-planned", RunStatus.PLANNED)
    assert run.about == "planned only: would run dvf, plu"
    assert jobs_of(world) == []
    deliver(world, message_id="m2")
    assert world.run("r1").status is RunStatus.RUNNING


def test_what_cannot_start_is_recorded_where_people_look(world: World) -> None:
    deliver(world, collectors=("dfv",), tags=("x",))
    run = deliver(world, attempt=2, collectors=("dfv",), tags=("x",))

    assert run.status is RunStatus.REJECTED
    assert run.run_id.endswith("-rejected")
    assert "unknown collector 'dfv': did you mean 'dvf'?" in run.about
    assert "no collector has the tag 'x'" in run.about
    assert len(world.ledger.recent_runs(10)) == 1
    assert world.dead() == []


def test_a_request_that_is_too_old_is_refused_and_recorded(world: World) -> None:
    world.clock.forward(world.configured.max_trigger_age_s + 1)
    run = deliver(world)

    assert run.status is RunStatus.REJECTED
    assert "24.0 h ago" in run.about


@pytest.mark.parametrize(
    ("request_", "record"),
    [
        pytest.param({}, "r1-rejected", id="an id of its own"),
        pytest.param(
            {"run_id": None, "schedule": "nightly"},
            "2026-11-23T0215Z-nightly-rejected",
            id="a slot",
        ),
        pytest.param({"run_id": "x" * 100}, "x" * 91 + "-rejected", id="the longest id"),
    ],
)
def test_a_request_that_waited_too_long_is_refused_under_the_id_that_it_asked_for(
    make_world: MakeWorld, request_: dict[str, Any], record: str
) -> None:
    world = make_world(configured=catalogue(collector("dvf", cron="15 2 * * *")))
    world.clock.forward(25 * 3600)
    assert deliver(world, **request_).run_id == record
    assert deliver(world, attempt=2, **request_).run_id == record
    assert len(world.ledger.recent_runs(10)) == 1


def test_a_refused_id_stays_free_for_a_better_request(world: World) -> None:
    for message_id in ("m1", "m2", "m1"):
        deliver(world, message_id=message_id, collectors=("dfv",))
    refused = sorted(run.run_id for run in world.ledger.recent_runs(10))
    assert len(refused) == 2
    assert refused[1] == "r1-rejected"
    deliver(world, message_id="m3")

    assert world.run("r1").status is RunStatus.RUNNING


def test_a_request_that_nobody_can_read_is_refused_under_the_id_that_it_names(
    world: World,
) -> None:
    message = Message(b'{"run_id": "mine", "colectors": ["dvf"]}')
    world.parts.functions.take_request(Delivery(message, "m1", START))

    assert world.run("mine-rejected").status is RunStatus.REJECTED


@pytest.mark.parametrize("run_id", ["2026-11-24T0215Z-nightly", "2026-11-24T0215Z-nightly-missed"])
def test_nobody_chooses_the_id_of_a_slot(world: World, run_id: str) -> None:
    run = deliver(world, run_id=run_id)

    assert run.status is RunStatus.REJECTED
    assert "cannot be used" in run.about
    assert world.run_or_none(run_id) is None


def test_an_old_request_still_takes_its_own_run_further(world: World) -> None:
    deliver(world)
    world.clock.forward(world.configured.max_trigger_age_s + 1)

    assert deliver(world, attempt=2).run_id == "r1"


def test_a_collector_that_is_busy_is_skipped_queued_or_run_again(make_world: MakeWorld) -> None:
    world = make_world(
        configured=catalogue(
            collector("a", on_overlap=Overlap.SKIP),
            collector("b", on_overlap=Overlap.QUEUE),
            collector("c", on_overlap=Overlap.ALLOW),
        )
    )
    deliver(world)
    deliver(world, run_id="r2", message_id="m2")

    skips = {entry.name: entry.skip and entry.skip.reason for entry in world.ledger.manifest("r2")}
    assert skips == {"a": "overlap", "b": None, "c": None}
    assert world.ledger.manifest("r2")[1].queue_behind == "r1"


def test_a_queued_collector_is_asked_once_the_earlier_run_let_go(make_world: MakeWorld) -> None:
    world = make_world(configured=catalogue(collector("b", on_overlap=Overlap.QUEUE)))
    deliver(world)
    world.ledger.claim("r1", "b", holder="elsewhere", now=world.clock.now())
    deliver(world, run_id="r2", message_id="m2")
    world.settle()
    assert world.client.calls == []

    world.live(3700)
    assert world.outcomes("r1") == {"b": "succeeded"}
    assert world.outcomes("r2") == {"b": "succeeded"}
    assert [call.run_id for call in world.client.calls] == ["r1", "r2"]
    assert world.dead() == []


def test_parameters_of_a_request_lie_over_the_configured_ones(make_world: MakeWorld) -> None:
    world = make_world(configured=catalogue(collector("dvf", params={"a": 1, "b": 1})))
    deliver(world, params={"dvf": {"b": 2}})
    world.settle()

    assert world.client.calls[0].spec.params == {"a": 1, "b": 2}


def test_a_change_of_the_configuration_changes_the_next_run_alone(world: World) -> None:
    deliver(world)
    world.configured = replace(catalogue("dvf"), report_to=world.configured.report_to)
    world.settle()

    assert set(world.outcomes()) == {"dvf", "plu"}


def test_an_unreadable_request_is_recorded_not_redelivered(world: World) -> None:
    world.parts.functions.take_request(Delivery(Message(b"{"), "m1", START))

    (run,) = world.ledger.recent_runs(10)
    assert run.status is RunStatus.REJECTED
    assert "not JSON" in run.about


def test_jobs_are_made_and_published_in_batches_of_what_one_commit_takes(
    make_world: MakeWorld,
) -> None:
    """Counted at the ports: neither store would refuse a longer batch here, and both do in life."""
    sizes: list[tuple[str, int]] = []

    class Counting:
        def __init__(self, port: Any) -> None:
            self.port = port

        def __getattr__(self, name: str) -> Any:
            return getattr(self.port, name)

        def create_jobs(self, run_id: str, jobs: Any, *more: Any, **named: Any) -> Any:
            sizes.append(("made", len(jobs)))
            return self.port.create_jobs(run_id, jobs, *more, **named)

        def publish(self, topic: str, messages: Any) -> Any:
            if topic == COLLECTOR_JOBS:
                sizes.append(("published", len(messages)))
            return self.port.publish(topic, messages)

    names = [f"c{number:04}" for number in range(1001)]
    world = make_world(configured=catalogue(*names), wrap=lambda _, port: Counting(port))
    deliver(world)

    batches = [module.BATCH, module.BATCH, 1001 - 2 * module.BATCH]
    assert [size for what, size in sizes if what == "published"] == batches
    assert [size for what, size in sizes if what == "made"] == batches
