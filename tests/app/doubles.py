"""Small doubles around real ports: they record, fail once, or let something happen in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fanfold.domain.model.errors import StoreUnavailable


class Died(BaseException):
    """This process is gone: nothing below the test catches it."""


class Around:
    """A port whose named methods do something before or after the real one, each time or once."""

    def __init__(self, port: Any) -> None:
        self._port = port
        self._before: dict[str, list[Callable[[], None]]] = {}
        self._after: dict[str, list[Callable[[], None]]] = {}
        self.called: list[str] = []

    def once_before(self, method: str, happen: Callable[[], None]) -> None:
        self._before.setdefault(method, []).append(happen)

    def once_after(self, method: str, happen: Callable[[], None]) -> None:
        self._after.setdefault(method, []).append(happen)

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._port, name)
        if not callable(real):
            return real

        def call(*args: Any, **kwargs: Any) -> Any:
            self.called.append(name)
            if self._before.get(name):
                self._before[name].pop(0)()
            result = real(*args, **kwargs)
            if self._after.get(name):
                self._after[name].pop(0)()
            return result

        return call


class Ports:
    """Puts an :class:`Around` about each port of a world; pass :meth:`wrap` to it."""

    def __init__(self) -> None:
        self.around: dict[str, Around] = {}

    def wrap(self, name: str, port: Any) -> Any:
        self.around[name] = Around(port)
        return self.around[name]

    def __getitem__(self, name: str) -> Around:
        return self.around[name]


def unavailable() -> None:
    raise StoreUnavailable("not now")


def died() -> None:
    raise Died


class Fuse:
    """Counts the calls of all the ports that it is put about, and fails the one it is set to.

    Args:
        fail: Raises the failure.
        at: Which call fails, counted from 1; 0 lets all of them through.
        after: Whether it fails after the real call took effect, or instead of it.
    """

    def __init__(
        self, fail: Callable[[], None] = died, at: int = 0, *, after: bool = False
    ) -> None:
        self.fail = fail
        self.at = at
        self.after = after
        self.calls: list[str] = []

    def wrap(self, name: str, port: Any) -> Any:
        return _Fused(self, name, port)

    def blow(self, *, after: bool) -> None:
        if len(self.calls) == self.at and after is self.after:
            self.fail()


class _Fused:
    def __init__(self, fuse: Fuse, name: str, port: Any) -> None:
        self._fuse = fuse
        self._name = name
        self._port = port

    def __getattr__(self, method: str) -> Any:
        real = getattr(self._port, method)
        if not callable(real):
            return real

        def call(*args: Any, **kwargs: Any) -> Any:
            self._fuse.calls.append(f"{self._name}.{method}")
            self._fuse.blow(after=False)
            result = real(*args, **kwargs)
            self._fuse.blow(after=True)
            return result

        return call
