"""How fast to ask."""

from __future__ import annotations

import threading
import time


class Pace:
    """Spaces requests evenly: at most *requests_per_second*, with no burst.

    No burst, because the limits of these APIs count per address, and on a public cloud
    the address is shared with strangers. Safe to share between threads.
    """

    def __init__(self, requests_per_second: float) -> None:
        self._interval_s = 1 / requests_per_second
        self._lock = threading.Lock()
        self._next_free_s = 0.0

    def reserve_s(self, *, within_s: float) -> float | None:
        """Return how long to wait before sending, in seconds, and take that place.

        A wait of *within_s* or more takes no place, and gives None.
        """
        with self._lock:
            now_s = time.monotonic()
            start_s = max(now_s, self._next_free_s)
            if start_s - now_s >= within_s:
                return None
            self._next_free_s = start_s + self._interval_s
            return start_s - now_s
