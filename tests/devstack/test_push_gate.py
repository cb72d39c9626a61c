"""The gate before a function: as many requests as the window allows, and none without a place."""

from __future__ import annotations

import threading
import time

from fanfold.devstack.push_gate import PushGate
from fanfold.domain.rules.push import Assumptions

QUICK = Assumptions(first=1, kept_after_refusal=0.0, pause_s=(0.3, 0.3), cold_start_s=0.0)


def test_the_window_grows_from_one_with_each_acknowledgement() -> None:
    gate = PushGate(QUICK, places=10)
    with gate.request() as has_place:
        assert has_place
        entered = threading.Event()

        def second() -> None:
            with gate.request():
                entered.set()

        waiting = threading.Thread(target=second)
        waiting.start()
        assert not entered.wait(0.3)
        gate.acknowledged()
        assert entered.wait(5.0)
    waiting.join()


def test_a_request_without_a_place_is_refused_after_its_wait() -> None:
    gate = PushGate(QUICK, places=1, queue_s=0.1)
    gate.window.size = 5.0
    with gate.request() as first, gate.request() as second:
        assert (first, second) == (True, False)
    with gate.request() as third:
        assert third


def test_after_a_refusal_nothing_is_pushed_for_a_moment() -> None:
    gate = PushGate(QUICK, places=1)
    gate.refused()
    start = time.monotonic()
    with gate.request() as has_place:
        assert has_place

    assert 0.25 < time.monotonic() - start < 5.0
    assert gate.refusals == 1
