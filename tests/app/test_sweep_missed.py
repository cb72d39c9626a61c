"""The sweep: a slot that stayed without a run is recorded as missed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.app.doubles import Ports
from tests.app.nightly import NIGHTLY, missed_at, sweep, used_before
from tests.conftest import MakeWorld
from tests.support import (
    START,
    a_run,
    accepted,
    after,
    catalogue,
    collector,
)

from fanfold.app.health import look
from fanfold.domain.model.states import Phase, RunStatus
from fanfold.messages import events
from fanfold.messages.topology import SWEEP_TICKS


def test_a_slot_that_stayed_without_a_run_is_missed_once(make_world: MakeWorld) -> None:
    world = used_before(make_world)
    assert missed_at(world, after(2699)) == []

    assert missed_at(world, after(2700)) == ["2026-11-23T0215Z-nightly-missed"]
    assert missed_at(world, after(2760)) == []
    run = world.run("2026-11-23T0215Z-nightly-missed")
    assert (run.status, run.scheduled_for) == (RunStatus.MISSED, START)
    assert "2026-11-23 02:15 UTC" in run.about


def test_a_slot_that_had_its_run_is_not_missed(make_world: MakeWorld) -> None:
    world = used_before(make_world)
    world.clock.at = START
    world.ask(run_id=None, schedule="nightly")
    world.settle()

    assert missed_at(world, after(2700)) == []


def test_a_slot_from_before_fanfold_was_in_use_is_not_missed(make_world: MakeWorld) -> None:
    world = make_world(configured=NIGHTLY)
    assert missed_at(world, after(2700)) == []
    world.clock.at = after(2700)
    world.ask()
    world.settle()
    assert missed_at(world, after(2760)) == []


@pytest.mark.parametrize(
    "request_", [{"due": True}, {}, {"collectors": ("dvf",)}], ids=["due", "all", "named"]
)
def test_a_slot_that_was_made_up_for_by_hand_is_not_missed(
    make_world: MakeWorld, request_: dict[str, Any]
) -> None:
    world = used_before(make_world)
    world.clock.at = after(1200)
    world.ask(run_id="by-hand", **request_)
    world.settle()

    assert missed_at(world, after(2700)) == []
    assert world.run_or_none("2026-11-23T0215Z-nightly-missed") is None


@pytest.mark.parametrize(
    "request_",
    [{"dry_run": True}, {"collectors": ("nobody",)}, {"collectors": ("plu",)}],
    ids=["planned only", "refused", "somebody else"],
)
def test_what_did_not_ask_who_was_due_answers_for_no_slot(
    make_world: MakeWorld, request_: dict[str, Any]
) -> None:
    world = used_before(make_world)
    world.clock.at = after(1200)
    world.ask(run_id="by-hand", **request_)
    world.settle()

    assert missed_at(world, after(2700)) == ["2026-11-23T0215Z-nightly-missed"]


def test_a_run_that_began_before_the_slot_does_not_answer_for_it(make_world: MakeWorld) -> None:
    world = used_before(make_world)
    world.clock.at = after(-60)
    world.ask(run_id="by-hand")
    world.settle()

    assert missed_at(world, after(2700)) == ["2026-11-23T0215Z-nightly-missed"]


def test_a_refused_request_of_the_slot_does_not_answer_for_it(make_world: MakeWorld) -> None:
    world = used_before(make_world)
    world.ask(run_id=None, schedule="nightly", collectors=("nobody",))
    world.settle()

    assert missed_at(world, after(2700)) == ["2026-11-23T0215Z-nightly-missed"]


def test_many_runs_since_the_slot_do_not_hide_the_one_that_answered(make_world: MakeWorld) -> None:
    world = used_before(make_world)
    world.clock.at = after(60)
    world.ask(run_id="by-hand", due=True)
    world.settle()
    for number in range(120):
        record = a_run(f"n{number:03}", start_time=after(61 + number), phase=Phase.FINAL)
        world.ledger.create_run(replace(record, verdict=RunStatus.REJECTED), ())

    assert missed_at(world, after(2700)) == []


def test_a_run_by_hand_answers_for_the_last_slot_before_it_and_for_no_other(
    make_world: MakeWorld,
) -> None:
    world = used_before(make_world)
    world.clock.at = START + timedelta(days=2, hours=5)
    world.ask(run_id="by-hand")
    world.settle()
    assert missed_at(world, START + timedelta(days=2, hours=6)) == [
        "2026-11-23T0215Z-nightly-missed",
        "2026-11-24T0215Z-nightly-missed",
    ]


def test_two_runs_by_hand_that_ask_all_who_were_due_answer_for_the_slot(
    make_world: MakeWorld,
) -> None:
    both = catalogue(*(collector(name, cron="15 2 * * *") for name in ("dvf", "plu")))
    world = make_world(configured=both)
    world.clock.at = START - timedelta(hours=23)
    world.ask(run_id="yesterday")
    world.tick()
    for number, name in enumerate(("dvf", "plu")):
        world.clock.at = after(60 * (number + 1))
        world.ask(run_id=name, collectors=(name,))
        world.settle()
    assert missed_at(world, after(2700)) == []


def test_a_run_that_is_still_open_answers_for_its_slot(make_world: MakeWorld) -> None:
    world = used_before(make_world)
    world.client.says("dvf", accepted())
    world.clock.at = after(60)
    world.ask(run_id="by-hand")
    world.settle()
    assert world.run("by-hand").announced_at is None
    assert missed_at(world, after(2700)) == []


def test_a_file_of_an_older_version_knows_the_last_slot_alone(make_world: MakeWorld) -> None:
    world = used_before(make_world)
    world.database.write(lambda c: c.execute("DELETE FROM meta WHERE name = 'schedules'"))
    later = START + timedelta(days=3, seconds=2700)
    assert list(look(world.ledger, NIGHTLY, later).known.overdue) == [START + timedelta(days=3)]
    assert missed_at(world, later) == ["2026-11-26T0215Z-nightly-missed"]


def test_a_clock_that_was_ahead_silences_no_slot_for_longer(make_world: MakeWorld) -> None:
    world = used_before(make_world)
    missed_at(world, START + timedelta(days=300))
    before = sweep(world).missed
    assert before == []
    assert missed_at(world, after(2700)) == ["2026-11-23T0215Z-nightly-missed"]
    assert missed_at(world, after(86_400 + 2700)) == ["2026-11-24T0215Z-nightly-missed"]


def test_a_sweep_that_finds_no_new_slot_reads_no_runs(make_world: MakeWorld) -> None:
    ports = Ports()
    world = make_world(configured=NIGHTLY, wrap=ports.wrap)
    world.clock.at = START - timedelta(hours=23)
    world.ask(run_id="yesterday")
    world.tick()
    missed_at(world, after(2700))

    def fail() -> None:
        raise AssertionError("the runs are read though no slot came")

    ports["ledger"].once_before("runs_between", fail)
    assert sweep(world).trouble == []


def test_a_clock_that_was_just_set_calls_no_slot_missed(make_world: MakeWorld) -> None:
    world = used_before(make_world)
    world.clock.at = after(400 * 86_400)
    world.publish(SWEEP_TICKS, events.encode_tick(at=world.clock.at, clock_was_set=True))
    world.settle()
    assert [run.run_id for run in world.ledger.recent_runs(10)] == ["yesterday"]

    # The sweep itself is not silenced, and the next tick judges the slots again.
    world.clock.at = after(2700)
    world.tick()
    assert world.run("2026-11-23T0215Z-nightly-missed").status is RunStatus.MISSED
