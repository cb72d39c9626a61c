"""The embedded timer publishes ticks: at cron slots, steadily, and when something is due."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.adapters.embedded.conftest import OpenDatabase
from tests.support import MovingClock, a_run, after, catalogue, collector

from fanfold.adapters.embedded import timer as module
from fanfold.adapters.embedded.bus import SqliteBus
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.adapters.embedded.timer import Timer
from fanfold.domain.model.errors import NotConfigured
from fanfold.messages import run_request
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
        return Timer(SqliteLedger(database), bus, clock, given["catalogue"], on_trouble)

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
    module._note_alive(timer.runs.database, after(5))
    clock.forward(3600)
    assert make_timer()._last_alive() == after(5)


def test_something_is_due_when_a_deadline_has_passed(
    make_timer: MakeTimer, clock: MovingClock
) -> None:
    timer = make_timer()
    assert not timer._is_due(clock.at)
    timer.runs.create_run(a_run("r1", deadline=after(60)), [])
    assert not timer._is_due(after(59))
    assert timer._is_due(after(60))


def test_trouble_that_stays_is_told_once_and_ends_no_timer(
    make_timer: MakeTimer, clock: MovingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.001)
    troubles: list[str] = []
    looks = [0]

    def broken() -> Any:
        looks[0] += 1
        raise ZeroDivisionError("first" if looks[0] < 5 else "then")

    timer = make_timer(on_trouble=troubles.append, catalogue=broken)
    timer.start()
    while looks[0] < 10:
        time.sleep(0.001)
    timer.stop()

    assert troubles == [
        "the timer goes on, but: ZeroDivisionError('first')",
        "the timer goes on, but: ZeroDivisionError('then')",
    ]


def test_a_timer_that_runs_sweeps_and_ticks_and_goes_on_after_trouble(
    make_timer: MakeTimer, clock: MovingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.005)
    troubles: list[str] = []

    def broken() -> Any:
        raise NotConfigured("the file cannot be read")

    timer = make_timer(on_trouble=troubles.append, catalogue=broken)
    timer.start()
    while not troubles:
        time.sleep(0.002)
    timer.catalogue = lambda: CATALOGUE
    clock.forward(3600)
    bus = timer.bus
    assert isinstance(bus, SqliteBus)
    while not bus.messages(RUN_REQUESTS, 10):
        time.sleep(0.002)
    timer.stop()

    assert "the file cannot be read" in troubles[0]
    assert bus.messages(SWEEP_TICKS, 10)
