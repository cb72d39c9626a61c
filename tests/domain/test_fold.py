"""The fold: what a full set of answers becomes, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.rendering.varieties import (
    START,
    a_run,
    an_answer,
    an_entry,
    closing,
    failed,
    mixed_night,
    timed_out,
)

from fanfold.domain.model.errors import Permanent
from fanfold.domain.model.run import Answer, Failure, Skip
from fanfold.domain.model.states import Outcome, Phase, RunStatus
from fanfold.domain.report.balance import Unbalanced
from fanfold.domain.report.fold import closing_of, fold


def verdict(*answers: Answer, tolerated: int = 0, optional: str = "") -> RunStatus:
    manifest = [an_entry(one.collector, required=one.collector != optional) for one in answers]
    run = a_run(len(answers), len(answers), tolerated_failures=tolerated)
    return closing(run, manifest, answers).verdict


def test_the_old_keys_stay() -> None:
    report = mixed_night()
    assert {"start_time", "end_time", "duration_seconds", "collectors", "summary"} <= report.keys()
    assert {"total", "succeeded", "failed", "skipped"} <= report["summary"].keys()
    assert all({"status", "duration", "error"} <= c.keys() for c in report["collectors"].values())


def test_every_collector_of_the_configuration_is_there_in_its_order() -> None:
    assert list(mixed_night()["collectors"]) == ["insee_contours", "dvf", "sirene", "plu"]


def test_every_collector_has_the_same_keys() -> None:
    keys = [list(one) for one in mixed_night()["collectors"].values()]
    assert all(one == keys[0] for one in keys)


def test_a_duration_includes_the_waits_and_running_time_does_not() -> None:
    plu = mixed_night()["collectors"]["plu"]
    assert (plu["duration"], plu["running_seconds"], plu["queued_seconds"]) == (149.0, 119.0, 41.0)


def test_an_accepted_call_runs_until_the_answer() -> None:
    assert mixed_night()["collectors"]["sirene"]["running_seconds"] == 1262.198


def test_the_summary_counts_what_succeeded() -> None:
    summary = mixed_night()["summary"]
    assert (summary["records"], summary["bytes"]) == (56_034, 42_100_000)
    assert (summary["total"], summary["succeeded"], summary["failed"]) == (4, 2, 1)


def test_a_sum_stays_a_number_that_every_store_holds() -> None:
    answers = [an_answer(name, records=2**63 - 1, bytes=2**63 - 1) for name in "ab"]
    summary = fold(a_run(2, 2), [an_entry("a"), an_entry("b")], answers)["summary"]

    assert (summary["records"], summary["bytes"]) == (2**63 - 1, 2**63 - 1)


def test_a_run_ends_with_its_last_answer() -> None:
    assert mixed_night()["end_time"] == "2026-11-23T02:36:04.310Z"
    assert closing(a_run(0, 0), [], []).end_time == START


def test_one_required_failure_fails_a_run() -> None:
    assert verdict(an_answer("a")) is RunStatus.SUCCEEDED
    assert verdict(an_answer("a"), failed("b")) is RunStatus.FAILED
    assert verdict(an_answer("a"), timed_out("b")) is RunStatus.FAILED


def test_an_optional_failure_fails_nobody() -> None:
    assert verdict(an_answer("a"), failed("b"), optional="b") is RunStatus.SUCCEEDED


def test_tolerated_failures_are_counted_up_to_the_number_given() -> None:
    assert verdict(failed("a"), timed_out("b"), tolerated=2) is RunStatus.SUCCEEDED
    assert verdict(failed("a"), timed_out("b"), tolerated=1) is RunStatus.FAILED


def test_any_cancelled_answer_makes_a_cancelled_run() -> None:
    stopped = an_answer("b", Outcome.CANCELLED, start=None)
    assert verdict(an_answer("a"), stopped) is RunStatus.CANCELLED
    assert verdict(failed("a"), stopped) is RunStatus.CANCELLED


def test_a_run_that_asks_nobody_succeeds() -> None:
    end = closing(a_run(1, 0), [an_entry("a", skip=Skip("not_due"))], [])
    assert (end.verdict, end.about) == (RunStatus.SUCCEEDED, "nothing due")


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ([], 1),
        ([an_answer("a"), an_answer("a")], 1),
        ([an_answer("a"), an_answer("b")], 1),
        ([an_answer("skipped"), an_answer("a")], 1),
        ([replace(an_answer("a"), run_id="another")], 1),
        ([an_answer("a")], 2),
    ],
)
def test_a_report_that_would_not_balance_is_refused(given: list[Answer], asked: int) -> None:
    manifest = [an_entry("a"), an_entry("skipped", skip=Skip("disabled"))]
    for make in (fold, closing):
        with pytest.raises(Unbalanced, match="does not balance"):
            make(a_run(2, asked), manifest, given)
    assert issubclass(Unbalanced, Permanent)


def test_a_collector_named_twice_is_refused() -> None:
    with pytest.raises(Unbalanced, match="a named twice"):
        fold(a_run(2, 2), [an_entry("a"), an_entry("a")], [an_answer("a")])


def test_long_errors_are_cut_and_control_characters_go() -> None:
    error = Failure("http\n", "x\r\n\x1b[31m\u202e" + "y" * 10_000)
    answer = an_answer("a", Outcome.FAILED, error=error, metrics={"n\n": float("nan"), "deep": [1]})
    one = fold(a_run(1, 1), [an_entry("a")], [answer])["collectors"]["a"]
    assert len(one["error"]) == 500
    assert one["error"].startswith("x [31my")
    assert one["error_kind"] == "http"
    assert one["metrics"] == {"n": None, "deep": "[1]"}


def test_the_report_of_a_final_run_says_what_was_stored_and_the_same_bytes() -> None:
    """Whoever makes it again, later, gets what the first one wrote."""
    odd = START + timedelta(seconds=42, microseconds=123_556)
    answers = [replace(an_answer("a"), end_time=odd)]
    run, manifest = a_run(1, 1), [an_entry("a")]
    first = fold(run, manifest, answers)
    closed = closing_of(first)
    final = replace(
        run,
        phase=Phase.FINAL,
        verdict=closed.verdict,
        about=closed.about,
        end_time=closed.end_time,
    )
    assert fold(final, manifest, answers) == first
    failed_later = replace(final, verdict=RunStatus.FAILED, about="why")
    report = fold(failed_later, manifest, answers)
    assert (report["status"], report["about"]) == ("failed", "why")
