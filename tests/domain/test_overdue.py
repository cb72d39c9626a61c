"""Which slots a timer starts: those that passed since it last looked and are not overdue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.support import START, a_run, after, catalogue, collector, entry

from fanfold.domain.model.pause import EVERY_SCHEDULE, Pause, PauseKind
from fanfold.domain.model.run import Entry, PastRun, Run
from fanfold.domain.model.states import RunStatus
from fanfold.domain.rules.known_schedules import known_now
from fanfold.domain.rules.overdue import (
    MOST_OPEN,
    MOST_RUNS,
    missed_slots,
    overdue_slot,
    slots_to_start,
)

NIGHTLY = catalogue(collector("dvf", cron="15 2 * * *"), missed_after_s=2700.0)


@pytest.mark.parametrize(
    ("since_s", "now_s", "starts"),
    [
        pytest.param(-1, 0, True, id="at the slot"),
        pytest.param(-1, 2699, True, id="slept, but not too long"),
        pytest.param(-1, 2700, False, id="overdue from the very instant at which it is missed"),
        pytest.param(0, 1, False, id="the slot was looked at"),
        pytest.param(100, 50, True, id="the clock was set back over the slot"),
        pytest.param(400 * 86_400, 1, True, id="the clock was set ahead by more than a year"),
        pytest.param(400 * 86_400, 2700, False, id="set ahead until the slot was overdue"),
    ],
)
def test_a_slot_is_started_once_it_passed_and_before_it_is_overdue(
    since_s: float, now_s: float, *, starts: bool
) -> None:
    slots = slots_to_start(NIGHTLY, after(since_s), after(now_s))
    assert slots == ({START: "15 2 * * *"} if starts else {})


class Records:
    """Runs, as a ledger would give them; counts what is read."""

    def __init__(self, *runs: Run) -> None:
        self.runs = {run.run_id: run for run in runs}
        self.read: list[str] = []
        self.paused: Sequence[Pause] = ()

    def run(self, run_id: str) -> Run | None:
        self.read.append("run")
        return self.runs.get(run_id)

    def pauses(self) -> Sequence[Pause]:
        return self.paused

    def manifest(self, run_id: str) -> Sequence[Entry]:
        self.read.append("manifest")
        return [entry("dvf")]

    def runs_between(
        self, since: datetime | None, until: datetime | None, limit: int
    ) -> Sequence[Run]:
        self.read.append("runs_between")
        newest = sorted(self.runs.values(), key=lambda run: run.start_time, reverse=True)
        return [run for run in newest if since is None or run.start_time >= since][:limit]

    def past_runs(self, collectors: Sequence[str]) -> Mapping[str, Sequence[PastRun]]:
        self.read.append("past_runs")
        return {}


KNOWN = known_now(NIGHTLY, None, after(-3600))


def by_hand(number: int, **changes: Any) -> Run:
    return a_run(
        f"r{number}",
        start_time=after(10 + number),
        scheduled_for=None,
        announced_at=after(20 + number),
        **changes,
    )


def test_slots_are_judged_by_one_list_of_runs_and_no_manifest_of_what_is_over() -> None:
    many = Records(*(by_hand(number) for number in range(300)))
    assert list(missed_slots(NIGHTLY, KNOWN, many, after(2700)).missed) == [START]
    assert many.read == ["runs_between", "past_runs"]


def test_the_manifests_of_the_newest_open_runs_are_read_and_of_no_more() -> None:
    still_open = Records(*(replace(by_hand(number), announced_at=None) for number in range(300)))
    assert missed_slots(NIGHTLY, KNOWN, still_open, after(2700)).missed == {}
    assert still_open.read.count("manifest") == MOST_OPEN


def test_a_slots_own_run_is_found_behind_any_number_of_others() -> None:
    others = [by_hand(number) for number in range(MOST_RUNS)]
    own = Records(a_run(announced_at=after(5)), *others)
    assert missed_slots(NIGHTLY, KNOWN, own, after(2700)).missed == {}
    assert overdue_slot(NIGHTLY, KNOWN, own, after(2700)) is None
    notice = Records(a_run(announced_at=after(5), verdict=RunStatus.PLANNED), *others)
    assert list(missed_slots(NIGHTLY, KNOWN, notice, after(2700)).missed) == [START]
    assert overdue_slot(NIGHTLY, KNOWN, notice, after(2700)) == START


def test_a_run_of_a_later_slot_ends_what_is_overdue_and_not_what_is_missed() -> None:
    hourly = catalogue(collector("dvf", cron="15 * * * *"), missed_after_s=2 * 3600.0)
    known = known_now(hourly, None, START)
    later = Records(a_run("x", start_time=after(3600), scheduled_for=after(3600)))
    assert overdue_slot(hourly, known, later, after(7200)) is None
    assert list(missed_slots(hourly, known, later, after(7200)).missed) == [START]
    assert overdue_slot(hourly, known, Records(), after(7200)) == START


def test_what_is_older_than_a_week_is_not_looked_for() -> None:
    known = known_now(NIGHTLY, None, after(-100 * 86_400))
    week = timedelta(days=7)
    assert next(iter(missed_slots(NIGHTLY, known, Records(), START + week).missed)) == START
    late = START + week + timedelta(microseconds=1)
    assert next(iter(missed_slots(NIGHTLY, known, Records(), late).missed)) == after(86_400)


@pytest.mark.parametrize(
    "pause",
    [
        pytest.param(Pause(EVERY_SCHEDULE.kind, "", after(-60), "ann"), id="every schedule"),
        pytest.param(Pause(PauseKind.SCHEDULE, "15 2 * * *", START, "ann"), id="its schedule"),
        pytest.param(Pause(PauseKind.COLLECTOR, "dvf", START, "ann"), id="all who were due"),
        pytest.param(
            Pause(EVERY_SCHEDULE.kind, "", after(-60), "ann", resumed_at=after(60)), id="resumed"
        ),
    ],
)
def test_a_slot_of_a_paused_schedule_is_neither_missed_nor_overdue(pause: Pause) -> None:
    paused = Records()
    paused.paused = [pause]
    judged = missed_slots(NIGHTLY, KNOWN, paused, after(2700))
    assert (judged.missed, judged.until) == ({}, START)
    assert overdue_slot(NIGHTLY, KNOWN, paused, after(2700)) is None


def test_a_slot_that_was_missed_before_a_pause_stays_overdue() -> None:
    paused = Records()
    paused.paused = [Pause(EVERY_SCHEDULE.kind, "", after(60), "ann")]
    assert overdue_slot(NIGHTLY, KNOWN, paused, after(2 * 86_400)) == START
    assert list(missed_slots(NIGHTLY, KNOWN, paused, after(2700)).missed) == [START]
