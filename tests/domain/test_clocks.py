"""The clocks of a collector: its wait for a place, its silence, its slowness."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.rendering.varieties import RUN_ID, a_run, after, an_entry

from fanfold.cli.output.progress import CountingProgress, PlainProgress
from fanfold.cli.output.terminal import Notes
from fanfold.domain.model.collector import CollectorHistory, CollectorSpec
from fanfold.domain.model.run import Attempt, Job, Lease
from fanfold.domain.model.states import Outcome
from fanfold.domain.model.upstream import Wait
from fanfold.domain.protocol.contract import Reply
from fanfold.domain.protocol.findings import ReportedFigures
from fanfold.domain.report.fold import fold_so_far
from fanfold.domain.report.sentences import collector_line
from fanfold.domain.rules.answering import answer_of
from fanfold.domain.rules.clocks import fell_silent, never_got_a_place, slow_words
from fanfold.views.progress import progress_words

SPEC = CollectorSpec("dvf", "https://dvf.example/", wait_timeout_s=600.0, heartbeat_s=600.0)
RUN = a_run(1, 1, dispatched_at=after(10))
JOB = Job(RUN_ID, "dvf", after(5), after(7200))
ACCEPTED = Attempt(1, after(20), after(21), "accepted", 202)
ASKED = replace(JOB, started=1, attempts=(ACCEPTED,), accepted_until=after(3600))


def words(failure: Any) -> str:
    return "" if failure is None else str(failure)


@pytest.mark.parametrize(
    ("job", "at", "said"),
    [
        (JOB, 609.9, ""),
        (JOB, 610, "never got a place: waited 10m00s"),
        # A message that was published again does not begin the wait anew.
        (replace(JOB, published_at=after(500)), 610, "never got a place: waited 10m00s"),
        (JOB, -3600, ""),  # the clock was set back
        (replace(JOB, started=1), 5000, ""),
        (ASKED, 5000, ""),
    ],
)
def test_a_wait_runs_from_the_dispatch_to_the_first_attempt(job: Job, at: float, said: str) -> None:
    assert words(never_got_a_place(SPEC, RUN, job, after(at))) == said
    assert never_got_a_place(replace(SPEC, wait_timeout_s=None), RUN, job, after(at)) is None
    assert never_got_a_place(SPEC, replace(RUN, dispatched_at=None), job, after(at)) is None


def test_a_wait_for_the_source_is_named() -> None:
    wait = Wait("api.insee.fr", "2 calls at once are allowed", after(400), since=after(400))
    said = words(never_got_a_place(SPEC, RUN, replace(JOB, wait=wait), after(610)))
    assert said == "never got a place: waited 10m00s, the last 3m30s of it for api.insee.fr"


@pytest.mark.parametrize(
    ("progress", "at", "said"),
    [
        (None, 620, ""),
        (None, 621, "nothing said for 10m00s"),
        ({"fraction": 0.1, "at": after(300).isoformat()}, 899, ""),
        ({"fraction": 0.1, "at": after(300)}, 900, "nothing said for 10m00s"),
        ({"at": after(5).isoformat()}, 621, "nothing said for 10m00s"),
        ({"at": "yesterday"}, 621, "nothing said for 10m00s"),
        ({"at": 5}, 621, "nothing said for 10m00s"),
        ({"at": after(9000).isoformat()}, 621, ""),  # the clock was set back since
    ],
)
def test_a_silence_runs_from_the_last_word(progress: Any, at: float, said: str) -> None:
    job = replace(ASKED, progress=progress)
    assert words(fell_silent(SPEC, job, after(at))) == said
    assert fell_silent(replace(SPEC, heartbeat_s=None), job, after(at)) is None
    assert fell_silent(SPEC, replace(job, accepted_until=None), after(at)) is None


@pytest.mark.parametrize(
    ("spec", "seconds", "took", "said"),
    [
        ({"slow_factor": 2.0}, (100.0, 300.0, 200.0), 400, ""),
        ({"slow_factor": 2.0}, (100.0, 300.0, 200.0), 401, "slow: 6m41s, usually 3m20s"),
        ({"slow_factor": 2.0}, (), 9999, ""),
        ({"slow_after_s": 60.0}, (), 61, "slow: 1m01s, expected within 1m00s"),
        ({"slow_after_s": 60.0}, (), 60, ""),
        ({}, (1.0,), 9999, ""),
    ],
)
def test_slow_is_more_than_a_time_or_than_a_multiple_of_the_usual(
    spec: dict[str, float], seconds: tuple[float, ...], took: float, said: str
) -> None:
    past = CollectorHistory(seconds=seconds)
    assert slow_words(replace(SPEC, **spec), past, took) == said  # type: ignore[arg-type]


def test_an_answer_that_came_slowly_succeeds_with_a_warning() -> None:
    entry = an_entry("dvf", slow_after_s=60.0)
    reply = Reply(200, findings=ReportedFigures(records=1))
    attempts = [Attempt(1, after(20), after(90), "succeeded", 200)]
    for took, warnings in ((60, ()), (70, ("slow: 1m10s, expected within 1m00s",))):
        now = after(20 + took)
        answer = answer_of(reply, entry, JOB, writer="w", attempts=attempts, now=now)
        assert (answer.outcome, answer.warnings) == (Outcome.SUCCEEDED, warnings)


def running(at: float) -> dict[str, Any]:
    past = CollectorHistory(seconds=(60.0,))
    lease = Lease(RUN_ID, "dvf", 1, "relay", 1, after(20), after(700))
    job = replace(JOB, started=1, lease=lease)
    entry = an_entry("dvf", past=past, slow_factor=2.0)
    return fold_so_far(RUN, [entry], [job], [], after(at))


def test_a_slow_collector_is_warned_of_while_it_runs() -> None:
    assert running(140)["collectors"]["dvf"]["warnings"] == []
    report = running(200)
    one = report["collectors"]["dvf"]
    assert one["status"] == "running"
    assert one["warnings"] == ["slow: 3m00s, usually 1m00s"]
    assert report["summary"]["warnings"] == 1
    assert "slow: 3m00s, usually 1m00s" in collector_line(one)
    assert "slow: 3m00s, usually 1m00s" in progress_words(one, datetime.now(UTC))


@pytest.mark.parametrize("view", [PlainProgress, CountingProgress])
def test_it_is_told_once_where_no_picture_moves(view: type) -> None:
    said: list[str] = []
    notes = Notes()
    notes.write = said.append
    shown = view(notes, concurrency=1)
    for at in (140, 200, 300):
        shown.update(running(at))
    assert [line for line in said if "slow" in line] == ["  ! dvf: slow: 3m00s, usually 1m00s"]


def test_a_day_fits_into_every_clock() -> None:
    far = RUN.start_time + timedelta(days=3650)
    assert never_got_a_place(SPEC, RUN, JOB, far) is not None
