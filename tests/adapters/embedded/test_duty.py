"""A duty has its own clock and its own trouble."""

from __future__ import annotations

import pytest

from fanfold.adapters.embedded import duty as module
from fanfold.adapters.embedded.duty import Duty
from fanfold.domain.model.errors import StoreUnavailable


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, as the test sets it."""
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])  # type: ignore[attr-defined]
    return now


def test_a_duty_is_done_at_once_and_then_at_its_interval(now: list[float]) -> None:
    done: list[float] = []
    duty = Duty("it", 10, lambda: done.append(now[0]), print)
    for now[0] in (1000, 1001, 1009, 1010, 1025, 1034, 1035):
        duty.do_if_due()
    assert done == [1000, 1010, 1025, 1035]
    assert duty.due_in_s() == 10


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (StoreUnavailable("locked"), "locked"),
        (ValueError("x"), "ValueError: x"),
        (SystemExit(1), "SystemExit: 1"),
    ],
)
def test_trouble_is_told_once_a_minute_and_the_duty_tried_each_second(
    now: list[float], error: BaseException, said: str
) -> None:
    told: list[tuple[float, str]] = []
    tries = [0]

    def fail() -> None:
        tries[0] += 1
        raise error

    duty = Duty("the census", 10, fail, lambda text: told.append((now[0], text)))
    for second in range(100):
        now[0] = 1000.0 + second
        duty.do_if_due()
    assert tries == [100]
    text = f"the census failed, and is tried again: {said}"
    assert told == [(1000.0, text), (1060.0, text)]
    assert duty.undone_s() == 99


def test_a_duty_that_is_always_due_waits_after_a_failure(now: list[float]) -> None:
    failing = [True]
    duty = Duty("it", 0, lambda: 1 / 0 if failing[0] else None, lambda _: None)
    duty.do_if_due()
    assert duty.due_in_s() == module.RETRY_S
    failing[0] = False
    now[0] += module.RETRY_S
    duty.do_if_due()
    assert (duty.due_in_s(), duty.undone_s()) == (0, 0)
