"""Cron expressions: what fires when, in a zone whose clock jumps."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanfold.domain.model.collector import Catalogue, Collector, CollectorSpec
from fanfold.domain.rules import schedule

PARIS = "Europe/Paris"
JUMP = datetime(2027, 3, 28, 1, tzinfo=UTC)  # 02:00 becomes 03:00
REPEAT = datetime(2027, 10, 31, 1, tzinfo=UTC)  # 03:00 becomes 02:00


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def test_a_fire_at_the_very_instant_counts_as_the_last_and_not_as_the_next() -> None:
    slot = at(2026, 11, 23, 2, 15)
    assert schedule.last_fire("15 3 * * *", PARIS, slot) == slot
    assert schedule.next_fire("15 3 * * *", PARIS, slot) == slot + timedelta(days=1)
    assert schedule.last_fire("15 3 * * *", PARIS, slot - timedelta(microseconds=1)) == (
        slot - timedelta(days=1)
    )


def test_the_zone_decides_the_instant() -> None:
    assert schedule.last_fire("0 3 * * *", PARIS, at(2026, 7, 1, 12)) == at(2026, 7, 1, 1)
    assert schedule.last_fire("0 3 * * *", "UTC", at(2026, 7, 1, 12)) == at(2026, 7, 1, 3)


def test_a_skipped_time_fires_once_when_the_clock_has_jumped() -> None:
    assert schedule.next_fire("30 2 * * *", PARIS, JUMP - timedelta(hours=2)) == JUMP
    assert schedule.last_fire("30 2 * * *", PARIS, JUMP + timedelta(hours=5)) == JUMP


@pytest.mark.parametrize("minutes", [0, 10, 40, 59, 61, 120])
def test_a_repeated_time_fires_the_first_time_only(minutes: int) -> None:
    first = REPEAT - timedelta(minutes=30)
    now = REPEAT + timedelta(minutes=minutes)
    assert schedule.last_fire("30 2 * * *", PARIS, now) == first
    following = schedule.next_fire("30 2 * * *", PARIS, now)
    assert following == first + timedelta(days=1, hours=1)


def test_a_cron_of_every_hour_goes_through_both_clock_changes_by_elapsed_time() -> None:
    for change in (JUMP, REPEAT):
        fires = []
        now = change - timedelta(hours=3)
        while now < change + timedelta(hours=3):
            now = schedule.next_fire("15 * * * *", PARIS, now) or now
            fires.append(now)
        assert {b - a for a, b in itertools.pairwise(fires)} == {timedelta(hours=1)}


def test_a_day_that_never_comes_in_five_years_is_none() -> None:
    assert schedule.next_fire("0 0 29 2 *", "UTC", at(2096, 3, 1)) is None
    assert schedule.last_fire("0 0 29 2 *", "UTC", at(2103, 3, 1)) is None
    assert schedule.last_fire("0 0 29 2 *", "UTC", at(2027, 3, 1)) == at(2024, 2, 29)


def test_the_ends_of_the_calendar_are_none_and_not_an_error() -> None:
    assert schedule.next_fire("0 0 1 1 *", PARIS, datetime.max.replace(tzinfo=UTC)) is None
    assert schedule.last_fire("0 12 31 12 *", PARIS, datetime.min.replace(tzinfo=UTC)) is None


def test_fires_at_looks_at_the_minute() -> None:
    assert schedule.fires_at("15 3 * * *", PARIS, at(2026, 11, 23, 2, 15, 59))
    assert not schedule.fires_at("15 3 * * *", PARIS, at(2026, 11, 23, 2, 16))


@pytest.mark.parametrize(
    ("cron", "sentence"),
    [
        ("30 2 * *", "has 4 fields; cron needs 5: minute hour day-of-month month day-of-week"),
        ("0 30 2 * * *", "has 6 fields"),
        ("@daily", "shorthand"),
        ("75 2 * * *", "minute cannot be '75'; it takes 0-59"),
        ("0 0 * JANUARY *", "month cannot be 'JANUARY'"),
        ("0 0 1,,2 * *", "day-of-month cannot be '1,,2'"),
        ("0 5-2 * * *", "hour cannot be '5-2'"),
        ("0 0 31 2 *", "never fires"),
        ("0 0 L * *", "not known to Cloud Scheduler"),
        ("0 0 * * 1#2", "not known to Cloud Scheduler"),
        ("é 0 * * *", "minute cannot be"),
        ("0,", "has 1 field;"),
        ("0," * 400 + "0 * * * *", "at most 500 characters"),
    ],
)
def test_a_bad_cron_is_explained(cron: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence.replace("*", r"\*")):
        schedule.next_fire(cron, PARIS, at(2026, 1, 1))


@pytest.mark.parametrize("zone", ["Mars/Phobos", "", "Europe", "../etc/passwd", "\0", "x" * 999])
def test_an_unknown_zone_is_a_value_error(zone: str) -> None:
    with pytest.raises(ValueError, match="not a time zone"):
        schedule.last_fire("0 0 * * *", zone, at(2026, 1, 1))


def test_slot_of_is_the_latest_fire_of_any_enabled_collector() -> None:
    def collector(name: str, cron: str | None, *, enabled: bool = True) -> Collector:
        return Collector(CollectorSpec(name, "http://localhost"), enabled=enabled, cron=cron)

    catalogue = Catalogue(
        (
            collector("night", "0 2 * * *"),
            collector("morning", "0 6 * * *"),
            collector("noon", "0 12 * * *", enabled=False),
            collector("hand", None),
        )
    )
    assert schedule.slot_of(catalogue, at(2026, 1, 1, 23)) == at(2026, 1, 1, 6)
    assert schedule.slot_of(catalogue, at(2026, 1, 1, 23), "0 2 * * *") == at(2026, 1, 1, 2)
    assert schedule.slot_of(Catalogue(()), at(2026, 1, 1)) is None


CRONS = st.sampled_from(
    ["30 2 * * *", "0 2,3 * * *", "15,45 2 * * *", "*/20 2 * * *", "10 * * * *", "0 0 * * *"]
)
ZONES = st.sampled_from([PARIS, "UTC", "America/Santiago", "Africa/Cairo", "Asia/Beirut"])
MINUTES = st.integers(0, 60 * 24 * 730)


@given(cron=CRONS, zone=ZONES, minute=MINUTES)
@settings(deadline=None)
def test_next_and_last_agree(cron: str, zone: str, minute: int) -> None:
    now = at(2026, 1, 1) + timedelta(minutes=minute)
    following = schedule.next_fire(cron, zone, now)
    assert following is not None
    assert schedule.last_fire(cron, zone, following) == following
    assert schedule.fires_at(cron, zone, following)
    previous = schedule.last_fire(cron, zone, following - timedelta(seconds=1))
    assert previous == schedule.last_fire(cron, zone, now)


@pytest.mark.parametrize("zone", [PARIS, "America/Santiago", "Africa/Cairo", "Africa/Casablanca"])
@pytest.mark.parametrize("cron", ["30 2 * * *", "0 0 * * *", "*/15 2 * * *", "0 0,2,3 * * *"])
def test_a_year_has_the_same_fires_forwards_and_backwards(cron: str, zone: str) -> None:
    now: datetime | None = at(2027, 1, 1)
    forwards = []
    while now is not None and now < at(2028, 1, 1):
        now = schedule.next_fire(cron, zone, now)
        forwards.append(now)
    backwards = []
    while now is not None and now > at(2027, 1, 2):
        backwards.append(now)
        now = schedule.last_fire(cron, zone, now - timedelta(microseconds=1))
    assert forwards[-len(backwards) :] == backwards[::-1]
    assert len(backwards) > 300


def test_two_expressions_that_fire_at_one_instant_are_one_slot() -> None:
    crons = {"a": "15 3 * * *", "b": "15 3 * * 1", "c": "0 4 * * *"}
    configured = Catalogue(
        (
            *(Collector(CollectorSpec(name, ""), cron=cron) for name, cron in crons.items()),
            Collector(CollectorSpec("d", ""), enabled=False, cron="30 3 * * *"),
        )
    )
    before, after = (datetime(2026, 11, 23, hour, tzinfo=UTC) for hour in (3, 5))

    slots = schedule.slots_since(configured, before, after)

    assert [f"{slot:%H:%M}" for slot in slots] == ["03:15", "04:00"]
    assert schedule.slots_since(configured, max(slots), after) == {}
