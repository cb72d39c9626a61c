"""The last lines of a collector's log: kept to their limits, and never a failure."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fanfold.domain.protocol.contract import Reply, read_completion, read_reply
from fanfold.domain.protocol.log_lines import last_lines
from fanfold.domain.protocol.masking import LEFT_OUT, WITHHELD, Mask
from fanfold.domain.syntax.limits import MAX_LOG_BYTES, MAX_LOG_LINES

LINES = ["05:02:13 asked: 14", "05:03:10 done"]


@pytest.mark.parametrize("status", [200, 202, 400, 409, 503])
@pytest.mark.parametrize(
    "document",
    [{"records": 3}, {"error": "no"}, {"status": "failed", "error": "no"}, {"records": "x"}],
)
def test_whatever_came_brings_its_log(status: int, document: dict[str, Any]) -> None:
    bare = read_reply(status, {}, json.dumps(document).encode())
    reply = read_reply(status, {}, json.dumps({**document, "log": LINES}).encode())
    assert reply.log == tuple(LINES)
    assert reply.findings == bare.findings
    assert getattr(reply.failure, "kind", None) == getattr(bare.failure, "kind", None)


@pytest.mark.parametrize(
    "document",
    [
        {"status": "succeeded", "records": 3},
        {"status": "failed"},
        {"status": "succeeded", "records": -1},
    ],
)
def test_a_later_answer_brings_it_too(document: dict[str, Any]) -> None:
    reply = read_completion({**document, "log": LINES})
    assert isinstance(reply, Reply)
    assert reply.log == tuple(LINES)


def test_more_lines_than_are_kept_lose_the_oldest_and_a_warning_says_so() -> None:
    kept, warning = last_lines([f"line {number}" for number in range(50)])
    assert kept == tuple(f"line {number}" for number in range(50 - MAX_LOG_LINES, 50))
    assert warning == f'"log": the last {MAX_LOG_LINES} of 50 lines are kept'


@pytest.mark.parametrize("letter", ["x", "é", "\U0001f600"])
def test_more_bytes_than_are_kept_lose_the_oldest(letter: str) -> None:
    lines = [letter * 300 for _ in range(20)]
    kept, warning = last_lines(lines)
    size_bytes = sum(len(line.encode()) for line in kept)
    assert MAX_LOG_BYTES - len(lines[0].encode()) < size_bytes <= MAX_LOG_BYTES
    assert warning == f'"log": the last {len(kept)} of 20 lines are kept'


def test_a_last_line_that_is_too_long_is_cut() -> None:
    kept, warning = last_lines(["first", "é" * 5_000])
    assert len(kept) == 1
    assert len(kept[0].encode()) <= MAX_LOG_BYTES
    assert kept[0].endswith("é…")
    assert warning == '"log": the last 1 of 2 lines are kept'


def test_control_characters_and_line_breaks_do_not_pass() -> None:
    kept, warning = last_lines(["a\x1b[31mb\nc\u202ed", "", "  ", "\ud800"])
    assert kept == ("a [31mb cd", "�")
    assert warning == ""


def test_a_text_is_its_lines() -> None:
    assert last_lines("one\ntwo\r\nthree\n") == (("one", "two", "three"), "")


@pytest.mark.parametrize("value", [5, True, {"a": 1}, 1.5])
def test_another_type_is_left_out_and_fails_nobody(value: Any) -> None:
    kept, warning = last_lines(value)
    assert kept == ()
    assert warning == f'"log" is {json.dumps(value)}, not a list of texts: left out'


def test_what_is_no_text_in_the_list_is_left_out() -> None:
    assert last_lines(["a", 1, None]) == (("a",), '"log" holds 2 that are no texts: left out')


def test_secrets_are_masked_before_anything_is_cut() -> None:
    secret = "s3cret-value-of-a-header"
    lines = ["x" * (MAX_LOG_BYTES - 10) + secret]
    body = json.dumps({"records": 1, "log": lines}).encode()
    reply = read_reply(200, {}, body, mask=Mask([secret]))
    assert "s3cret" not in "".join(reply.log)
    assert read_reply(503, {}, body, mask=Mask([secret])).log == reply.log
    withheld = read_completion({"status": "succeeded", "log": ["a word"]}, WITHHELD)
    assert isinstance(withheld, Reply)
    assert withheld.log == (LEFT_OUT,)
