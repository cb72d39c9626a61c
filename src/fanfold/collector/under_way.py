"""The calls that this process works on, by their ``Idempotency-Key``."""

from __future__ import annotations

import threading

from fanfold.collector.failures import CollectorFailure

#: What a repeated call is asked to wait, in seconds.
RETRY_AFTER_S = 15.0


class StillWorking(CollectorFailure):
    """The same call is under way already; its answer, or this one tried later, will count."""

    status = 409
    kind = "under_way"
    retryable = True


class UnderWay:
    """A set of keys that threads may share. An empty key is never under way."""

    def __init__(self) -> None:
        self._keys: set[str] = set()
        self._lock = threading.Lock()

    def enter(self, key: str) -> None:
        """Begin the work on *key*.

        Raises:
            StillWorking: It began before, and has not ended.
        """
        with self._lock:
            if key and key in self._keys:
                raise StillWorking(
                    "this collector still works on the same call", retry_after_s=RETRY_AFTER_S
                )
            self._keys.add(key)

    def leave(self, key: str) -> None:
        """End the work on *key*."""
        with self._lock:
            self._keys.discard(key)
