"""When an answer that came is not the answer that was wanted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from fanfold.domain.model.collector import CollectorHistory, Expect, Severity
from fanfold.domain.model.run import CheckedExpectation
from fanfold.domain.protocol.findings import ReportedFigures
from fanfold.domain.rules.expectations import check, failure, missing_count, returned_words

NOW = datetime(2026, 11, 23, 2, 15, tzinfo=UTC)
USUAL = CollectorHistory(records=(1000,) * 7)


def checked(
    name: str, value: Any, past: CollectorHistory = USUAL, **found: Any
) -> CheckedExpectation | None:
    seconds = found.pop("seconds", 10.0)
    expects = [Expect(name, value, Severity.FAIL)]
    made = check(expects, ReportedFigures(**found), past, now=NOW, seconds=seconds)
    return made[0] if made else None


def holds(name: str, value: Any, past: CollectorHistory = USUAL, **found: Any) -> bool | None:
    made = checked(name, value, past, **found)
    return None if made is None else made.ok


def written(name: str, value: Any, past: CollectorHistory = USUAL, **found: Any) -> str | None:
    """Return the words about a broken expectation that somebody wrote, None where it holds."""
    expects = [Expect(name, value, Severity.FAIL, written=True)]
    made = check(expects, ReportedFigures(**found), past, now=NOW, seconds=10.0)
    broken = failure(made)
    assert all(returned_words(each.name, each.expected, each.actual) for each in made)
    return None if broken is None else broken.message


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("min_records", 40, "expected at least 40 records, got no record count"),
        ("max_records", 1, "expected at most 1 record, got no record count"),
        ("max_drop", 0.2, "expected at most 20 % below the usual count, got no record count"),
        ("not_exactly", (10, 20), "expected any count but 10, 20, got no record count"),
        (
            "max_age",
            7 * 86_400.0,
            "expected a revision at most 7d00h old, got no revision that is a date",
        ),
    ],
)
def test_what_somebody_wrote_is_broken_where_the_answer_does_not_say(
    name: str, value: Any, says: str
) -> None:
    assert written(name, value) == says
    assert written(name, value, past=CollectorHistory()) == says
    assert written(name, value, unchanged=True) is None
    assert holds(name, value) is None


def test_an_unknown_count_is_told_of_the_collector_too() -> None:
    assert returned_words("min_records", 40, None) == (
        "gave no record count (expected at least 40 records)"
    )


@pytest.mark.parametrize(
    ("expects", "found", "warning"),
    [
        ([("min_records", False)], {}, "no record count"),
        ([("min_records", False)], {"records": 0}, ""),
        ([("min_records", False)], {"unchanged": True}, ""),
        ([("min_records", False), ("max_records", True)], {}, ""),
        ([("max_age", True), ("min_records", False)], {}, "no record count"),
        ([("max_age", False), ("max_duration", True)], {}, ""),
        ([], {}, ""),
    ],
)
def test_an_answer_without_a_count_has_a_warning_where_a_default_expects_one(
    expects: list[tuple[str, bool]], found: dict[str, Any], warning: str
) -> None:
    given = [Expect(name, 1, Severity.FAIL, written=is_written) for name, is_written in expects]
    assert missing_count(given, ReportedFigures(**found)) == warning


@pytest.mark.parametrize(("records", "ok"), [(0, False), (39, False), (40, True), (None, None)])
def test_min_records(records: int | None, ok: bool | None) -> None:
    assert holds("min_records", 40, records=records) is ok


@pytest.mark.parametrize(("records", "ok"), [(50, True), (51, False), (None, None)])
def test_max_records(records: int | None, ok: bool | None) -> None:
    assert holds("max_records", 50.0, records=records) is ok


@pytest.mark.parametrize(("records", "ok"), [(10_000, False), (9999, True), (None, None)])
def test_not_exactly(records: int | None, ok: bool | None) -> None:
    assert holds("not_exactly", (5000, 10_000), records=records) is ok


@pytest.mark.parametrize(("records", "ok"), [(800, True), (799, False), (5000, True)])
def test_max_drop_compares_with_the_median_of_seven(records: int, ok: bool) -> None:
    assert (
        holds("max_drop", 0.2, CollectorHistory(records=(9,) * 8 + USUAL.records), records=records)
        is ok
    )


def test_max_drop_of_70_percent_allows_exactly_that() -> None:
    assert holds("max_drop", 0.7, CollectorHistory(records=(10, 10, 10)), records=3) is True


def test_max_drop_waits_until_three_successes_said_their_count() -> None:
    assert holds("max_drop", 0.2, CollectorHistory(records=(1000, None, 1000)), records=1) is None
    assert (
        holds("max_drop", 0.2, CollectorHistory(records=(1000, None, 1000, 1000)), records=1)
        is False
    )


@pytest.mark.parametrize(
    ("revision", "ok"),
    [
        ("2026-11-20", True),
        ("2026-10-14", False),
        ("2026-11-22T23:00:00+01:00", True),
        ("2026-11-24", True),  # tomorrow's, in a zone further east
        ("9f2c61d0", None),
        ("10000101", None),
        ("20990101", None),
        ("", None),
        (None, None),
    ],
)
def test_max_age_needs_a_revision_that_is_a_date(
    revision: str | None,
    ok: bool | None,
) -> None:
    assert holds("max_age", 7 * 86_400.0, revision=revision) is ok


@pytest.mark.parametrize(("seconds", "ok"), [(600.0, True), (600.5, False)])
def test_max_duration(seconds: float, ok: bool) -> None:
    assert holds("max_duration", 600.0, seconds=seconds) is ok


def test_unchanged_is_not_zero() -> None:
    found: dict[str, Any] = {"records": 0, "unchanged": True, "revision": "2020-01-01"}
    for name, value in (("min_records", 1), ("not_exactly", (0,)), ("max_drop", 0.1)):
        assert holds(name, value, **found) is None
    assert holds("max_age", 86_400.0, **found) is False
    assert holds("max_duration", 1.0, **found) is False


@pytest.mark.parametrize(
    ("name", "value", "found", "words"),
    [
        ("min_records", 40, {"records": 0}, "expected at least 40 records, got 0"),
        ("max_records", 1, {"records": 5}, "expected at most 1 record, got 5"),
        ("not_exactly", (50,), {"records": 50}, "expected any count but 50 records"),
        (
            "max_drop", 0.2, {"records": 7},
            "expected at most 20 % below the usual 1\u202f000 records, got 7",
        ),
        ("max_duration", 60.0, {"seconds": 90.0}, "expected an answer within 1m00s, took 1m30s"),
        (
            "max_age", 86_400.0, {"revision": "2026-11-20"},
            "expected a revision at most 1d00h old, got 3d02h",
        ),
    ],
)  # fmt: skip
def test_a_failure_says_what_was_expected_and_what_came(
    name: str, value: Any, found: dict[str, Any], words: str
) -> None:
    made = checked(name, value, **found)
    assert made is not None
    broken = failure([made])
    assert broken is not None
    assert (broken.kind, broken.message, broken.retryable) == ("expectation", words, False)


def test_warnings_fail_nobody() -> None:
    expects = [Expect("min_records", 40, Severity.WARN), Expect("max_records", 9, Severity.FAIL)]
    made = check(expects, ReportedFigures(records=0), CollectorHistory(), now=NOW, seconds=1.0)
    assert [one.ok for one in made] == [False, True]
    assert failure(made) is None


def test_several_broken_expectations_are_all_told() -> None:
    expects = [Expect("min_records", 40, Severity.FAIL), Expect("not_exactly", (0,), Severity.FAIL)]
    broken = failure(
        check(expects, ReportedFigures(records=0), CollectorHistory(), now=NOW, seconds=1.0)
    )
    assert broken is not None
    assert broken.message == (
        "expected at least 40 records, got 0; expected any count but 0 records"
    )
