"""Push as it may be in production: a window that begins small, and relays that are full.

The bridge posts as many requests as the function takes, which is kinder than Google Cloud. With a
gate it keeps to :class:`fanfold.domain.rules.push.PushWindow`, and refuses what finds no place, as
Cloud Run does, so that a night can be watched under either.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from fanfold.domain.rules.push import CLOUD_RUN_QUEUE_S, Assumptions, PushWindow

#: How soon a delivery looks again whether the window's pause is over, in seconds.
LOOK_AGAIN_S = 0.1


class PushGate:
    """Lets deliveries of one subscription through. Safe to share between threads.

    Args:
        assumed: What push is taken to do.
        places: Requests that the function takes at once.
        queue_s: How long a request waits for a place before it is refused, in seconds.
    """

    def __init__(
        self, assumed: Assumptions, places: int, *, queue_s: float = CLOUD_RUN_QUEUE_S
    ) -> None:
        self.window = PushWindow(assumed)
        self.queue_s = queue_s
        self.refusals = 0
        self._in_flight = 0
        self._is_closed = False
        self._places = threading.Semaphore(places)
        self._changed = threading.Condition()

    @contextmanager
    def request(self) -> Iterator[bool]:
        """Wait for the window; give whether there was a place, or the request is refused."""
        with self._changed:
            while not (self._is_closed or self.window.takes(self._in_flight, time.monotonic())):
                self._changed.wait(LOOK_AGAIN_S)
            self._in_flight += 1
        has_place = not self._is_closed and self._places.acquire(timeout=self.queue_s)
        try:
            yield has_place
        finally:
            if has_place:
                self._places.release()
            with self._changed:
                self._in_flight -= 1

    def close(self) -> None:
        """Let nothing through any more; whoever waits is refused."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def acknowledged(self) -> None:
        """The request was acknowledged."""
        with self._changed:
            self.window.acknowledged()
            self._changed.notify_all()

    def refused(self) -> None:
        """The request was refused, or failed."""
        with self._changed:
            self.refusals += 1
            self.window.refused(time.monotonic())
            self._changed.notify_all()
