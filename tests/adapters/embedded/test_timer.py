"""The embedded timer publishes ticks: at cron slots, steadily, and when something is due."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.adapters.embedded.conftest import OpenDatabase
from tests.support import START, MovingClock, a_run, after, catalogue, collector

from fanfold.adapters.embedded import duty
from fanfold.adapters.embedded import timer as module
from fanfold.adapters.embedded.bus import SqliteBus
from fanfold.adapters.embedded.clock_changes import ClockChanges
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.adapters.embedded.timer import Timer
from fanfold.domain.model.errors import NotConfigured
from fanfold.domain.model.pause import Pause, PauseKind
from fanfold.domain.model.states import Phase
from fanfold.domain.rules import schedule
from fanfold.domain.rules.clock_nights import clock_change_dates, fires_around, night_sentences
from fanfold.messages import events, run_request
from fanfold.messages.topology import RUN_REQUESTS, SWEEP_TICKS, topology

CATALOGUE = catalogue(
    collector("dvf", cron="15 2 * * *"),
    collector("plu", cron="15 2 * * *"),
    collector("sirene", cron="0 3 * * *"),
    collector("old", cron="30 2 * * *", enabled=False),
)
MakeTimer = Callable[..., Timer]


@pytest.fixture
def make_timer(open_database: OpenDatabase, clock: MovingClock) -> MakeTimer:
    def make(on_trouble: Callable[[str], None] = print, **changes: Any) -> Timer:
        database = open_database()
        bus = SqliteBus(database, topology(), clock, lambda: 0.5)
        given = {"catalogue": lambda: CATALOGUE} | changes
        # The other clock goes with the one that the test moves: nobody sets it.
        steady = ClockChanges(database, clock, lambda: clock.now().timestamp(), "boot")
        return Timer(
            SqliteLedger(database),
            bus,
            clock,
            catalogue=given["catalogue"],
            changes=given.get("changes", steady),
            on_trouble=on_trouble,
        )

    return make


def slots(timer: Timer, since: datetime, now: datetime) -> list[str]:
    """Return the crons of the ticks that are published for ``(since, now]``."""
    assert isinstance(timer.bus, SqliteBus)
    before = len(timer.bus.messages(RUN_REQUESTS, 100))
    timer._publish_slots(CATALOGUE, since, now)
    messages = timer.bus.messages(RUN_REQUESTS, 100)[before:]
    requests = [run_request.decode_run_request(each.message) for each in messages]
    assert all(each.schedule == "nightly" for each in requests)
    return [str(each.cron) for each in requests]


def at(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 11, 23, hour, minute, second, tzinfo=UTC)


def test_two_collectors_due_at_one_instant_are_one_tick(make_timer: MakeTimer) -> None:
    assert slots(make_timer(), at(2, 14, 59), at(2, 15)) == ["15 2 * * *"]


def test_a_slot_is_published_once(make_timer: MakeTimer) -> None:
    timer = make_timer()

    assert slots(timer, at(2, 0), at(2, 14, 59)) == []
    assert slots(timer, at(2, 15), at(2, 16)) == []


def test_a_disabled_collector_has_no_slot(make_timer: MakeTimer) -> None:
    assert slots(make_timer(), at(2, 29), at(2, 31)) == []


def test_a_slot_slept_through_is_made_up_for_if_it_is_soon_enough(make_timer: MakeTimer) -> None:
    timer = make_timer()

    assert slots(timer, at(1, 0), at(2, 40)) == ["15 2 * * *"]
    assert slots(timer, at(1, 0), at(3, 10)) == ["0 3 * * *"]


def test_a_timer_knows_when_one_last_lived_on_its_file(
    make_timer: MakeTimer, clock: MovingClock
) -> None:
    timer = make_timer()
    assert timer._last_alive() == clock.at
    module.note_alive(timer.ledger.database, after(5))
    clock.forward(3600)
    assert make_timer()._last_alive() == after(5)


def ticks(timer: Timer) -> int:
    """Let the timer look once; return how many sweep ticks there are then."""
    assert isinstance(timer.bus, SqliteBus)
    timer._tick_sweep()
    return len(timer.bus.messages(SWEEP_TICKS, 1000))


def test_what_is_due_brings_one_tick_at_once_and_no_flood(
    make_timer: MakeTimer, clock: MovingClock
) -> None:
    timer = make_timer()
    assert ticks(timer) == 1
    timer.ledger.create_run(a_run("r1", deadline=after(60)), [])
    timer.ledger.create_run(a_run("r2", deadline=after(70)), [])
    clock.at = after(59)
    assert ticks(timer) == 1
    seen = []
    for second in (60, 61, 62):  # at one instant, the bus would take two ticks for one
        clock.at = after(second)
        seen.append(ticks(timer))
    assert seen == [2, 2, 2]


@pytest.mark.parametrize("moved_s", [86_400.0, -86_400.0])
def test_ticks_come_steadily_however_the_clock_is_set(
    make_timer: MakeTimer, clock: MovingClock, monkeypatch: pytest.MonkeyPatch, moved_s: float
) -> None:
    monkeypatch.setattr(module, "SWEEP_EVERY_S", 0.05)
    timer = make_timer()
    assert ticks(timer) == 1
    clock.at += timedelta(seconds=moved_s)
    time.sleep(0.06)
    assert ticks(timer) == 2


def test_a_clock_set_ahead_for_a_moment_starts_and_deletes_nothing(
    make_timer: MakeTimer, clock: MovingClock, open_database: OpenDatabase
) -> None:
    passed = [0.0]
    changes = ClockChanges(open_database(), clock, lambda: passed[0], "boot")
    timer = make_timer(changes=changes)
    assert changes.is_settled()
    expired = a_run("old", expires_at=after(3600), announced_at=START, phase=Phase.FINAL)
    timer.ledger.create_run(expired, [])
    timer._tick_schedules()

    clock.at = after(86_400)  # set ahead: tomorrow's slot is not due, and nothing has expired
    timer._tick_schedules()
    timer._tidy()
    assert timer.ledger.run("old") is not None
    timer._tick_sweep()  # the sweep goes on, and is told not to judge slots by this clock
    assert isinstance(timer.bus, SqliteBus)
    (tick,) = timer.bus.messages(SWEEP_TICKS, 10)
    assert events.clock_was_set(tick.message)
    clock.at, passed[0] = after(10), 10.0
    timer._tick_schedules()
    assert timer.bus.messages(RUN_REQUESTS, 10) == []

    clock.at, passed[0] = after(3700), 3700.0
    timer._next_tidy_at = 0.0
    timer._tick_schedules()
    timer._tidy()
    assert timer.ledger.run("old") is None
    assert len(timer.bus.messages(RUN_REQUESTS, 10)) == 1  # the slot of 03:00


def test_old_runs_are_forgotten_each_in_a_commit_of_its_own(
    open_database: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database()
    ledger = SqliteLedger(database)
    for number in range(5):
        gone = a_run(f"r{number}", expires_at=after(1), announced_at=START, phase=Phase.FINAL)
        ledger.create_run(gone, [])
    commits: list[object] = []
    write = database.write

    def counted(work: Any) -> Any:
        commits.append(work)
        return write(work)

    monkeypatch.setattr(database, "write", counted)

    assert ledger.forget_expired(after(2)) == 5
    assert len(commits) == 5
    assert ledger.recent_runs(10) == []


def test_a_timer_that_runs_sweeps_and_ticks_and_goes_on_after_trouble(
    make_timer: MakeTimer, clock: MovingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.005)
    monkeypatch.setattr(duty, "RETRY_S", 0.005)
    troubles: list[str] = []

    def broken() -> Any:
        raise NotConfigured("the file cannot be read")

    timer = make_timer(on_trouble=troubles.append, catalogue=broken)
    timer.start()
    while not troubles:
        time.sleep(0.002)
    bus = timer.bus
    assert isinstance(bus, SqliteBus)
    # The schedules' trouble keeps no sweep from its tick.
    while not bus.messages(SWEEP_TICKS, 10):
        time.sleep(0.002)
    timer.catalogue = lambda: CATALOGUE
    clock.forward(3600)
    while not bus.messages(RUN_REQUESTS, 10):
        time.sleep(0.002)
    assert timer.standing_still() == []
    timer.stop()

    assert troubles == ["the schedules' tick failed, and is tried again: the file cannot be read"]
    assert timer.standing_still() == ["the timer stands still: its thread ended"]


def test_a_timer_without_sweeps_stands_still(
    make_timer: MakeTimer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.005)
    monkeypatch.setattr(module, "STANDSTILL_S", 0.05)
    timer = make_timer(on_trouble=lambda _: None)
    monkeypatch.setattr(timer.ledger, "next_due", lambda: 1 / 0)
    timer.start()
    while not timer.standing_still():
        time.sleep(0.01)
    timer.stop()


#: What each schedule runs in Paris in the nights in which clocks change in 2027, by local time.
NIGHTS = {
    "30 2 * * *": (["03:00+02:00"], ["02:30+02:00"]),
    "*/30 2 * * *": ([], ["02:00+02:00", "02:30+02:00", "02:00+01:00", "02:30+01:00"]),
    "0,30 2 * * *": (["03:00+02:00"], ["02:00+02:00", "02:30+02:00"]),
    "0-59/30 2 * * *": (["03:00+02:00"], ["02:00+02:00", "02:30+02:00"]),
    "0 2-3 * * *": (["03:00+02:00"], ["02:00+02:00", "03:00+01:00"]),
    "*/30 2-3 * * *": (
        ["03:00+02:00", "03:30+02:00"],
        [
            *("02:00+02:00", "02:30+02:00", "02:00+01:00", "02:30+01:00"),
            *("03:00+01:00", "03:30+01:00"),
        ],
    ),
    "30 */2 * * *": (
        ["00:30+01:00", "04:30+02:00"],
        ["00:30+02:00", "02:30+02:00", "02:30+01:00", "04:30+01:00"],
    ),
    "30 1-2 * * *": (["01:30+01:00", "03:00+02:00"], ["01:30+02:00", "02:30+02:00"]),
    "0 * * * *": (
        ["00:00+01:00", "01:00+01:00", "03:00+02:00", "04:00+02:00"],
        [f"0{hour}:00+02:00" for hour in range(3)] + [f"0{hour}:00+01:00" for hour in range(2, 5)],
    ),
}


@pytest.mark.parametrize("cron", NIGHTS)
@pytest.mark.parametrize(("number", "night"), [(0, "2027-03-28"), (1, "2027-10-31")])
def test_what_runs_in_the_nights_in_which_clocks_change(
    make_timer: MakeTimer, clock: MovingClock, cron: str, night: str, number: int
) -> None:
    paris = schedule.zone_of("Europe/Paris")
    configured = catalogue(collector("dvf", cron=cron), timezone="Europe/Paris")
    begin = datetime.fromisoformat(night).replace(tzinfo=paris)
    clock.at = begin.astimezone(UTC) - timedelta(seconds=30)
    timer = make_timer(catalogue=lambda: configured)
    while clock.at < begin.replace(hour=5).astimezone(UTC):
        timer._tick_schedules()
        clock.forward(20.0)

    assert isinstance(timer.bus, SqliteBus)
    requests = [
        run_request.decode_run_request(each.message)
        for each in timer.bus.messages(RUN_REQUESTS, 100)
    ]
    started = [each.slot.astimezone(paris) for each in requests if each.slot]
    assert [each.isoformat(timespec="minutes")[11:] for each in started] == NIGHTS[cron][number]
    # What the check of the configuration says comes true.
    changes = clock_change_dates(cron, "Europe/Paris", datetime(2027, 1, 1, tzinfo=UTC), days=365)
    for change in (each for each in changes if f"{each.day}" == night):
        said = fires_around(cron, "Europe/Paris", change)
        assert said == [each for each in started if each in said]
        assert night_sentences(cron, "Europe/Paris", changes)[number].startswith(f"{begin:%a}")


def test_a_paused_schedule_has_no_tick(make_timer: MakeTimer) -> None:
    timer = make_timer()
    night = Pause(PauseKind.SCHEDULE, "15 2 * * *", at(2, 0), "ann")
    timer.ledger.change_pauses(lambda _: [night])
    assert slots(timer, at(2, 14), at(3, 0)) == ["0 3 * * *"]
    timer.ledger.change_pauses(lambda _: [replace(night, resumed_at=at(2, 10))])
    assert slots(timer, at(2, 14), at(2, 15)) == ["15 2 * * *"]
