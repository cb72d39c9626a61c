"""Why a collector failed, as far as it says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from fanfold.domain.model.run import Failure
from fanfold.domain.protocol.contract import Reply, read_reply
from fanfold.domain.protocol.failures import MAX_RETRY_AFTER_S

NOW = datetime(2026, 11, 23, 2, 15, tzinfo=UTC)


def failed(status: int, body: bytes | Any = b"", **headers: str) -> Reply:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_reply(status, names, raw, now=NOW)


def failure(status: int, body: bytes | Any = b"", **headers: str) -> Failure:
    found = failed(status, body, **headers).failure
    assert found is not None
    return found


def test_some_statuses_may_pass_and_the_others_stay() -> None:
    retryable = {status for status in range(400, 600) if failure(status).retryable}

    assert retryable == {408, 425, 429} | set(range(500, 600))


def test_refusals_of_the_caller_are_of_kind_auth() -> None:
    kinds = {status: failure(status, {"kind": "odd"}).kind for status in (400, 401, 403, 404, 500)}

    assert kinds == {400: "odd", 401: "auth", 403: "auth", 404: "odd", 500: "odd"}


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
@pytest.mark.parametrize("retryable", [True, False])
def test_the_body_s_own_word_on_retries_wins(status: int, *, retryable: bool) -> None:
    assert failure(status, {"retryable": retryable}).retryable == retryable
    assert failure(status, {"error": {"retryable": retryable}}).retryable == retryable


def test_a_word_that_is_no_boolean_changes_nothing() -> None:
    assert failure(503, {"retryable": "no"}).retryable
    assert not failure(404, {"retryable": 1}).retryable


@pytest.mark.parametrize("kind", ["timeout", "lost", "cancelled", "a b", "", "x" * 41, 5, "é"])
def test_a_kind_that_is_ours_or_no_word_is_filed_as_http(kind: Any) -> None:
    assert failure(500, {"kind": kind}).kind == "http"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "HTTP 503"),
        (b"upstream\r\n\x1b[31mis down\x00", "HTTP 503: upstream [31mis down"),
        ({"error": "no rows"}, "HTTP 503: no rows"),
        ({"error": {"message": "no rows", "code": 5}}, "HTTP 503: no rows"),
        ({"message": "no rows"}, "HTTP 503: no rows"),
        ({"detail": "no rows"}, "HTTP 503: no rows"),
        ({"code": 5}, 'HTTP 503: {"code": 5}'),
        (b"<html><head><title>502 Bad Gateway</title></head><body>x", "HTTP 503: 502 Bad Gateway"),
        (
            b"<html><style>p{}</style><p>Down &amp; out<script>alert(1)</script><br>soon",
            "HTTP 503: Down & out soon",
        ),
        (b"1 < 2 and 3 > 2", "HTTP 503: 1 < 2 and 3 > 2"),
        (b"\x89PNG\x00\x01\xff\xfe\xfd", "HTTP 503"),
        ("é".encode("latin-1") + b"tait beau", "HTTP 503: \ufffdtait beau"),
        ({"error": "\u202eevil\u200b"}, "HTTP 503: evil"),
    ],
)
def test_the_message_is_what_a_person_can_read(body: bytes | Any, message: str) -> None:
    assert failure(503, body).message == message


def test_messages_are_cut() -> None:
    long = failure(500, {"error": "e" * 1_000_000}).message
    text = failure(500, b"t" * 1_000_000).message

    assert (len(long), long[-2:]) == (500, "e…")
    assert (len(text), text[-2:]) == (len("HTTP 500: ") + 300, "t…")


def test_hostile_markup_is_read_in_no_time() -> None:
    for body in (b"<" * 1_000_000, b"<script>" * 100_000, b"<html>" + b"<title" * 100_000):
        assert len(failure(500, body).message) <= 500


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("120", 120.0),
        (" 1.5 ", 1.5),
        ("0", 0.0),
        ("99999999", MAX_RETRY_AFTER_S),
        ("Mon, 23 Nov 2026 02:16:30 GMT", 90.0),
        ("Mon, 23 Nov 2026 03:16:30 +0100", 90.0),
        ("Monday, 23-Nov-26 02:16:30 GMT", 90.0),
        ("Mon, 23 Nov 2020 02:16:30 GMT", 0.0),
        ("Mon, 23 Nov 2099 02:16:30 GMT", MAX_RETRY_AFTER_S),
        ("-5", None),
        ("soon", None),
        ("1e3", None),
        ("٣", None),
        ("9" * 400, None),
        ("Mon, 99 Nov 2026 99:99:99 GMT", None),
        ("", None),
    ],
)
def test_retry_after_in_seconds_or_as_a_date(header: str, wait_s: float | None) -> None:
    assert failed(503, Retry_After=header).retry_after_s == wait_s
    assert failed(503, retry_after=header).retry_after_s == wait_s


def test_without_a_clock_a_date_is_no_wait() -> None:
    headers = {"Retry-After": "Mon, 23 Nov 2026 02:16:30 GMT"}

    assert read_reply(503, headers, b"").retry_after_s is None


def test_the_header_goes_before_the_body() -> None:
    assert failed(429, {"retry_after": 7}, Retry_After="60").retry_after_s == 60.0
    assert failed(429, {"retry_after": 7}, Retry_After="soon").retry_after_s == 7.0
    assert failed(429, {"error": {"retry_after": 7.5}}).retry_after_s == 7.5
    assert failed(429, {"retry_after": 1e9}).retry_after_s == MAX_RETRY_AFTER_S
    values: list[Any] = [-1, True, "7", [], None]
    for nonsense in values:
        assert failed(429, {"retry_after": nonsense}).retry_after_s is None


def test_the_clock_may_be_in_any_zone() -> None:
    paris = NOW.astimezone(timezone(timedelta(hours=1)))
    headers = {"Retry-After": "Mon, 23 Nov 2026 02:16:30 GMT"}

    assert read_reply(503, headers, b"", now=paris).retry_after_s == 90.0


@pytest.mark.parametrize("status", [-1, 0, 100, 103, 199, 600, 999])
def test_a_status_that_is_none_breaks_the_contract(status: int) -> None:
    assert failure(status, {"retryable": True}) == Failure(
        "bad_response", f"status {status} is no answer"
    )


@pytest.mark.parametrize("status", [300, 301, 304, 399])
def test_a_redirect_stays_whatever_it_says(status: int) -> None:
    found = failure(status, {"retryable": True}, Location="https://u:p@new.example:81/x?y#z")

    assert (found.kind, found.retryable) == ("redirect", False)
    assert found.message == (
        f"HTTP {status} redirects to https://new.example:81/x; redirects are not followed: "
        "write url: https://new.example:81/x and its query"
    )
