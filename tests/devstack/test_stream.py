"""One subscription's stream: what breaks is told once and opened again; what fails comes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from google.api_core import exceptions
from google.pubsub_v1.types import PubsubMessage, ReceivedMessage, StreamingPullResponse

from fanfold.devstack import stream as module
from fanfold.devstack.stream import SubscriptionStream

AWAY: Exception = exceptions.ServiceUnavailable("no emulator")  # type: ignore[no-untyped-call]
GONE: Exception = exceptions.NotFound("no subscription")  # type: ignore[no-untyped-call]

PATH = "projects/p/subscriptions/collector-jobs"


def received(*ack_ids: str) -> StreamingPullResponse:
    messages = [
        ReceivedMessage(ack_id=each, message=PubsubMessage(message_id=each)) for each in ack_ids
    ]
    return StreamingPullResponse(received_messages=messages)


class Client:
    """Streams what each opening shall bring: responses, an error to raise, or a wait."""

    def __init__(self, *openings: Sequence[Any]) -> None:
        self.openings = list(openings)
        self.opened_at: list[float] = []
        self.first_requests: list[Any] = []
        self.halves_closed = 0

    def streaming_pull(self, *, requests: Iterator[Any], retry: None, timeout: None) -> Any:
        assert (retry, timeout) == (None, None)
        self.opened_at.append(time.monotonic())
        self.first_requests.append(next(requests))
        for step in self.openings.pop(0) if self.openings else [None]:
            if isinstance(step, Exception):
                raise step
            if step is not None:
                yield step
                continue
            for _ in requests:  # ends when our half is closed
                pass
            self.halves_closed += 1


class Reader:
    """A stream under test, with what it told and settled."""

    def __init__(self, client: Client, deliver: Callable[[Any], int | None]) -> None:
        self.told: list[str] = []
        self.settled: list[tuple[list[str], int | None]] = []
        self.client = client
        self.stream = SubscriptionStream(
            client,
            PATH,
            deliver,
            lambda ack_ids, wait_s: self.settled.append((list(ack_ids), wait_s)),
            concurrency=2,
            lease_s=60,
            on_trouble=self.told.append,
        )
        self.stream.start()

    def until(self, happened: Callable[[], object]) -> None:
        end = time.monotonic() + 10
        while not happened():
            assert time.monotonic() < end, (self.told, self.settled)
            time.sleep(0.005)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Reader]]:
    monkeypatch.setattr(module, "REOPEN_AFTER_S", 0.05)
    readers: list[Reader] = []

    def make(
        *openings: Sequence[Any], deliver: Callable[[Any], int | None] = lambda _: None
    ) -> Reader:
        readers.append(Reader(Client(*openings), deliver))
        return readers[-1]

    yield make
    for reader in readers:
        reader.stream.close()
        reader.stream.drain(1)


def test_the_first_request_names_subscription_and_lease(read: Callable[..., Reader]) -> None:
    reader = read([None])
    reader.until(lambda: reader.client.first_requests)

    (request,) = reader.client.first_requests
    assert request.subscription == PATH
    assert request.stream_ack_deadline_seconds == 60


def test_every_message_of_a_response_is_worked_on_and_settled(read: Callable[..., Reader]) -> None:
    waits = {"a": None, "b": 7, "c": 0}
    reader = read(
        [received("a", "b"), received("c"), None], deliver=lambda each: waits[each.ack_id]
    )
    reader.until(lambda: len(reader.settled) == 3)

    assert sorted(reader.settled) == [(["a"], None), (["b"], 7), (["c"], 0)]
    assert reader.stream.in_hand() == []
    assert reader.told == []


def test_a_broken_stream_is_told_once_and_opened_again_after_a_pause(
    read: Callable[..., Reader],
) -> None:
    reader = read([AWAY], [AWAY], [AWAY], [received("a"), None])
    reader.until(lambda: reader.settled)

    assert reader.told == [f"{PATH}: the stream broke (ServiceUnavailable)"]
    assert len(reader.client.opened_at) == 4
    pauses = [
        later - earlier
        for earlier, later in zip(
            reader.client.opened_at, reader.client.opened_at[1:], strict=False
        )
    ]
    assert all(pause >= 0.05 for pause in pauses)


def test_a_stream_that_breaks_again_after_it_worked_is_told_again(
    read: Callable[..., Reader],
) -> None:
    reader = read([AWAY], [received("a"), GONE], [received("b"), None])
    reader.until(lambda: len(reader.settled) == 2)

    assert reader.told == [
        f"{PATH}: the stream broke (ServiceUnavailable)",
        f"{PATH}: the stream broke (NotFound)",
    ]


def test_a_stream_that_just_ends_is_opened_again_without_a_word(
    read: Callable[..., Reader],
) -> None:
    reader = read([received("a")], [received("b"), None])
    reader.until(lambda: len(reader.settled) == 2)

    assert reader.told == []


def test_an_error_that_nobody_expects_ends_no_reader(read: Callable[..., Reader]) -> None:
    reader = read([ValueError("garbage")], [received("a"), None])
    reader.until(lambda: reader.settled)

    assert reader.told == [f"{PATH}: the stream broke (ValueError)"]


def test_a_bug_with_one_message_is_told_and_brings_it_back(read: Callable[..., Reader]) -> None:
    def deliver(each: Any) -> None:
        if each.ack_id == "a":
            raise ZeroDivisionError("by zero")

    reader = read([received("a", "b"), None], deliver=deliver)
    reader.until(lambda: len(reader.settled) == 2)

    assert sorted(reader.settled, key=str) == [(["a"], 60), (["b"], None)]
    assert reader.told == [f"{PATH}: a bug in the bridge: ZeroDivisionError: by zero"]


def test_what_is_worked_on_is_in_hand_and_left_to_the_caller_at_the_end(
    read: Callable[..., Reader],
) -> None:
    go_on = threading.Event()
    begun = threading.Semaphore(0)

    def deliver(_: Any) -> None:
        begun.release()
        go_on.wait(10)

    reader = read([received("a", "b", "c"), None], deliver=deliver)
    assert begun.acquire(timeout=10)
    assert begun.acquire(timeout=10)
    reader.until(lambda: len(reader.stream.in_hand()) == 3)
    assert not begun.acquire(timeout=0.2)  # two at a time

    reader.stream.close()
    assert reader.stream.drain(0.2) == ["a", "b", "c"]
    assert reader.settled == []
    go_on.set()


def test_a_closed_stream_ends_our_half_of_it_and_its_threads(read: Callable[..., Reader]) -> None:
    before = threading.active_count()
    reader = read([received("a"), None])
    reader.until(lambda: reader.settled)

    reader.stream.close()
    assert reader.stream.drain(5) == []
    reader.until(lambda: threading.active_count() == before)
    assert reader.client.halves_closed == 1
    assert len(reader.client.opened_at) == 1
    assert reader.told == []
