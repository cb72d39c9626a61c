"""A duty: something that a thread does again and again, whatever the other duties of it meet."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from fanfold.domain.model.errors import words_of

#: A duty that failed is tried again after this long, or after its own interval if that is shorter.
RETRY_S = 1.0

#: While a duty goes on failing, its trouble is told this often, in seconds.
TELL_EVERY_S = 60.0

#: Told in a sentence what does not work.
OnTrouble = Callable[[str], None]


def has_ended(thread: threading.Thread) -> bool:
    """Return whether *thread* was started and runs no more."""
    return thread.ident is not None and not thread.is_alive()


class Duty:
    """Does *action* every *every_s* seconds, by the monotonic clock; its trouble stays its own.

    Args:
        name: What it is, for the sentence that tells its trouble.
        every_s: From one beginning to the next, in seconds; 0 is at each opportunity.
        action: What is done. Whatever it raises is told, and the duty is tried again.
        on_trouble: Told of the first failure, and once a minute while it lasts.
    """

    def __init__(
        self, name: str, every_s: float, action: Callable[[], object], on_trouble: OnTrouble
    ) -> None:
        self.name = name
        self.every_s = every_s
        self.action = action
        self.on_trouble = on_trouble
        self._due_at = self._told_at = float("-inf")
        self._done_at = time.monotonic()

    def due_in_s(self) -> float:
        """Return how long until it is due, in seconds; 0 if it is."""
        return max(0.0, self._due_at - time.monotonic())

    def undone_s(self) -> float:
        """Return how long ago it was last done without trouble, or made, in seconds."""
        return time.monotonic() - self._done_at

    def do_if_due(self) -> None:
        """Do it if it is due. Nothing is raised."""
        began = time.monotonic()
        if began < self._due_at:
            return
        self._due_at = began + self.every_s
        try:
            self.action()
        except BaseException as exc:  # noqa: BLE001 - its thread has other duties
            self._due_at = time.monotonic() + min(RETRY_S, self.every_s or RETRY_S)
            self._tell(exc)
        else:
            self._done_at = time.monotonic()

    def _tell(self, exc: BaseException) -> None:
        now = time.monotonic()
        if now - self._told_at >= TELL_EVERY_S:
            self._told_at = now
            self.on_trouble(f"{self.name} failed, and is tried again: {words_of(exc)}")
