"""What an asynchronous collector reports."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fanfold.domain.model.run import Failure
from fanfold.domain.protocol.contract import Progress, Reply, read_completion
from fanfold.domain.protocol.findings import ReportedFigures


def test_a_success_has_findings() -> None:
    body = {"status": "succeeded", "records": 5, "run_id": "r", "collector": "dvf"}

    assert read_completion(body) == Reply(findings=ReportedFigures(records=5))
    assert read_completion(json.dumps(body).encode()) == Reply(findings=ReportedFigures(records=5))


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        ({"error": "no rows"}, Failure("http", "no rows")),
        (
            {"error": {"kind": "quota", "message": "no more", "retryable": True}},
            Failure("quota", "no more", retryable=True),
        ),
        ({"error": "x", "kind": "quota", "retryable": True}, Failure("quota", "x", retryable=True)),
        ({}, Failure("http", "the collector failed, unsaid why")),
        ({"error": {"message": "m" * 9999, "kind": "lost"}}, Failure("http", "m" * 499 + "…")),
    ],
)
def test_a_failure_says_why(body: dict[str, Any], failure: Failure) -> None:
    assert read_completion({"status": "failed"} | body) == Reply(failure=failure)


def test_a_failure_may_ask_for_a_wait() -> None:
    reply = read_completion({"status": "failed", "error": {"retryable": True, "retry_after": 60}})

    assert isinstance(reply, Reply)
    assert reply.retry_after_s == 60.0


@pytest.mark.parametrize(
    ("body", "progress"),
    [
        ({"fraction": 0.42, "message": "page 4\nof 9"}, Progress(0.42, "page 4 of 9")),
        ({"fraction": 1, "status": "running"}, Progress(1.0)),
        ({"fraction": 1.7}, Progress(1.0)),
        ({"fraction": -2}, Progress(0.0)),
        ({"fraction": "half", "message": "on"}, Progress(None, "on")),
        ({"fraction": True, "message": ["on"]}, Progress()),
        ({"records_so_far": 31_874}, Progress(None, "31\u202f874 records so far")),
        ({"records_so_far": 5, "message": "on"}, Progress(None, "on")),
        ({"message": "m" * 999}, Progress(None, "m" * 299 + "…")),
    ],
)
def test_progress_never_breaks_anything(body: dict[str, Any], progress: Progress) -> None:
    assert read_completion(body) == progress


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"records": 5},
        {"status": "done"},
        {"status": True},
        {"status": ["failed"]},
        {"status": "done", "fraction": 0.5},
        {"status": "succeeded", "records": -1},
        {"status": "succeeded", "warnings": "x"},
        b"",
        b"[]",
        b"null",
        b"nonsense",
        b"\xff",
        b'{"status": "succeeded", "status": "failed"}',
    ],
)
def test_anything_else_breaks_the_contract(body: Any) -> None:
    reply = read_completion(body)

    assert isinstance(reply, Reply)
    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.retryable) == ("bad_response", False)
