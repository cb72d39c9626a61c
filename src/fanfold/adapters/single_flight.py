"""A question that many ask at once is asked once: what a group commit is to writes."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition, Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """Asks *question* one at a time; an answer serves all who came before it was asked.

    So each caller gets an answer that was begun after its call, and sees all that was stored
    before. What the question raises is raised to the one caller that asked it; the others ask
    again.
    """

    def __init__(self, question: Callable[[], T]) -> None:
        self._question = question
        self._changed = Condition()
        self._begun = 0
        self._known = 0
        self._asking = False
        self._answer: T | None = None

    def ask(self) -> T:
        """Return an answer to the question as it stands now, or later."""
        with self._changed:
            wanted = self._begun + 1
            while self._known < wanted:
                if not self._asking:
                    return self._lead()
                self._changed.wait()
            answer: T = self._answer  # type: ignore[assignment]
            return answer

    def _lead(self) -> T:
        """Ask, with the lock let go of, for everybody who waits by now."""
        self._asking = True
        self._begun += 1
        mine = self._begun
        self._changed.release()
        try:
            answer = self._question()
        except BaseException:
            self._changed.acquire()
            self._asking = False
            self._changed.notify_all()
            raise
        self._changed.acquire()
        self._asking = False
        self._known, self._answer = mine, answer
        self._changed.notify_all()
        return answer


class SingleFlight(Generic[T]):
    """One :class:`Shared` for each key, for the keys asked about lately."""

    def __init__(self, kept: int = 64) -> None:
        self._kept = kept
        self._lock = Lock()
        self._shared: dict[str, Shared[T]] = {}

    def ask(self, key: str, question: Callable[[], T]) -> T:
        """Return an answer to *question*, the same for everybody who asks with this *key*."""
        with self._lock:
            if key not in self._shared:
                # A key that is dropped while somebody waits is asked twice: no harm.
                while len(self._shared) >= self._kept:
                    del self._shared[next(iter(self._shared))]
                self._shared[key] = Shared(question)
            shared = self._shared[key]
        return shared.ask()
