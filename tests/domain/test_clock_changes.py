"""Which times a clock change skips or repeats, for the warning in the configuration check."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from fanfold.domain.rules.clock_nights import clock_change_dates, night_sentences

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


@pytest.mark.parametrize(
    ("cron", "jumps", "repeats"),
    [
        ("30 2 * * *", "it runs at 03:00+02:00", "it runs at 02:30+02:00"),
        (
            "*/30 2 * * *",
            "it does not run",
            "it runs at 02:00+02:00, 02:30+02:00, 02:00+01:00, 02:30+01:00",
        ),
        ("0,30 2 * * *", "it runs at 03:00+02:00", "it runs at 02:00+02:00, 02:30+02:00"),
        ("30 */2 * * *", "it does not run", "it runs at 02:30+02:00, 02:30+01:00"),
        (
            "* 2 * * *",
            "it does not run",
            "it runs at "
            + ", ".join(f"02:0{minute}+02:00" for minute in range(8))
            + " and 112 more",
        ),
    ],
)
def test_what_runs_in_the_next_nights_is_said_exactly(cron: str, jumps: str, repeats: str) -> None:
    found = clock_change_dates(cron, "Europe/Paris", SINCE)
    back = "clocks go back from 03:00 to 02:00: in the hour that comes twice"
    assert night_sentences(cron, "Europe/Paris", found) == (
        f"Sun 28 Mar 2027, clocks jump from 02:00 to 03:00: until 04:00 {jumps}",
        f"Sun 31 Oct 2027, {back} {repeats}",
    )


def test_a_step_over_some_hours_is_touched_and_one_over_all_is_not() -> None:
    assert changes("30 */2 * * *")[:2] == [(date(2027, 3, 28), True), (date(2027, 10, 31), False)]
    assert changes("30 0-23 * * *") != []  # fires at fixed times: once in the hour that comes twice
    assert changes("*/30 0-23 * * *") == changes("30 */1 * * *") == []


def test_the_stretch_is_named_by_its_local_start() -> None:
    first = clock_change_dates("30 2 * * *", "Europe/Paris", SINCE)[0]
    assert first.start == datetime(2027, 3, 28, 2)
