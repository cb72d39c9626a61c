"""One subscription's stream of messages, and the workers that take them one by one.

The raw streaming pull, without the official client's machinery: leases and settling are the
bridge's own. A stream is ended by closing our half of it; to a *cancelled* stream the emulator
goes on delivering, and what it delivered there is lost until the lease runs out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from google.pubsub_v1.types import ReceivedMessage, StreamingPullRequest

from fanfold.domain.model.errors import words_of

#: A message under lease, as the stream brings it.
Received = ReceivedMessage

#: Pause before a stream that broke is opened again, in seconds.
REOPEN_AFTER_S = 0.5


class SubscriptionStream:
    """Reads the subscription at *path* and has *deliver* work on its messages.

    Args:
        client: A subscriber client.
        path: The subscription's full name.
        deliver: Works on one message; returns None to acknowledge it, or the wait until it shall
            come back, in seconds.
        settle: Does so, for messages by their ack ids.
        concurrency: Most messages worked on at a time; others wait here, under lease.
        lease_s: Ack deadline of this stream's messages, in seconds.
        on_trouble: Told in a sentence when the stream breaks.
    """

    def __init__(
        self,
        client: Any,
        path: str,
        deliver: Callable[[Received], int | None],
        settle: Callable[[Sequence[str], int | None], None],
        *,
        concurrency: int,
        lease_s: int,
        on_trouble: Callable[[str], None],
    ) -> None:
        self.client = client
        self.path = path
        self.deliver = deliver
        self.settle = settle
        self.lease_s = lease_s
        self.on_trouble = on_trouble
        self._closing = threading.Event()
        self._in_hand: set[str] = set()
        self._lock = threading.Lock()
        name = path.rpartition("/")[2]
        self._workers = ThreadPoolExecutor(concurrency, thread_name_prefix=f"bridge-{name}")
        self._reader = threading.Thread(target=self._read, name=f"bridge-{name}", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._reader.start()

    def in_hand(self) -> Sequence[str]:
        """Return the ack ids of the messages that are not settled."""
        with self._lock:
            return sorted(self._in_hand)

    def close(self) -> None:
        """Read no more."""
        self._closing.set()

    def drain(self, grace_s: float) -> Sequence[str]:
        """Wait up to *grace_s* seconds for what is worked on; return the ack ids that are left."""
        self._reader.join(timeout=grace_s)
        self._workers.shutdown(wait=False, cancel_futures=True)
        workers = threading.Thread(target=self._workers.shutdown, daemon=True)
        workers.start()
        workers.join(timeout=grace_s)
        return self.in_hand()

    def _read(self) -> None:
        is_broken = False
        while not self._closing.is_set():
            try:
                for response in self._stream():
                    is_broken = False
                    for received in response.received_messages:
                        self._take(received)
            except Exception as exc:  # noqa: BLE001 - a reader that ended would deliver nothing more
                if not is_broken and not self._closing.is_set():
                    self.on_trouble(f"{self.path}: the stream broke ({type(exc).__name__})")
                is_broken = True
            self._closing.wait(REOPEN_AFTER_S)

    def _stream(self) -> Any:
        ended = threading.Event()

        def requests() -> Iterator[StreamingPullRequest]:
            yield StreamingPullRequest(
                subscription=self.path, stream_ack_deadline_seconds=self.lease_s
            )
            while not ended.is_set() and not self._closing.wait(REOPEN_AFTER_S):
                pass

        try:
            yield from self.client.streaming_pull(requests=requests(), retry=None, timeout=None)
        finally:
            ended.set()

    def _take(self, received: Received) -> None:
        with self._lock:
            self._in_hand.add(received.ack_id)
        if not self._closing.is_set():
            self._workers.submit(self._work, received)

    def _work(self, received: Received) -> None:
        wait_s: int | None = self.lease_s
        try:
            wait_s = self.deliver(received)
        except Exception as exc:  # noqa: BLE001 - one message must not end the worker in silence
            self.on_trouble(f"{self.path}: a bug in the bridge: {words_of(exc)}")
        # Out of hand first: a renewal after the settling would undo it.
        with self._lock:
            self._in_hand.discard(received.ack_id)
        self.settle([received.ack_id], wait_s)
