"""A run that still waits for answers has a report of the same shape."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.rendering.varieties import (
    RUN_ID,
    a_run,
    after,
    an_answer,
    an_entry,
    failed,
    mixed_night,
    night_answers,
    night_manifest,
)

from fanfold.domain.model.run import Attempt, Entry, Failure, Job, Lease
from fanfold.domain.report.fold import fold, fold_so_far
from fanfold.domain.report.sentences import collector_line

PROGRESS = {"fraction": 0.4, "message": "page 387"}
MANIFEST = [an_entry(name) for name in ("done", "broken", "busy", "waiting", "new", "elsewhere")]


def a_job(name: str, **changes: Any) -> Job:
    return replace(Job(RUN_ID, name, after(0), after(7200)), **changes)


def so_far(*jobs: Job, entries: list[Entry] | None = None) -> dict[str, Any]:
    answers = [an_answer("done"), failed("broken")]
    return fold_so_far(a_run(6, 6), entries or MANIFEST, jobs, answers, after(100))


def test_it_has_the_shape_of_a_final_report() -> None:
    report, final = so_far(), mixed_night()
    assert list(report) == list(final)
    assert list(report["summary"]) == list(final["summary"])
    assert list(report["collectors"]["new"]) == list(final["collectors"]["plu"])


def test_it_says_how_far_the_run_is() -> None:
    report = so_far()
    assert report["about"] == "2 of 6 done, 1 failed so far"
    assert (report["status"], report["end_time"], report["duration_seconds"]) == (
        "dispatching", None, 100.0,
    )  # fmt: skip


def test_it_balances_with_those_that_are_open() -> None:
    summary = so_far()["summary"]
    assert summary["pending"] == 4
    assert summary["total"] == summary["succeeded"] + summary["failed"] + summary["pending"]


def test_a_lease_is_an_attempt_that_runs() -> None:
    lease = Lease(RUN_ID, "busy", 2, "relay", 1, after(40), after(700))
    busy = so_far(a_job("busy", lease=lease, started=1))["collectors"]["busy"]
    assert (busy["status"], busy["duration"], busy["queued_seconds"]) == ("running", 60.0, 40.0)
    assert busy["attempts"][0]["outcome"] == "running"
    assert busy["attempts"][0]["end_time"] is None


def test_an_expired_lease_runs_no_more() -> None:
    lease = Lease(RUN_ID, "busy", 2, "relay", 1, after(40), after(90))
    assert so_far(a_job("busy", lease=lease))["collectors"]["busy"]["status"] == "pending"


def test_a_backoff_says_until_when() -> None:
    tried = Attempt(1, after(2), after(9), "retry", 503, Failure("http", "HTTP 503"))
    job = a_job("waiting", attempts=(tried,), not_before=after(120))
    waiting = so_far(job)["collectors"]["waiting"]
    assert (waiting["status"], waiting["reason"]) == ("pending", "backoff")
    assert waiting["next"] == "2026-11-23T02:17:00.112Z"


def test_an_accepted_call_runs_and_tells_its_progress() -> None:
    tried = Attempt(1, after(2), after(3), "accepted", 202)
    job = a_job("busy", attempts=(tried,), accepted_until=after(900), progress=PROGRESS)
    busy = so_far(job)["collectors"]["busy"]
    assert (busy["status"], busy["progress"]) == ("running", PROGRESS)
    assert collector_line(busy) == "… running · 1m38s · 40 % · page 387"


def test_whoever_queues_behind_an_earlier_run_says_so() -> None:
    queued = [replace(entry, queue_behind="earlier") for entry in MANIFEST]
    report = so_far(a_job("elsewhere"), entries=queued)
    assert report["collectors"]["elsewhere"]["reason"] == "queued_behind"


def test_with_every_answer_it_is_the_report() -> None:
    manifest, answers = night_manifest(), night_answers()
    assert fold_so_far(a_run(4, 3), manifest, [], answers, after(9999)) == fold(
        a_run(4, 3), manifest, answers
    )
