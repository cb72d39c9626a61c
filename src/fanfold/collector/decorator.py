"""The decorator that makes a function of one call an HTTP function and a WSGI application."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from http.client import responses
from typing import Any, Protocol, overload

from fanfold.collector.request import read_body, within_limit
from fanfold.collector.service import Collect, Health, HttpAnswer, Service


class Collector(Protocol):
    """What the decorator returns: a plain function, whose arguments say who calls."""

    @overload
    def __call__(self, request: Any, /) -> Any: ...

    @overload
    def __call__(
        self, environ: Mapping[str, Any], start_response: Callable[..., Any], /
    ) -> Iterable[bytes]: ...


@overload
def collector(collect: Collect, /) -> Collector: ...


@overload
def collector(
    *, name: str | None = None, health: Health | None = None
) -> Callable[[Collect], Collector]: ...


def collector(
    collect: Collect | None = None,
    /,
    *,
    name: str | None = None,
    health: Health | None = None,
) -> Collector | Callable[[Collect], Collector]:
    """Return *collect* as an HTTP function of functions-framework, and as a WSGI application.

    With one argument, a Flask request, it returns what Flask makes an answer of; with two, it is
    WSGI. ``__wrapped__`` is *collect* itself.

    Args:
        collect: Gets a :class:`~fanfold.collector.call.Call`, and returns ``call.found(...)``,
            ``call.unchanged()`` or ``call.later(...)``.
        name: Its name in answers to a GET, and in the log if a call brings none; as a rule that of
            the function.
        health: What a GET answers beside the name. It asks nothing of the source.

    Raises:
        TypeError: *collect* is ``async def``: a collector is called in a thread of its own.
    """

    def made(collect: Collect) -> Collector:
        if inspect.iscoroutinefunction(collect):
            raise TypeError("a collector is a plain function: write def, not async def")
        own_name = str(getattr(collect, "__name__", "collector"))
        service = Service(collect, name or own_name, health)

        # functions-framework takes nothing but a function, so this is no object with __call__.
        @functools.wraps(collect)
        def served(*arguments: Any) -> Any:
            if len(arguments) == 1:
                return _of_flask(service, arguments[0])
            return _of_wsgi(service, *arguments)

        return served

    return made if collect is None else made(collect)


def _of_flask(service: Service, request: Any) -> tuple[bytes, int, dict[str, str]]:
    answer = service.respond(request.environ, lambda: within_limit(request.get_data()))
    return answer.body, answer.status, dict(answer.headers)


def _of_wsgi(
    service: Service, environ: Mapping[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    answer: HttpAnswer = service.respond(environ, lambda: read_body(environ))
    status = f"{answer.status} {responses.get(answer.status, '')}"
    start_response(status, list(answer.headers.items()))
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]
