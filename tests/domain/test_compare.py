"""Two reports side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from fanfold.domain.report.compare import compare


def one(status: str, **figures: Any) -> dict[str, Any]:
    blank = {"error": None, "records": None, "duration": 0.0, "start_time": None, "end_time": None}
    return {"status": status, **blank, **figures}


def took(seconds: float) -> dict[str, Any]:
    return one("succeeded", duration=seconds, start_time="a", end_time="b")


def report(run_id: str, collectors: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "status": "failed",
        "about": "…",
        "scheduled_for": None,
        "start_time": "2026-11-23T02:15:00.000Z",
        "duration_seconds": 60.0,
        "collectors": collectors,
    }


def compared(**pairs: tuple[dict[str, Any] | None, dict[str, Any] | None]) -> dict[str, Any]:
    """Return the comparison of two reports; a pair is what is in the one and in the other."""
    here = {name: pair[0] for name, pair in pairs.items() if pair[0] is not None}
    there = {name: pair[1] for name, pair in pairs.items() if pair[1] is not None}
    return compare(report("here", here), report("there", there))


GOOD, FAILED, HUNG, STOPPED = (
    one(status) for status in ("succeeded", "failed", "timed_out", "cancelled")
)
SKIPPED, RUNNING = one("skipped"), one("running")


@pytest.mark.parametrize("bad", [FAILED, HUNG, STOPPED])
@pytest.mark.parametrize("bad_before", [FAILED, HUNG, STOPPED])
def test_a_failure_is_new_unless_the_collector_failed_before(
    bad: dict[str, Any], bad_before: dict[str, Any]
) -> None:
    found = compared(
        a=(bad, GOOD), b=(bad, bad_before), c=(GOOD, bad_before), d=(bad, SKIPPED), e=(bad, None)
    )
    assert found["new_failures"] == ["a", "d", "e"]
    assert found["still_failing"] == ["b"]
    assert found["recovered"] == ["c"]
    assert found["added"] == ["e"]


def test_who_was_not_asked_or_is_not_done_is_neither_new_nor_recovered() -> None:
    found = compared(a=(SKIPPED, FAILED), b=(RUNNING, FAILED), c=(None, FAILED), d=(GOOD, GOOD))
    assert not any(found[key] for key in ("new_failures", "still_failing", "recovered", "added"))
    assert found["removed"] == ["c"]
    assert found["about"] == "nothing new failed: 1 of 2 succeeded, before 1 of 4"
    assert list(found["collectors"]) == ["a", "b", "d", "c"]


@pytest.mark.parametrize(
    ("now", "before", "has_moved"),
    [
        *((80, 100, True), (81, 100, False), (120, 100, True), (119, 100, False)),
        *((0, 0, False), (1, 0, True), (0, 1, True), (None, 100, False), (100, None, False)),
    ],
)
def test_records_that_moved_by_a_fifth_are_named(
    now: int | None, before: int | None, has_moved: bool
) -> None:
    found = compared(a=(one("succeeded", records=now), one("succeeded", records=before)))
    assert found["records_moved"] == (["a"] if has_moved else [])
    failed = compared(a=(one("failed", records=now), one("succeeded", records=before)))
    assert failed["records_moved"] == []


@pytest.mark.parametrize(
    ("now_s", "before_s", "has_moved"),
    [
        *((150, 100, True), (100, 150, True), (149, 100, False), (60, 30, True)),
        *((59, 30, False), (4, 1, False), (30, 0, True)),
    ],
)
def test_times_that_differ_by_half_and_half_a_minute_are_named(
    now_s: float, before_s: float, has_moved: bool
) -> None:
    found = compared(a=(took(now_s), took(before_s)))
    assert found["durations_moved"] == (["a"] if has_moved else [])
    pair = found["collectors"]["a"]
    assert (pair["seconds"], pair["seconds_before"]) == (now_s, before_s)


def test_the_sentence_has_both_scores() -> None:
    found = compared(a=(FAILED, GOOD), b=(FAILED, FAILED), c=(GOOD, FAILED), d=(SKIPPED, GOOD))
    assert found["about"] == (
        "1 new failure, 1 still failing, 1 recovered: 1 of 3 succeeded, before 2 of 4"
    )
