"""Which times a clock change skips or repeats, for the warning in the configuration check."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from fanfold.domain.rules.schedule import clock_change_dates

SINCE = datetime(2026, 11, 23, tzinfo=UTC)


def changes(cron: str, zone: str = "Europe/Paris") -> list[tuple[date, bool]]:
    return [(each.day, each.skipped) for each in clock_change_dates(cron, zone, SINCE)]


def test_a_nightly_time_is_skipped_in_spring_and_repeated_in_autumn() -> None:
    assert changes("30 2 * * *") == [
        (date(2027, 3, 28), True),
        (date(2027, 10, 31), False),
        (date(2028, 3, 26), True),
        (date(2028, 10, 29), False),
    ]


@pytest.mark.parametrize(
    "cron",
    ["15 3 * * *", "59 1 * * *", "0 * * * *", "30 2 * * 1", "30 2 1 * *", "30 2 * 6 *"],
)
def test_times_that_no_clock_change_meets_are_left_alone(cron: str) -> None:
    assert changes(cron) == []


def test_a_zone_without_clock_changes_has_none() -> None:
    assert changes("30 2 * * *", "UTC") == []


def test_half_an_hour_is_enough() -> None:
    found = changes("10 2 * * *", "Australia/Lord_Howe")
    assert (date(2027, 10, 3), True) in found
    assert changes("40 2 * * *", "Australia/Lord_Howe") == []


def test_the_stretch_is_named_by_its_local_start() -> None:
    first = clock_change_dates("30 2 * * *", "Europe/Paris", SINCE)[0]
    assert first.start == datetime(2027, 3, 28, 2)
