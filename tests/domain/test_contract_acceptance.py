"""Answers that come later, answers that say they failed, and what is asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from fanfold.domain.model.collector import CollectorSpec
from fanfold.domain.protocol import contract
from fanfold.domain.protocol.contract import (
    Call,
    Reply,
    read_reply,
    request_headers,
)
from fanfold.domain.protocol.findings import ReportedFigures

JSON = {"Content-Type": "application/json"}


def answer(document: Any, status: int = 200) -> Reply:
    return read_reply(status, JSON, json.dumps(document).encode())


@pytest.mark.parametrize(
    ("document", "eta_s"),
    [
        ({"accepted": True}, None),
        ({"accepted": True, "eta_seconds": 90}, 90.0),
        ({"accepted": True, "eta_seconds": 1e12}, contract.MAX_ETA_S),
    ],
)
def test_a_202_that_says_accepted_announces_a_later_answer(document: Any, eta_s: float) -> None:
    assert answer(document, 202) == Reply(http_status=202, accepted=True, eta_s=eta_s)


def test_any_other_202_and_any_other_status_is_an_answer() -> None:
    assert answer({"accepted": False, "records": 2}, 202).findings == ReportedFigures(records=2)
    assert answer({"accepted": True, "records": 2}, 200).findings == ReportedFigures(records=2)


@pytest.mark.parametrize(
    "document",
    [
        {"accepted": "yes"},
        {"accepted": True, "eta_seconds": -1},
        {"accepted": True, "eta_seconds": "1"},
    ],
)
def test_an_acceptance_can_break_the_contract(document: Any) -> None:
    reply = answer(document, 202)

    assert reply.failure is not None
    assert reply.failure.kind == "bad_response"


def test_an_answer_that_says_failed_failed() -> None:
    reply = answer({"status": "failed", "error": {"kind": "quota", "message": "no more"}})

    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.message) == ("quota", "no more")
    assert not reply.failure.retryable


def test_a_traceparent_that_is_none_is_not_sent() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    spec = CollectorSpec("dvf", "https://collector.example/")

    for text in ("", "x\r\nX-Evil: 1", "00-abc-def-01"):
        headers = request_headers(Call(spec, "r", 1, at, 1.0, traceparent=text))
        assert "traceparent" not in headers
