"""Refused callbacks and run requests: counted for health, told in the log without filling it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from fanfold.logs import Log
from fanfold.runtime.callbacks import CALLBACK_PATH

#: Where run requests are posted; everything else that is posted is a callback.
RUNS_PATH = "/runs"

#: Refused callbacks are told at most this often, in seconds.
TELL_EVERY_S = 10.0

#: From path, Authorization header, body and traceparent to HTTP status and JSON answer.
TakeCallback = Callable[[str, str, bytes, str], tuple[int, Mapping[str, Any]]]


class CountedCallbacks:
    """Passes callbacks and run requests to *take*.

    ``refused`` counts those that it answered with 400 to 499.
    """

    def __init__(self, take: TakeCallback, log: Log) -> None:
        self.take = take
        self.log = log
        self.refused = 0
        self._untold = 0
        self._told_at = float("-inf")
        self._lock = threading.Lock()

    def __call__(
        self, path: str, authorization: str, body: bytes, traceparent: str = ""
    ) -> tuple[int, Mapping[str, Any]]:
        """See :func:`fanfold.runtime.callbacks.take_callback`."""
        status, answer = self.take(path, authorization, body, traceparent)
        if 400 <= status < 500:
            is_recorded = "run_id" in answer  # and has a line of its own
            self._note(path, status, str(answer.get("error", "")), is_recorded=is_recorded)
        return status, answer

    def _note(self, path: str, status: int, why: str, *, is_recorded: bool) -> None:
        with self._lock:
            self.refused += 1
            if is_recorded:
                return
            self._untold += 1
            now = time.monotonic()
            if now - self._told_at < TELL_EVERY_S:
                return
            self._told_at, count, self._untold = now, self._untold, 0
        # A path that is none of ours is a stranger's text, and stays out of the log.
        match = CALLBACK_PATH.fullmatch(path)
        run_id, collector = match.groups() if match else (None, None)
        self.log(
            "WARNING",
            f"{'run request' if path == RUNS_PATH else 'callback'} refused: {why}",
            function="callbacks",
            http_status=status,
            run_id=run_id,
            collector=collector,
            refused=count,
        )
