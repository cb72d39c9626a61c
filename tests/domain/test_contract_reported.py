"""A 2xx whose object reports a failure: 200 OK is not yet success."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fanfold.domain.protocol.contract import Reply, read_completion, read_reply

REPORTED: list[Any] = [
    {"error": "quota exceeded"},
    {"error": {"message": "quota exceeded", "code": 8}},
    {"errors": ["quota exceeded"]},
    {"errors": [{"code": 8}, {"message": "quota exceeded"}], "data": None},
    {"success": False, "message": "quota exceeded"},
    {"Success": False, "Message": "quota exceeded"},
    {"success": "false", "detail": "quota exceeded"},
    {"ok": False, "error": "quota exceeded"},
    {"status": "error", "message": "quota exceeded"},
    {"status": 400, "detail": "quota exceeded"},
    {"status": 599, "detail": "quota exceeded"},
    {"records": None, "error": "quota exceeded"},
    {"unchanged": True, "error": "quota exceeded"},
]


def answer(document: Any, status: int = 200) -> Reply:
    return read_reply(status, {"content-type": "text/plain"}, json.dumps(document).encode())


@pytest.mark.parametrize("document", REPORTED)
@pytest.mark.parametrize("status", [200, 201, 202])
def test_an_object_that_reports_a_failure_and_counts_nothing_is_one(
    document: Any, status: int
) -> None:
    reply = answer(document, status)

    assert reply.findings is None
    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.retryable) == ("reported", False)
    assert reply.failure.message.endswith(": quota exceeded")
    assert reply.http_status == status


@pytest.mark.parametrize("document", [each for each in REPORTED if "status" not in each])
def test_a_completion_is_held_to_the_same(document: Any) -> None:
    reply = read_completion(document | {"status": "succeeded"})

    assert isinstance(reply, Reply)
    assert reply.failure is not None
    assert reply.failure.kind == "reported"


@pytest.mark.parametrize("document", REPORTED)
def test_a_count_makes_it_an_answer_all_the_same(document: Any) -> None:
    counted = answer(document | {"records": 0}).findings

    assert counted is not None
    assert counted.records == 0


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"unchanged": True},
        {"error": None},
        {"error": ""},
        {"error": False},
        {"errors": []},
        {"error": "none", "errors": 0},
        {"success": True},
        {"success": 0, "failed": 0},
        {"ok": "yes"},
        {"status": "ok"},
        {"status": "done"},
        {"status": 200},
        {"status": 399},
        {"status": 600},
        {"status": True},
        {"result": {"error": "of one row"}, "seconds": 3},
        {"warnings": ["an error of one row"]},
    ],
)
def test_an_object_that_reports_no_failure_is_none(document: Any) -> None:
    assert answer(document).findings is not None


@pytest.mark.parametrize("document", [{"success": False}, {"error": True}, {"errors": 3}])
def test_a_failure_without_words_shows_the_key(document: Any) -> None:
    failure = answer(document).failure
    ((key, value),) = document.items()

    assert failure is not None
    assert failure.message.endswith(f': "{key}" is {json.dumps(value)}')


def test_a_reported_failure_may_ask_for_another_try() -> None:
    reply = answer({"error": "busy", "retryable": True, "retry_after": 30})

    assert reply.failure is not None
    assert reply.failure.retryable
    assert reply.retry_after_s == 30.0


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"SUCCESS": 0}, '"SUCCESS" is 0'),
        ({"ok": 0}, '"ok" is 0'),
        ({"success": "no"}, '"success" is "no"'),
        ({"success": "0"}, '"success" is "0"'),
        ({"status": "503"}, '"status" is "503"'),
        ({"statusCode": 500, "message": "Internal"}, "Internal"),
        ({"errorMessage": "Task timed out", "errorType": "T"}, "Task timed out"),
        ({"error_message": "quota"}, "quota"),
        ({"exception": "boom"}, "boom"),
        ({"fault": {"faultstring": "x"}}, '"fault" is {"faultstring": "x"}'),
        ({"failed": True}, '"failed" is true'),
        ({"isError": True}, '"isError" is true'),
        ({"has-errors": "yes"}, '"has-errors" is "yes"'),
        ({" error ": "x"}, "x"),
        ({"data": {"error": "nested"}}, "nested"),
        ({"Result": {"success": False}}, '"success" is false'),
    ],
)
def test_other_spellings_of_a_failure_and_one_in_an_envelope(
    document: dict[str, Any], said: str
) -> None:
    for status in (200, 201):
        failure = answer(document, status).failure
        assert failure is not None
        assert failure.kind == "reported"
        assert failure.message == f"the answer reports a failure and no record count: {said}"
    counted = answer({**document, "records": 3})
    assert counted.findings is not None
    assert counted.findings.records == 3


@pytest.mark.parametrize(
    "document",
    [
        {"succeeded": 0, "failed": 3},
        {"failed": 0},
        {"failed": False},
        {"isError": "false"},
        {"success": None},
        {"success": 1},
        {"ok": "yes"},
        {"status": "5000"},
        {"status": 399},
        {"status": 600},
        {"status": True},
        {"code": 500},
        {"data": {"error": None}},
        {"data": {"error": "of one row", "records": 5}},
        {"data": [{"error": "x"}]},
        {"other": {"error": "x"}},
        {"status": "ok", "data": {"status": "error"}},
    ],
)
def test_what_only_looks_like_a_failure_is_none(document: dict[str, Any]) -> None:
    assert answer(document).failure is None
