"""How long the bridge has a message wait that a function did not acknowledge."""

from __future__ import annotations

import random

import pytest

from fanfold.devstack import push_bridge
from fanfold.devstack.push_bridge import MAX_WAIT_S, NOBODY_BASE_S
from fanfold.devstack.push_requests import PushAnswer
from fanfold.messages.topology import COLLECTOR_JOBS, topology

JOBS = topology().subscriptions[COLLECTOR_JOBS]


@pytest.fixture(params=[0.5, 0.999])
def drawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    asked: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return float(request.param)

    monkeypatch.setattr(random, "uniform", uniform)
    return float(request.param)


def wait_s(attempt: int, status: int | None = 500, retry_after_s: float | None = None) -> int:
    return push_bridge._wait_s(JOBS, attempt, PushAnswer(status, retry_after_s))


def test_the_wait_grows_from_the_least_to_the_most_of_the_subscription(drawn: float) -> None:
    waits = [wait_s(attempt) for attempt in range(12)]
    assert waits[0] == waits[1]
    assert JOBS.min_backoff_s * 0.4 <= waits[1] <= JOBS.min_backoff_s
    assert waits == sorted(waits)
    assert waits[-1] <= min(JOBS.max_backoff_s, MAX_WAIT_S)
    assert waits[-1] >= min(JOBS.max_backoff_s, MAX_WAIT_S) * 0.49


def test_nobody_there_is_asked_again_sooner(drawn: float) -> None:
    assert wait_s(1, None) <= max(1, NOBODY_BASE_S)
    assert wait_s(1, None) <= wait_s(1, 500)


def test_what_the_function_asks_for_is_waited_in_whole_seconds() -> None:
    assert wait_s(1, 503, 2.1) == 3
    assert wait_s(9, 503, 0.0) == 0
    assert wait_s(1, 503, 1e6) == MAX_WAIT_S
