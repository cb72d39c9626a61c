"""Ctrl-C and SIGTERM as an event: the first asks to stop in order, the second stops at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from fanfold.cli.codes import INTERRUPTED


class Interrupt:
    """``asked`` is set at the first signal; ``by`` is which one it was."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.by: int | None = None

    def take(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal's shape
        """Take a signal. What is held is released by whoever finds this process gone."""
        if self.asked.is_set():
            os._exit(INTERRUPTED)
        self.by = number
        self.asked.set()


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
