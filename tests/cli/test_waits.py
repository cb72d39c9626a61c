"""What is said while a run waits: why a collector is asked again and when; when the run ends."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from tests.cli.conftest import Folder, ended, eventually

from fanfold.views.progress import retry_words, usual_end

NOW = datetime(2026, 11, 23, 2, 15, tzinfo=UTC)


def waiting(status: int | None, error: str, wait_s: float | None) -> dict[str, Any]:
    last = {"http_status": status, "error": error, "outcome": "failed"}
    due = None if wait_s is None else (NOW + timedelta(seconds=wait_s)).isoformat()
    return {"attempts": [last], "next": due}


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (waiting(503, "busy", 27.2), "HTTP 503, tries again in 28 s"),
        (waiting(None, "connection refused", 150), "connection refused, tries again in 2m30s"),
        (waiting(200, "no JSON", 1), "no JSON, tries again in 1 s"),
        (waiting(429, "slow down", -3), "HTTP 429, tries again now"),
        (waiting(None, "", None), "failed, tries again now"),
    ],
)
def test_a_wait_says_why_and_how_long(one: dict[str, Any], words: str) -> None:
    assert retry_words(one, NOW) == words


def test_in_a_pipe_each_wait_for_a_retry_is_one_line(
    folder: Folder, httpserver: HTTPServer
) -> None:
    httpserver.expect_ordered_request("/").respond_with_data("busy", 503, {"Retry-After": "2"})
    httpserver.expect_ordered_request("/").respond_with_json({"records": 42})
    retries = {"max": 1, "backoff": "1s", "max_backoff": "5s"}
    folder.configure({"dvf": "ok", "plu": {"url": httpserver.url_for("/"), "retries": retries}})

    said = folder.run("run")

    assert said.code == 0, said.err
    waits = [line for line in said.err.splitlines() if "tries again" in line]
    assert len(waits) == 1
    assert re.fullmatch(r"  plu: HTTP 503, tries again in \d s", waits[0])


def test_the_status_of_a_run_under_way_says_when_it_ends(folder: Folder) -> None:
    folder.configure({"dvf": "slow/3"}, run_timeout="90m")
    assert folder.run("run").code == 0
    process = folder.spawn("run", "--run-id", "second")
    eventually(lambda: len(folder.collectors.calls) == 2)

    said = folder.run("status", "second")

    assert re.search(r"\n  deadline  \w{3} .+ \(in 1h(30|29)m\)\n", said.out), said.out
    assert re.search(r"\n  usual end \w{3} .+ \(in [\d.ms]+\)\n", said.out), said.out
    assert ended(process).code == 0
    over = folder.run("status", "second").out
    assert "deadline" not in over
    assert "usual end" not in over


def test_a_usual_end_that_has_passed_is_not_told() -> None:
    one = {"status": "running", "median_seconds": 60.0}
    report = {"collectors": {"dvf": one}, "start_time": NOW.isoformat(), "duration_seconds": 20.0}
    assert usual_end(report, 2) == NOW + timedelta(seconds=60)
    assert usual_end(report | {"duration_seconds": 61.0}, 2) is None
