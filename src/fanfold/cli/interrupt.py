"""Ctrl-C and SIGTERM as a flag: the first asks to stop in order, the second stops at once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from fanfold.cli.exit_codes import INTERRUPTED

#: How soon a signal is noticed, in seconds.
NOTICED_WITHIN_S = 0.1


class Interrupt:
    """Whether somebody asked to stop. ``by`` is the signal that did, None before.

    A plain flag and short sleeps, on purpose: a threading.Event that is set by a signal's handler
    while the same thread is about to wait on it never comes back.
    """

    def __init__(self) -> None:
        self.by: int | None = None

    def take(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal's shape
        """Take a signal. What is held is released by whoever finds this process gone."""
        if self.by is not None:
            os._exit(INTERRUPTED)
        self.by = number

    def is_set(self) -> bool:
        """Return whether somebody asked to stop."""
        return self.by is not None

    def wait(self, seconds: float | None = None) -> bool:
        """Return once somebody asked to stop, or after *seconds*; whether somebody did."""
        until = None if seconds is None else time.monotonic() + seconds
        while self.by is None:
            left = NOTICED_WITHIN_S if until is None else until - time.monotonic()
            if left <= 0:
                break
            time.sleep(min(left, NOTICED_WITHIN_S))
        return self.by is not None


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Give an Interrupt that SIGINT and SIGTERM set until the end of the block."""
    interrupt = Interrupt()
    before = {
        number: signal.signal(number, interrupt.take) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
