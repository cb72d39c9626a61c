"""Single flight: concurrent callers share one read that began after they called."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait
from threading import Lock, Thread
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Makes one read at a time for each key. Safe to share between threads.

    Whoever calls while a read is under way waits for the next one, which serves everybody who
    called meanwhile. So each caller sees all that was stored before its call. An error is raised
    to everybody who waited for the read that met it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        # The read that callers may still join, and the one that has begun.
        self._next: dict[Hashable, Future[T]] = {}
        self._begun: dict[Hashable, Future[T]] = {}

    def ask(self, key: Hashable, read: Callable[[], T], *, timeout_s: float | None = None) -> T:
        """Return what a read for *key* returned that began after this call.

        Args:
            key: Callers with equal keys share their reads.
            read: Makes the read. One of those who share it lends theirs.
            timeout_s: How long to wait, in seconds. The read then has a thread of its own, which
                goes on for the callers that still wait. None waits as long as it takes.

        Raises:
            TimeoutError: It took longer than *timeout_s*.
        """
        with self._lock:
            flight = self._next.get(key)
            is_mine = flight is None
            if flight is None:
                flight = self._next[key] = Future()
            before = self._begun.get(key)
        if is_mine and timeout_s is None:
            self._fly(key, flight, before, read)
        elif is_mine:
            self._fly_apart(key, flight, before, read)
        return flight.result(None if timeout_s is None else max(timeout_s, 0.0))

    def _fly(
        self, key: Hashable, flight: Future[T], before: Future[T] | None, read: Callable[[], T]
    ) -> None:
        """Make *flight* once *before* has ended, for all who joined it until then."""
        try:
            if before is not None:
                wait([before])
            with self._lock:
                self._begun[key] = self._next.pop(key)
            flight.set_result(read())
        except BaseException as exc:  # noqa: BLE001 - it is raised where it is waited for
            flight.set_exception(exc)
        finally:
            self._forget(key, flight)

    def _fly_apart(self, key: Hashable, flight: Future[T], *rest: Any) -> None:
        try:
            Thread(
                target=self._fly, args=(key, flight, *rest), name="single-flight", daemon=True
            ).start()
        except RuntimeError as exc:  # there is no room for another thread
            self._forget(key, flight)
            flight.set_exception(exc)

    def _forget(self, key: Hashable, flight: Future[T]) -> None:
        with self._lock:
            for flights in (self._next, self._begun):
                if flights.get(key) is flight:
                    del flights[key]
