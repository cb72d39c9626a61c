"""Pace, patience and the deadline: how the kit asks, whatever it asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from _kit.pace import Pace

from fanfold.collector import retry_after_s

if TYPE_CHECKING:
    from tests.examples.conftest import Answering, Asked, Load, Says

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Collect what would have been slept, in seconds, instead of sleeping it."""
    taken: list[float] = []
    monkeypatch.setattr("_kit.upstream.time.sleep", taken.append)
    return taken


def failing_first(status: int, headers: dict[str, str], *, times: int = 1) -> Answering:
    """Answer *status* a number of *times*, and then one unit."""
    answers = [(status, b"no", headers)] * times

    def answer(_asked: Asked) -> Any:
        return answers.pop() if answers else {"results": [{"siren": "1"}], "total_results": 1}

    return answer


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        pytest.param("3", 3.0, id="seconds"),
        pytest.param(format_datetime(NOW + timedelta(minutes=2)), 120.0, id="a date"),
        pytest.param(format_datetime(NOW - timedelta(minutes=2)), 0.0, id="a date in the past"),
        pytest.param("9" * 400, 86_400.0, id="for ever"),
        pytest.param("soon", None, id="a word"),
        pytest.param("-1", None, id="a negative number"),
        pytest.param("Thu, 01 Jan 2026 00:00:00", None, id="a date without its zone"),
        pytest.param(None, None, id="no header"),
    ],
)
def test_retry_after_is_read_in_both_forms_and_nothing_is_guessed(
    header: str | None, wait_s: float | None
) -> None:
    assert retry_after_s(header, now=NOW) == wait_s


def test_a_pace_spaces_requests_evenly_and_allows_no_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("_kit.pace.time.monotonic", lambda: 100.0)
    pace = Pace(5)

    assert [pace.reserve_s(within_s=9) for _ in range(4)] == pytest.approx([0.0, 0.2, 0.4, 0.6])


def test_time_that_nobody_used_is_not_saved_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 500.0, 500.0])
    monkeypatch.setattr("_kit.pace.time.monotonic", lambda: next(clock))
    pace = Pace(5)

    assert [pace.reserve_s(within_s=9) for _ in range(3)] == pytest.approx([0.0, 0.0, 0.2])


def test_a_wait_that_is_too_long_takes_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("_kit.pace.time.monotonic", lambda: 100.0)
    pace = Pace(0.5)

    assert [pace.reserve_s(within_s=limit_s) for limit_s in (1, 1, 1, 3)] == [0, None, None, 2]


def test_a_429_with_a_short_wait_is_sat_out_once(
    load: Load, upstream_says: Says, naps: list[float]
) -> None:
    double = upstream_says(failing_first(429, {"Retry-After": "3"}))

    assert load("sirene").post().json["records"] == 1
    assert len(double.asked) == 2
    assert 3.0 in naps


def test_a_second_429_is_handed_to_the_caller_with_its_wait(
    load: Load, upstream_says: Says, naps: list[float]
) -> None:
    double = upstream_says(failing_first(429, {"Retry-After": "3"}, times=2))

    response = load("sirene").post()

    assert (response.status_code, response.json["kind"]) == (503, "upstream_rate_limited")
    assert (response.json["retry_after"], response.headers["Retry-After"]) == (3, "3")
    assert len(double.asked) == 2


@pytest.mark.parametrize(
    "headers", [{"Retry-After": "120"}, {}], ids=["a long wait", "a wait nobody named"]
)
def test_a_429_is_not_sat_out_with(
    load: Load, upstream_says: Says, naps: list[float], headers: dict[str, str]
) -> None:
    double = upstream_says(failing_first(429, headers))

    response = load("sirene").post()

    assert response.status_code == 503
    assert response.json["retry_after"] == (120 if headers else None)
    assert len(double.asked) == 1


def test_a_wait_that_ends_after_the_deadline_is_not_begun(
    load: Load, upstream_says: Says, naps: list[float]
) -> None:
    double = upstream_says(failing_first(503, {"Retry-After": "4"}))

    response = load("sirene").post(deadline=in_seconds(2))

    assert (response.status_code, response.json["kind"]) == (503, "upstream_unavailable")
    assert len(double.asked) == 1
    assert 4.0 not in naps


@pytest.mark.parametrize("status", [502, 503])
def test_a_passing_failure_is_tried_once_more(
    load: Load, upstream_says: Says, naps: list[float], status: int
) -> None:
    upstream_says(failing_first(status, {}))

    assert load("sirene").post().json["records"] == 1
    assert 1.0 in naps


@pytest.mark.parametrize("status", [500, 504])
def test_a_failure_that_seldom_passes_is_left_to_the_next_attempt(
    load: Load, upstream_says: Says, naps: list[float], status: int
) -> None:
    double = upstream_says(failing_first(status, {}))

    response = load("sirene").post()

    assert (response.status_code, response.json["retryable"]) == (503, True)
    assert len(double.asked) == 1


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 414])
def test_a_refusal_is_not_tried_again(
    load: Load, upstream_says: Says, naps: list[float], status: int
) -> None:
    double = upstream_says(failing_first(status, {}, times=9))

    response = load("sirene").post()

    assert (response.status_code, response.json["retryable"]) == (424, False)
    assert str(status) in response.json["error"]
    assert len(double.asked) == 1


@pytest.mark.parametrize("name", ["dvf", "sirene", "insee_contours", "plu"])
def test_nothing_is_asked_once_the_deadline_has_come(
    load: Load, upstream_says: Says, name: str
) -> None:
    double = upstream_says(lambda _asked: {})

    response = load(name).post(deadline=in_seconds(-1))

    assert (response.status_code, response.json["kind"]) == (504, "deadline")
    assert double.asked == []


def test_the_deadline_may_come_in_the_header(load: Load, upstream_says: Says) -> None:
    upstream_says(lambda _asked: {})

    response = load("dvf").client.post("/", headers={"X-Fanfold-Deadline": in_seconds(-1)})

    assert response.status_code == 504


def test_a_request_that_the_pace_puts_after_the_deadline_is_not_sent(
    load: Load, upstream_says: Says
) -> None:
    double = upstream_says(lambda _asked: {"results": [{"siren": "1"}], "total_results": 9999})
    double.requests_per_second = 0.5

    response = load("sirene").post(deadline=in_seconds(1))

    assert (response.status_code, response.json["kind"]) == (504, "deadline")
    assert len(double.asked) == 1


def test_an_answer_without_end_is_not_read_without_end(
    load: Load, upstream_says: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("_kit.upstream.MAX_ANSWER_BYTES", 1000)
    upstream_says(lambda _asked: (200, b"x" * 100_000, {}))

    response = load("sirene").post()

    assert (response.status_code, response.json["kind"]) == (424, "truncated")
