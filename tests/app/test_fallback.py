"""A run past its deadline always ends: the fallback closes it as failed, and says why."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from tests.app.doubles import Ports, unavailable
from tests.conftest import MakeWorld
from tests.support import World, a_closing, an_answer, catalogue, collector

from fanfold.app.cancel import cancel
from fanfold.cli.runs.reports import report_of as loaded
from fanfold.domain.model.errors import BadMessage, NotConfigured, SinkUnavailable
from fanfold.domain.model.run import LateAnswer
from fanfold.domain.model.states import Phase, RunStatus

BALANCED = ("succeeded", "failed", "timed_out", "cancelled", "skipped")

Breaks = Callable[[World], None]


def opened(make_world: MakeWorld, **changes: Any) -> World:
    """Return a world with an open run of dvf, plu and a disabled one, dvf with its answer."""
    configured = catalogue("dvf", "plu", collector("old", enabled=False))
    world = make_world(configured=configured, **changes)
    world.ask()
    world.deliver()
    world.ledger.record(an_answer("dvf", run_id="r1", records=7))
    return world


def execute(world: World, statement: str, parameters: tuple[str, ...] = ()) -> None:
    with sqlite3.connect(world.folder / "fanfold.db") as file:
        file.execute(statement, parameters)


def foreign_answer(world: World) -> None:
    execute(
        world,
        "INSERT INTO answer SELECT run_id, 'stranger', writer, "
        "json_set(document, '$.collector', 'stranger') FROM answer",
    )


def answer_of_another_run(world: World) -> None:
    execute(world, "UPDATE answer SET document = json_set(document, '$.run_id', 'r0')")


def unreadable_answer(world: World) -> None:
    execute(world, "UPDATE answer SET document = '{\"half\"'")


def answer_that_is_none(world: World) -> None:
    execute(world, "UPDATE answer SET document = '[]'")


def enormous_wait(world: World) -> None:
    execute(world, "UPDATE answer SET document = json_set(document, '$.queued_s', 9e999)")


def enormous_count(world: World) -> None:
    seven, huge = '"records":7', f'"records":9{"0" * 40}'
    execute(world, "UPDATE answer SET document = replace(document, ?, ?)", (seven, huge))


def lost_manifest(world: World) -> None:
    execute(world, "DELETE FROM manifest WHERE collector = 'plu'")


def no_manifest(world: World) -> None:
    execute(world, "DELETE FROM manifest")


def unreadable_manifest(world: World) -> None:
    execute(world, "UPDATE manifest SET document = 'null' WHERE collector = 'old'")


def unreadable_job(world: World) -> None:
    execute(world, "UPDATE job SET attempts = '[1]' WHERE collector = 'plu'")


def other_totals(world: World) -> None:
    execute(world, "UPDATE run SET document = json_set(document, '$.total', 9, '$.asked', 8)")


def unreadable_run(world: World) -> None:
    execute(world, "UPDATE run SET document = '{\"half\"'")


def unknown_phase(world: World) -> None:
    execute(world, "UPDATE run SET phase = 'paused', verdict = 'perhaps'")


def no_text(world: World) -> None:
    execute(world, "UPDATE run SET document = CAST(x'ff00fe' AS TEXT)")


ALL = [
    foreign_answer,
    answer_of_another_run,
    lost_manifest,
    no_manifest,
    other_totals,
    unknown_phase,
]

#: Damage that one collector alone has to bear.
OF_ONE_COLLECTOR = [
    unreadable_answer,
    answer_that_is_none,
    enormous_wait,
    unreadable_manifest,
    unreadable_job,
]


def report_of(world: World) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(world.report() or b"null")
    return report


def assert_ended(world: World) -> None:
    """Check that the run is closed as failed, with a report that balances and says the same."""
    run = world.run()
    assert (run.phase, run.status, run.revision) == (Phase.FINAL, RunStatus.FAILED, 1)
    assert run.announced_at is not None
    assert run.about.startswith("failed: the report cannot be written as it is: ")
    assert set(world.finished_events()) == {"r1/1"}
    report = report_of(world)
    assert (report["status"], report["about"]) == ("failed", run.about)
    summary = report["summary"]
    assert summary["total"] == len(report["collectors"])
    assert summary["total"] == sum(summary[key] for key in BALANCED)
    assert world.dead() == []


@pytest.mark.parametrize("breaks", ALL, ids=lambda each: each.__name__)
def test_a_run_past_its_deadline_ends_whatever_is_stored_of_it(
    make_world: MakeWorld, breaks: Breaks
) -> None:
    world = opened(make_world)
    breaks(world)
    world.clock.forward(3600)
    trouble = world.parts.sweeper.sweep(world.configured).trouble
    assert [each for each in trouble if "run r1: its record cannot be read" not in each] == []

    assert_ended(world)
    # It has ended: nothing of it is left to sweep, and nobody counts it twice.
    assert world.parts.sweeper.sweep(world.configured).finished == []
    assert list(world.ledger.unannounced()) == []


@pytest.mark.parametrize("breaks", ALL, ids=lambda each: each.__name__)
def test_cancel_ends_such_a_run_at_once(make_world: MakeWorld, breaks: Breaks) -> None:
    world = opened(make_world)
    breaks(world)
    cancel(
        "r1",
        reason="enough",
        ledger=world.parts.ledger,
        finisher=world.parts.finisher,
        clock=world.clock,
        writer="me",
    )

    assert_ended(world)


@pytest.mark.parametrize("by", ["sweep", "cancel"])
@pytest.mark.parametrize("breaks", OF_ONE_COLLECTOR, ids=lambda each: each.__name__)
def test_one_damaged_record_fails_no_more_than_its_collector(
    make_world: MakeWorld, breaks: Breaks, by: str
) -> None:
    world = opened(make_world)
    breaks(world)
    if by == "sweep":
        world.clock.forward(3600)
        (trouble,) = world.parts.sweeper.sweep(world.configured).trouble
        assert trouble.startswith("run r1: ")
        assert "cannot be read (" in trouble
    else:
        cancel(
            "r1",
            reason="enough",
            ledger=world.parts.ledger,
            finisher=world.parts.finisher,
            clock=world.clock,
            writer="me",
        )

    report = report_of(world)
    plu = {"sweep": "timed_out", "cancel": "cancelled"}[by]
    dvf = "failed" if "answer" in breaks.__name__ or breaks is enormous_wait else "succeeded"
    assert {name: one["status"] for name, one in report["collectors"].items()} == {
        "dvf": dvf,
        "plu": plu,
        "old": "skipped",
    }
    if dvf == "failed":
        said = "it answered, and its stored answer cannot be read: "
        assert report["collectors"]["dvf"]["error"].startswith(said)
    assert not world.run().about.startswith("failed: the report cannot be")
    assert list(world.ledger.unannounced()) == []


@pytest.mark.parametrize("breaks", [unreadable_run, no_text], ids=lambda each: each.__name__)
def test_a_run_of_which_nothing_can_be_read_ends_without_a_report(
    make_world: MakeWorld, breaks: Breaks
) -> None:
    world = opened(make_world)
    breaks(world)
    world.deliver()
    assert world.client.calls == []
    (told,) = world.parts.sweeper.sweep(world.configured).trouble
    assert told.startswith("run r1: its record cannot be read (")
    assert world.run().announced_at is None
    world.clock.forward(3600)
    world.parts.sweeper.sweep(world.configured)

    run = world.run()
    assert (run.phase, run.status, run.report) == (Phase.FINAL, RunStatus.FAILED, "")
    why = "failed: the report cannot be written as it is: its record cannot be read: "
    assert run.about.startswith(why)
    assert set(world.finished_events()) == {"r1/1"}
    assert list(world.ledger.unannounced()) == []


def test_what_can_be_told_is_in_the_report_and_in_the_memory(make_world: MakeWorld) -> None:
    world = opened(make_world)
    foreign_answer(world)
    world.clock.forward(3600)
    world.tick()

    collectors = report_of(world)["collectors"]
    assert {name: one["status"] for name, one in collectors.items()} == {
        "dvf": "succeeded",
        "plu": "timed_out",
        "old": "skipped",
    }
    assert collectors["dvf"]["records"] == 7
    assert "stranger answered without being asked (1 of 2 succeeded)" in world.run().about
    pasts = world.ledger.histories(["dvf", "plu", "old"])
    assert {name: past.outcomes for name, past in pasts.items()} == {
        "dvf": "s",
        "plu": "t",
    }


def test_a_missing_answer_counts_as_failed(make_world: MakeWorld) -> None:
    world = opened(make_world)
    answer_of_another_run(world)
    world.clock.forward(3600)
    world.tick()

    dvf = report_of(world)["collectors"]["dvf"]
    assert (dvf["status"], dvf["error"]) == ("failed", "no answer of it is stored")
    assert world.ledger.histories(["dvf"])["dvf"].outcomes == "f"


def test_sums_stay_within_what_every_store_holds(make_world: MakeWorld) -> None:
    world = opened(make_world)
    enormous_count(world)
    world.clock.forward(3600)
    world.tick()

    assert world.run().announced_at is not None
    summary = world.run().summary
    assert summary is not None
    assert summary["records"] is None or summary["records"] < 2**63


@pytest.mark.parametrize("lates", [0, 1])
def test_a_run_that_was_closed_so_still_lists_late_answers(
    make_world: MakeWorld, lates: int
) -> None:
    world = opened(make_world)
    foreign_answer(world)
    world.clock.forward(3600)
    world.tick()
    late = an_answer("plu", run_id="r1", writer="late", records=3)
    for _ in range(lates):
        world.ledger.keep_late(LateAnswer(late, world.clock.now()))
    world.tick()

    assert world.run().revision == 1 + lates
    assert (world.report(revision=2) is not None) == bool(lates)


PERMANENT = [BadMessage("too large"), NotConfigured("no bucket"), OverflowError("int too big")]


def failing(ports: Ports, port: str, method: str, trouble: Exception, times: int = 1000) -> None:
    def fail() -> None:
        raise trouble

    for _ in range(times):
        ports[port].once_before(method, fail)


@pytest.mark.parametrize("trouble", PERMANENT, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize(
    ("port", "method"),
    [
        ("ledger", "jobs"),
        ("ledger", "record"),
        ("ledger", "remember"),
        ("sink", "write"),
        ("bus", "publish"),
    ],
)
def test_a_step_that_never_works_does_not_keep_a_run_from_its_end(
    make_world: MakeWorld, port: str, method: str, trouble: Exception
) -> None:
    ports = Ports()
    world = opened(make_world, wrap=ports.wrap)
    failing(ports, port, method, trouble)
    for _ in range(2):
        world.clock.forward(3600)
        world.parts.sweeper.sweep(world.configured)

    run = world.run()
    assert (run.phase, run.status) == (Phase.FINAL, RunStatus.FAILED)
    assert run.announced_at is not None
    assert str(trouble) in run.about
    assert (run.report == "") == (port == "sink")


def test_a_store_that_does_not_take_the_verdict_takes_the_fallbacks(make_world: MakeWorld) -> None:
    ports = Ports()
    world = opened(make_world, wrap=ports.wrap)
    failing(ports, "ledger", "finalize_run", BadMessage("a number out of range"), times=1)
    world.clock.forward(3600)
    world.parts.sweeper.sweep(world.configured)

    assert_ended(world)
    assert "a number out of range" in world.run().about


def test_a_step_that_fails_in_passing_is_only_repeated(make_world: MakeWorld) -> None:
    ports = Ports()
    world = opened(make_world, wrap=ports.wrap)
    for port, method in (("ledger", "jobs"), ("ledger", "finalize_run"), ("sink", "write")):
        ports[port].once_before(method, unavailable)
        world.clock.forward(3600)
        swept = world.parts.sweeper.sweep(world.configured)
        assert swept.trouble == ["r1: not now"]
    world.parts.sweeper.sweep(world.configured)

    assert "cannot be written" not in world.run().about
    assert world.run().announced_at is not None


def test_before_the_deadline_the_fallback_waits(make_world: MakeWorld) -> None:
    world = opened(make_world)
    foreign_answer(world)
    world.ledger.record(an_answer("plu", run_id="r1"))
    swept = world.parts.sweeper.sweep(world.configured)

    assert "stranger answered without being asked" in swept.trouble[0]
    assert world.run().phase is Phase.OPEN


def close(world: World) -> None:
    world.ledger.finalize_run("r1", a_closing(verdict=RunStatus.CANCELLED, about="by another"))


def test_a_fallback_that_lost_the_race_leaves_the_others_verdict(make_world: MakeWorld) -> None:
    ports = Ports()
    world = opened(make_world, wrap=ports.wrap)
    foreign_answer(world)
    ports["ledger"].once_before("finalize_run", lambda: close(world))
    world.clock.forward(3600)
    world.parts.sweeper.sweep(world.configured)

    assert (world.run().verdict, world.run().announced_at) == (RunStatus.CANCELLED, None)


@pytest.mark.parametrize("step", ["finalize_run", "remember", "mark_announced"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_fallback_that_stopped_half_way_is_mended(
    make_world: MakeWorld, step: str, when: str
) -> None:
    ports = Ports()
    world = opened(make_world, wrap=ports.wrap)
    foreign_answer(world)
    world.clock.forward(3600)
    getattr(ports["ledger"], f"once_{when}")(step, unavailable)
    assert world.parts.sweeper.sweep(world.configured).trouble
    world.clock.forward(60)
    world.parts.sweeper.sweep(world.configured)

    assert_ended(world)


def test_status_of_such_a_run_says_why(make_world: MakeWorld) -> None:
    world = opened(make_world)
    foreign_answer(world)
    world.clock.forward(3600)
    world.tick()
    for path in (world.folder / "reports/r1").iterdir():
        path.unlink()

    report = loaded(world.run(), world.ledger, world.sink, world.clock.now(), print).report
    assert (report["status"], report["about"]) == ("failed", world.run().about)


@pytest.mark.parametrize(
    "breaks", [foreign_answer, answer_of_another_run, lost_manifest, other_totals]
)
def test_status_of_such_a_run_before_its_end_says_how_it_stands(
    make_world: MakeWorld, breaks: Breaks
) -> None:
    world = opened(make_world)
    breaks(world)
    if breaks is not lost_manifest:
        world.ledger.record(an_answer("plu", run_id="r1"))

    report = loaded(world.run(), world.ledger, world.sink, world.clock.now(), print).report
    assert report["status"] == "running"
    assert set(report["collectors"]) >= {"dvf", "old"}


def test_a_place_that_never_takes_the_report_ends_the_run_without_one(
    make_world: MakeWorld,
) -> None:
    ports = Ports()
    world = opened(make_world, wrap=ports.wrap)
    world.clock.forward(3600)

    def away() -> None:
        raise SinkUnavailable("the folder is not there")

    for _ in range(20):
        ports["sink"].once_before("write", away)
    waited = 0
    while world.run().announced_at is None:
        (trouble,) = world.parts.sweeper.sweep(world.configured).trouble or [""]
        assert trouble in ("r1: the folder is not there", "")
        world.clock.forward(60)
        waited += 60
        assert waited <= 1200

    # The place had ten minutes to come back, and no more.
    assert 600 <= waited - 60 <= 720
    run = world.run()
    assert (run.status, run.report, run.phase) == (RunStatus.FAILED, "", Phase.FINAL)
    assert "cannot be written as it is: the folder is not there" in run.about
    assert set(world.finished_events()) == {"r1/1"}
    assert world.parts.sweeper.sweep(world.configured).trouble == []


def test_a_place_that_comes_back_in_time_takes_the_report(make_world: MakeWorld) -> None:
    ports = Ports()
    world = opened(make_world, wrap=ports.wrap)
    world.clock.forward(3600)

    def away() -> None:
        raise SinkUnavailable("the folder is not there")

    ports["sink"].once_before("write", away)
    assert world.parts.sweeper.sweep(world.configured).trouble
    world.clock.forward(500)
    assert world.parts.sweeper.sweep(world.configured).trouble == []
    assert report_of(world)["collectors"]["dvf"]["status"] == "succeeded"
    assert not world.run().about.startswith("failed: the report cannot")
