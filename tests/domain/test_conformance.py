"""What each check of the contract makes of an answer, and which line it names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fanfold.domain.model.run import Failure
from fanfold.domain.protocol import conformance
from fanfold.domain.protocol.conformance import Heard, Judgement, Result
from fanfold.domain.protocol.contract import Reply, read_reply
from fanfold.domain.protocol.remarks import FAILED, FOUND, remarks

JSON = {"content-type": "application/json"}
TEXT = {"content-type": "text/plain"}
NOTHING = Heard(None, {}, b"", Reply(failure=Failure("network", "x:1 closed the connection")))

PASSED, WARNED, FAILS = Result.PASSED, Result.WARNED, Result.FAILED


def heard(document: Any, status: int = 200, headers: dict[str, str] = JSON, **more: Any) -> Heard:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Heard(status, headers, body, read_reply(status, headers, body), **more)


GOOD = heard({"records": 3})
UNDER_WAY = {"error": "under way", "retryable": True}


@pytest.mark.parametrize(
    ("one", "result", "fix"),
    [
        (GOOD, PASSED, ""),
        (heard({"unchanged": True}), PASSED, ""),
        (heard({"accepted": True}, 202), PASSED, ""),
        (heard({"records": "3"}), FAILS, FOUND),
        (heard({"records": -1}), FAILS, FOUND),
        (heard(b"{", 200), FAILS, FOUND),
        (heard({"record": 3}), FAILS, '"records": …'),
        (heard({"count": 3}), FAILS, '"records": …'),
        (heard({"error": "quota exceeded"}), FAILS, FAILED),
        (heard({"records": 1, "artifacts": "a"}), FAILS, '"warnings": ["a text"], "artifacts": ["gs://bucket/file"]'),
        (heard({"records": 1, "revision": 5}), FAILS, '"revision": str(revision)'),
        (heard(b"", 302, {"location": "https://x.example/b"}), FAILS, "write url: https://x.example/b"),
        (heard(b"<p>ok</p>", 200, {"content-type": "text/html"}), WARNED, FOUND),
        (heard({"records": 3}, 200, TEXT), WARNED, "Content-Type: application/json"),
        (heard({"error": "the source is down"}, 503), FAILS, conformance.SUCCEED),
        (heard(b"oops", 500, {}), FAILS, 'return {"error": "what went wrong"}, 500'),
        (NOTHING, FAILS, "is it started, and is the URL right?"),
    ],
)  # fmt: skip
def test_an_answer(one: Heard, result: Result, fix: str) -> None:
    judged = conformance.answer(one)
    assert (judged.result, judged.fix) == (result, fix)


@pytest.mark.parametrize(
    ("second", "result"),
    [
        (GOOD, PASSED),
        (heard({"records": 4}), FAILS),
        (heard(UNDER_WAY, 409, {**JSON, "retry-after": "15"}), PASSED),
        (heard(UNDER_WAY, 409), WARNED),
        (heard({"error": "under way"}, 409), FAILS),
        (heard({"error": "locked"}, 500), FAILS),
        (NOTHING, FAILS),
    ],
)
def test_two_equal_calls_at_once(second: Heard, result: Result) -> None:
    assert conformance.duplicate(GOOD, second).result is result
    assert conformance.duplicate(second, GOOD).result is result


def test_both_of_two_equal_calls_may_not_be_refused() -> None:
    refused = heard(UNDER_WAY, 409, {**JSON, "retry-after": "15"})
    assert conformance.duplicate(refused, refused).result is FAILS


@pytest.mark.parametrize("judge", [conformance.without_params, conformance.bad_json])
@pytest.mark.parametrize(
    ("one", "result"),
    [
        (heard({"error": "params has no codes"}, 400), PASSED),
        (heard(b"<title>400 Bad Request</title>", 400, {"content-type": "text/html"}), WARNED),
        (heard({"error": "KeyError"}, 500), FAILS),
        (heard({"error": "KeyError", "retryable": False}, 500), PASSED),
        (heard({"error": "no codes"}, 200), FAILS),
        (NOTHING, FAILS),
    ],
)
def test_what_makes_no_sense_is_refused_for_good(judge: Any, one: Heard, result: Result) -> None:
    judged: Judgement = judge(one)
    assert judged.result is result
    assert ("400" in judged.fix) == (result is not PASSED)


def test_the_other_checks() -> None:
    busy = heard(UNDER_WAY, 409)
    late = heard({"error": "too late"}, 504)
    assert conformance.again(GOOD).result is PASSED
    assert conformance.again(busy).result is FAILS
    assert conformance.newer(busy).result is FAILS
    assert conformance.past_deadline(late).result is PASSED
    assert conformance.past_deadline(GOOD).result is WARNED
    assert conformance.past_deadline(NOTHING).result is FAILS
    assert conformance.slow(GOOD, GOOD).result is PASSED
    assert conformance.slow(GOOD, NOTHING).result is FAILS
    assert conformance.secrecy([GOOD]).result is PASSED
    assert conformance.secrecy([GOOD, heard({"records": 1}, is_leak=True)]).result is FAILS


@pytest.mark.parametrize("verb", ["HEAD", "GET", "PUT"])
def test_another_verb_starts_no_work(verb: str) -> None:
    judge = conformance.other_verb(verb)
    assert judge(heard(b"", 405, {})).result is PASSED
    assert judge(heard({"status": "ok"})).result is PASSED
    assert judge(GOOD).result is WARNED
    assert judge(heard(b"", 500, {})).result is WARNED
    assert judge(heard({"status": "ok"}, seconds=60)).result is WARNED
    assert judge(NOTHING).result is FAILS


def test_a_key_that_means_something_else_is_named_and_fails_nobody() -> None:
    one = heard({"records": 1, "warning": "x", "size": 5, "mine": 1})
    told = remarks(one.status, one.headers, one.body, one.reply)
    assert [(each.what, each.fix, each.is_broken) for each in told] == [
        ('"warning" is no key of the contract, which has "warnings"', '"warnings": …', False),
        ('"size" is no key of the contract, which has "bytes"', '"bytes": …', False),
    ]
