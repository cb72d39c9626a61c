"""The sentences that people read first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.rendering.varieties import (
    a_run,
    an_answer,
    an_entry,
    failed,
    green_night,
    many,
    mixed_night,
    timed_out,
)

from fanfold.domain.model.run import Answer, CheckedExpectation, Skip
from fanfold.domain.model.states import Outcome
from fanfold.domain.report.fold import fold
from fanfold.domain.report.sentences import collector_line

THIN = "\u202f"


def about(*answers: Answer, optional: tuple[str, ...] = (), tolerated: int = 0) -> str:
    manifest = [an_entry(one.collector, required=one.collector not in optional) for one in answers]
    run = a_run(len(answers), len(answers), tolerated_failures=tolerated)
    sentence = fold(run, manifest, answers)["about"]
    assert isinstance(sentence, str)
    return sentence


def line(name: str, report: dict[str, Any]) -> str:
    return collector_line(report["collectors"][name], report["timezone"])


def test_one_broken_expectation_is_told_in_full() -> None:
    assert mixed_night()["about"] == (
        "2 of 3 succeeded: plu returned 0 records (expected at least 40)"
    )


def test_all_good() -> None:
    assert green_night()["about"] == "all 4 succeeded"
    assert about(an_answer("dvf")) == "dvf succeeded"


def test_many_failures_are_names_first_then_numbers() -> None:
    assert many(200, 20, 10)["about"] == (
        "170 of 200 succeeded: 20 failed (c001, c002, c003 and 17 more), 10 timed out"
    )


def test_two_failures_are_both_told() -> None:
    assert about(failed("a"), timed_out("b"), an_answer("c")) == (
        "1 of 3 succeeded: a failed (HTTP 500), b timed out (no answer by the run's deadline)"
    )


def test_an_optional_failure_is_mentioned() -> None:
    assert about(an_answer("a"), failed("b"), optional=("b",)) == (
        "1 of 2 succeeded: optional b failed (HTTP 500)"
    )
    assert about(failed("a"), failed("b"), failed("c"), optional=("b",)) == (
        "0 of 3 succeeded: 2 failed (a, c), 1 optional failed (b)"
    )


def test_tolerated_failures_say_how_many_may_fail() -> None:
    assert about(an_answer("a"), failed("b"), tolerated=1) == (
        "1 of 2 succeeded, 1 may fail: b failed (HTTP 500)"
    )


def test_a_cancelled_run_says_what_was_done() -> None:
    stopped = an_answer("b", Outcome.CANCELLED, start=None)
    assert about(an_answer("a"), stopped) == "cancelled: 1 of 2 succeeded, 1 cancelled"
    assert about(failed("a"), stopped) == "cancelled: 0 of 2 succeeded, 1 failed (a), 1 cancelled"


def test_a_warning_of_an_expectation_is_mentioned_among_successes() -> None:
    drop = {"max_drop": 0.2, "median": 24_000}
    odd = CheckedExpectation("max_drop", drop, 100, ok=False, severity="warn")
    one = an_answer("sirene", records=100, expectations=(odd,))
    assert about(one) == f"sirene succeeded; sirene returned 100 records (usually 24{THIN}000)"
    both = (one, replace(one, collector="dvf"))
    assert about(*both) == "all 2 succeeded; 2 look odd (sirene, dvf)"


def test_a_collector_that_an_earlier_run_still_has_is_mentioned() -> None:
    manifest = [an_entry("a"), an_entry("b", skip=Skip("overlap"))]
    report = fold(a_run(2, 1), manifest, [an_answer("a")])
    assert report["about"] == "a succeeded; b skipped, an earlier run still has it"
    report = fold(a_run(1, 0), manifest[1:], [])
    assert report["about"] == "nothing asked: an earlier run still has b"


def test_nothing_due() -> None:
    manifest = [an_entry("a", skip=Skip("not_due"))]
    assert fold(a_run(1, 0), manifest, [])["about"] == "nothing due"


def test_one_line_for_each_collector() -> None:
    report = mixed_night()
    assert line("dvf", report) == f"✓ 31{THIN}874 records · 39s · unchanged since 2026-10-14"
    assert line("insee_contours", report) == "\u2013 not due, next 1 Dec 03:15"
    assert line("plu", report) == (
        "✗ 0 records · 2m29s · 2 attempts · expected at least 40 records, got 0 · 1 warning"
    )


def test_a_collector_that_said_nothing_still_has_a_line() -> None:
    report = fold(a_run(1, 1), [an_entry("a")], [an_answer("a", start=None)])
    assert line("a", report) == "✓ succeeded"


def test_no_text_of_a_collector_can_break_a_line() -> None:
    evil = "line\nbreak\r\x1b[2J \u202eright\u2028to left" + "!" * 2000
    report = fold(a_run(1, 1), [an_entry("a")], [failed("a", evil, warnings=(evil,))])
    for text in (report["about"], line("a", report)):
        assert text.isprintable()
        assert len(text) < 400
