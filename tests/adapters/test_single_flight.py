"""Callers that come together share one read, and each sees all that was stored before it called."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from fanfold.adapters.single_flight import SingleFlight


def test_a_shared_read_began_after_everybody_called() -> None:
    stored = 0
    reads: list[int] = []
    lock = threading.Lock()
    flights = SingleFlight[int]()

    def read() -> int:
        seen = stored
        reads.append(seen)
        time.sleep(0.01)
        return seen

    def store_and_ask(_: int) -> bool:
        nonlocal stored
        with lock:
            stored += 1
            mine = stored
        return flights.ask("run", read) >= mine

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(store_and_ask, range(64)))
    assert len(reads) < 40


def test_one_read_at_a_time_for_each_key_and_keys_side_by_side() -> None:
    flights = SingleFlight[int]()
    under_way: dict[str, int] = {"a": 0, "b": 0}
    most: dict[str, int] = {"a": 0, "b": 0}
    both = threading.Barrier(2)

    def read(key: str) -> int:
        under_way[key] += 1
        most[key] = max(most[key], under_way[key])
        both.wait(5)  # breaks if the other key has to wait for this one
        under_way[key] -= 1
        return 1

    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(flights.ask, key, partial(read, key)) for key in ("a", "b")]
        assert [each.result() for each in asked] == [1, 1]
    assert most == {"a": 1, "b": 1}


def test_a_caller_lends_its_own_read() -> None:
    flights = SingleFlight[str]()

    assert [flights.ask("run", partial(str, word)) for word in ("old", "new")] == ["old", "new"]


def test_an_error_is_raised_to_all_who_waited_and_then_forgotten() -> None:
    flights = SingleFlight[int]()
    first_is_asked, go = threading.Event(), threading.Event()
    failures = 0

    def fail() -> int:
        nonlocal failures
        failures += 1
        first_is_asked.set()
        assert go.wait(5)
        raise RuntimeError("no")

    with ThreadPoolExecutor(9) as pool:
        asked = [pool.submit(flights.ask, "run", fail)]
        assert first_is_asked.wait(5)
        asked += [pool.submit(flights.ask, "run", fail) for _ in range(8)]
        time.sleep(0.1)
        go.set()
        assert [str(each.exception()) for each in asked] == ["no"] * 9
    assert failures == 2  # not one after the other: eight callers shared the second
    assert flights.ask("run", lambda: 7) == 7


def test_a_slow_read_holds_up_nobody_for_longer_than_they_said() -> None:
    flights = SingleFlight[int]()
    go = threading.Event()

    def read() -> int:
        assert go.wait(5)
        return 7

    begun = time.monotonic()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            flights.ask("run", read, timeout_s=0.05)
    assert time.monotonic() - begun < 2
    go.set()
    assert flights.ask("run", read, timeout_s=5) == 7


def test_without_room_for_a_thread_it_says_so_and_the_next_call_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flights = SingleFlight[int]()

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="new thread"):
            flights.ask("run", lambda: 7, timeout_s=5)
    assert flights.ask("run", lambda: 7, timeout_s=5) == 7


def test_nothing_is_kept_of_keys_that_nobody_asks_about() -> None:
    flights = SingleFlight[int]()
    for number in range(1000):
        flights.ask(number, lambda: 1)

    assert flights._next == flights._begun == {}
