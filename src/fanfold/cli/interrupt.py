"""Signals as a flag: the first asks the command to stop in order, the second stops it at once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from fanfold.cli.exit_codes import INTERRUPTED

#: How soon a waiting command notices a signal, in seconds.
NOTICED_WITHIN_S = 0.1

#: The signals that ask a command to stop.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupt:
    """Whether somebody asked to stop. ``by`` is the signal that did, None before.

    A plain flag and short sleeps, on purpose: a threading.Event that a signal's handler sets while
    the same thread is about to wait on it never comes back.
    """

    def __init__(self) -> None:
        self.by: int | None = None

    def take(self, number: int, _frame: FrameType | None) -> None:
        """Note the signal *number*; the second signal ends the process.

        Leases of a process that ended so are freed by the next one that finds it gone.
        """
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
    """Give an Interrupt that SIGINT, SIGTERM and SIGHUP set until the end of the block.

    A SIGHUP that is ignored when the block begins stays ignored: that is what ``nohup`` does.
    """
    interrupt = Interrupt()
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    if before[signal.SIGHUP] is signal.SIG_IGN:
        del before[signal.SIGHUP]
    for number in before:
        signal.signal(number, interrupt.take)
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
