"""The emulators' Cloud Scheduler goes on whatever happens, and says what did not go."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime

import pytest
from tests.support import catalogue, collector

from fanfold.devstack import ticks as module
from fanfold.devstack.ticks import Ticks
from fanfold.domain.model.errors import BusUnavailable
from fanfold.messages.topology import RUN_REQUESTS, SWEEP_TICKS
from fanfold.ports.bus import Message

EACH_MINUTE = catalogue(collector("dvf", cron="* * * * *"))


class Recorded:
    """A bus that keeps what is published, or does what it is told to instead."""

    def __init__(self, instead: Callable[[int], None] = lambda _: None) -> None:
        self.published: list[str] = []
        self.asked = 0
        self.instead = instead

    def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        self.asked += 1
        self.instead(self.asked)
        self.published += [topic] * len(messages)
        return ["1"] * len(messages)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.01)


def until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.005)


def run(bus: Recorded, said: list[str], condition: Callable[[], bool], every_s: float) -> None:
    ticks = Ticks(bus, lambda: EACH_MINUTE, sweep_every_s=every_s, say=said.append)
    ticks.start()
    until(condition)
    ticks.stop()
    assert not any(each.name == "ticks" for each in threading.enumerate())


def test_the_first_sweep_comes_at_once_and_the_next_after_its_time() -> None:
    bus, said = Recorded(), list[str]()
    begun = time.monotonic()
    run(bus, said, lambda: bus.published.count(SWEEP_TICKS) == 3, 0.2)
    assert time.monotonic() - begun >= 0.4
    assert said == []


def test_what_could_not_be_published_is_told_and_published_at_the_next_look() -> None:
    def fail_twice(number: int) -> None:
        if number == 1:
            raise BusUnavailable("the emulator is away")
        if number == 2:
            raise RuntimeError("a bug")

    bus, said = Recorded(fail_twice), list[str]()
    run(bus, said, lambda: SWEEP_TICKS in bus.published, 3600.0)
    assert said[0] == "the timer goes on, but: the emulator is away"
    assert said[1].startswith("the timer goes on, but: ")
    assert "a bug" in said[1]
    assert len(said) == 2


def test_a_failure_that_comes_of_the_end_is_not_told() -> None:
    said: list[str] = []
    stopping = threading.Event()

    def fail_at_the_end(_: int) -> None:
        stopping.wait()
        raise BusUnavailable("closed")

    bus = Recorded(fail_at_the_end)
    ticks = Ticks(bus, lambda: EACH_MINUTE, sweep_every_s=1, say=said.append)
    ticks.start()
    until(lambda: bus.asked == 1)
    ticks._stopping.set()
    stopping.set()
    ticks.stop()
    assert said == []


def test_a_slot_is_asked_for_once_when_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[bool, datetime]] = []

    def slots(_: object, since: datetime, now: datetime) -> dict[datetime, str]:
        asked.append((bool(asked) and asked[-1][1] == since, now))
        return {now: "* * * * *"} if len(asked) == 2 else {}

    monkeypatch.setattr(module, "slots_to_start", slots)
    bus, said = Recorded(), list[str]()
    run(bus, said, lambda: len(asked) >= 4, 3600.0)
    assert bus.published.count(RUN_REQUESTS) == 1
    # Each look begins where the one before ended, so that no slot is passed over.
    assert all(follows for follows, _ in asked[1:])
