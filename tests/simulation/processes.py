"""Processes that run step by step: at any call of a port one may die, fail, or lie still."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

from fanfold.domain.model.errors import StoreUnavailable


class Killed(BaseException):
    """This delivery's process is gone."""


class Process:
    """One delivery in a thread of its own, which runs only between :meth:`step` and a pause."""

    here = threading.local()

    def __init__(self, work: Callable[[], None], on_end: Callable[[str], None]) -> None:
        self.ended = False
        self._work = work
        self._on_end = on_end
        self._go = threading.Semaphore(0)
        self._paused = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def step(self) -> None:
        """Let it run to its next pause, or to its end."""
        self._go.release()
        self._paused.acquire()

    def pause(self) -> None:
        """Wait, in its own thread, until it is its turn again."""
        self._paused.release()
        self._go.acquire()

    def _live(self) -> None:
        self.here.process = self
        self._go.acquire()
        how = "acknowledged"
        try:
            self._work()
        except Killed:
            how = "killed"
        except Exception as exc:  # noqa: BLE001 - as every host does: it comes back
            how = f"came back: {exc!r}"
        self.ended = True
        self._on_end(how)
        self._paused.release()


class Chance(Protocol):
    """What may happen at a step."""

    def draw_fault(self) -> str:
        """Return ``dies`` or ``fails``, and ``before`` or ``after`` the call; empty for none."""
        ...

    def sleep(self, process: Process) -> None:
        """Let *process* lie still, or go on."""
        ...


class Stepped:
    """A port whose every call is a step, at which *chance* decides what happens."""

    def __init__(self, port: Any, chance: Chance) -> None:
        self._port = port
        self._chance = chance

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._port, name)
        if not callable(real):
            return real

        def call(*args: Any, **kwargs: Any) -> Any:
            process: Process | None = getattr(Process.here, "process", None)
            if process is None:
                return real(*args, **kwargs)
            process.pause()
            fault = self._chance.draw_fault()
            if fault == "dies before":
                raise Killed
            if fault == "fails before":
                raise StoreUnavailable("not now")
            result = real(*args, **kwargs)
            if fault == "dies after":
                raise Killed
            if fault == "fails after":
                raise StoreUnavailable("done, but nobody was told")
            if name == "claim":
                self._chance.sleep(process)
            return result

        return call
