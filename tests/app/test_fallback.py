"""A run past its deadline always ends: the fallback closes it as failed, and says why."""

from __future__ import annotations

import pytest
from tests.app.damage import (
    ALL,
    OF_ONE_COLLECTOR,
    Breaks,
    answer_of_another_run,
    assert_ended,
    enormous_count,
    enormous_wait,
    foreign_answer,
    lost_manifest,
    no_text,
    opened,
    other_totals,
    report_of,
    unreadable_run,
)
from tests.conftest import MakeWorld
from tests.support import an_answer

from fanfold.app.cancel import cancel
from fanfold.cli.runs.reports import report_of as loaded
from fanfold.domain.model.run import LateAnswer
from fanfold.domain.model.states import Phase, RunStatus


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


def test_before_the_deadline_the_fallback_waits(make_world: MakeWorld) -> None:
    world = opened(make_world)
    foreign_answer(world)
    world.ledger.record(an_answer("plu", run_id="r1"))
    swept = world.parts.sweeper.sweep(world.configured)

    assert "stranger answered without being asked" in swept.trouble[0]
    assert world.run().phase is Phase.OPEN


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
