"""Wrong tokens: counted, told in the log without filling it, and slowed down.

Who brings the right token is never slowed, however many others guess: nobody can lock the owner
out.
"""

from __future__ import annotations

import threading
from collections import deque

from fanfold.logs import Log
from fanfold.ports.outside import Clock

#: So many wrong tokens are answered at once in :data:`WITHIN_S` seconds; after that each waits for
#: :data:`WAIT_S` seconds, one at a time, and the others are refused without a look.
QUICK, WITHIN_S, WAIT_S = 5, 60.0, 1.0

#: Wrong tokens are told at most this often, in seconds.
TELL_EVERY_S = 10.0


class Attempts:
    """Counts wrong tokens. ``refused`` is how many there were."""

    def __init__(self, clock: Clock, log: Log) -> None:
        self.clock = clock
        self.log = log
        self.refused = 0
        self._lock = threading.Lock()
        self._waiting = threading.Lock()
        self._last: deque[float] = deque(maxlen=QUICK)
        self._told_at = float("-inf")
        self._untold = 0

    def failed(self, peer: str) -> bool:
        """Count a wrong token that *peer* brought; return whether there were too many of late.

        It waits before it returns where there were some.
        """
        now = self.clock.now().timestamp()
        with self._lock:
            self.refused += 1
            self._untold += 1
            is_quick = len(self._last) < QUICK or now - self._last[0] > WITHIN_S
            self._last.append(now)
            is_told = now - self._told_at >= TELL_EVERY_S
            count = self._untold
            if is_told:
                self._told_at, self._untold = now, 0
        if is_told:
            self.log("WARNING", "console: a wrong token", peer=peer[:60], refused=count)
        if is_quick:
            return False
        if not self._waiting.acquire(blocking=False):
            return True
        try:
            self.clock.wait(WAIT_S)
        finally:
            self._waiting.release()
        return False
