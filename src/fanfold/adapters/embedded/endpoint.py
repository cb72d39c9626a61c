"""The embedded host's HTTP endpoint: callbacks of collectors, run requests, health, metrics.

What else is asked for is the site's: the console's pages, where there is one.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from fanfold.domain.model.errors import NotConfigured

#: Longest body that is read, in bytes.
MAX_BODY_BYTES = 1024 * 1024

#: Most callbacks that are taken at once: a thread stays free for health while they wait for the
#: file.
CALLBACKS_AT_ONCE = 3

#: Most requests that the site answers at once, and how long another one waits for its turn, in
#: seconds: threads stay free for callbacks and health.
SITE_AT_ONCE, SITE_PATIENCE_S = 4, 1.0

#: From path, Authorization header, body and traceparent to HTTP status and JSON answer.
Callback = Callable[[str, str, bytes, str], tuple[int, Mapping[str, Any]]]

#: The host's state, for people and probes: from the Authorization header to HTTP status and JSON
#: answer.
Health = Callable[[str], tuple[int, Mapping[str, Any]]]

#: A WSGI application.
Site = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]

#: The metrics' page: HTTP status, content type and body.
Metrics = Callable[[], tuple[int, str, bytes]]

#: What a Content-Length is: ASCII digits, and no others of Unicode's.
_LENGTH = re.compile(r"[0-9]+", re.ASCII)

#: The headers of a POST that are passed on.
_PASSED = ("AUTHORIZATION", "TRACEPARENT")

_REASONS = {
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    503: "Service Unavailable",
}


def application(
    callback: Callback, health: Health, metrics: Metrics | None = None, site: Site | None = None
) -> Callable[..., Iterable[bytes]]:
    """Return the WSGI application: ``POST /callback/…`` and others, ``GET /healthz``, ``/metrics``.

    *callback* is given every POST, with its path. Where there is a *site*, it is given every
    request that is neither for those nor a ``POST /runs``.
    """
    places = threading.BoundedSemaphore(CALLBACKS_AT_ONCE)
    seats = threading.BoundedSemaphore(SITE_AT_ONCE)

    def take(
        path: str, authorization: str, body: bytes, traceparent: str
    ) -> tuple[int, Mapping[str, Any]]:
        if not places.acquire(blocking=False):
            return 503, {"error": "try again: too many callbacks at once"}
        try:
            return callback(path, authorization, body, traceparent)
        finally:
            places.release()

    def shown(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        assert site is not None  # noqa: S101 - asked by the caller
        if not seats.acquire(timeout=SITE_PATIENCE_S):
            return _answered(start_response, 503, {"error": "try again: too many pages at once"})
        try:
            return site(environ, start_response)
        finally:
            seats.release()

    def respond(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if site is not None and not _is_ours(environ):
            return shown(environ, start_response)
        if environ.get("PATH_INFO") == "/metrics" and metrics and _is_a_look(environ):
            status, kind, body = metrics()
            return _sent(start_response, status, kind, body)
        return _answered(start_response, *_route(environ, take, health))

    return respond


def _answered(
    start_response: StartResponse, status: int, answer: Mapping[str, Any]
) -> Iterable[bytes]:
    return _sent(start_response, status, "application/json", json.dumps(answer).encode() + b"\n")


def _sent(start_response: StartResponse, status: int, kind: str, body: bytes) -> Iterable[bytes]:
    start_response(
        f"{status} {_REASONS.get(status, '')}",
        [("Content-Type", kind), ("Content-Length", str(len(body)))],
    )
    return [body]


def _is_ours(environ: WSGIEnvironment) -> bool:
    """Return whether a request is answered here, and not by the site."""
    path = environ.get("PATH_INFO", "")
    if path == "/runs":
        return not _is_a_look(environ)
    return path in ("/healthz", "/metrics") or path.startswith("/callback/")


def _is_a_look(environ: WSGIEnvironment) -> bool:
    return environ["REQUEST_METHOD"] in ("GET", "HEAD")


def _route(
    environ: WSGIEnvironment, callback: Callback, health: Health
) -> tuple[int, Mapping[str, Any]]:
    path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
    if path == "/healthz":
        authorization = environ.get("HTTP_AUTHORIZATION", "")
        return health(authorization) if _is_a_look(environ) else (405, {"error": "GET only"})
    if method != "POST":
        is_posted = path == "/runs" or path.startswith("/callback/")
        return 405 if is_posted else 404, {"error": "POST /callback/RUN/NAME or /runs"}
    length = environ.get("CONTENT_LENGTH") or "0"
    if not _LENGTH.fullmatch(length):
        return 400, {"error": "Content-Length is no length in bytes"}
    # Cut before it is a number: one of 5,000 digits is none that Python reads.
    if len(length) > 9 or int(length) > MAX_BODY_BYTES:
        return 413, {"error": f"the body is over {MAX_BODY_BYTES} bytes"}
    body = environ["wsgi.input"].read(int(length))
    authorization, trace = (environ.get(f"HTTP_{name}", "") for name in _PASSED)
    return callback(path, authorization, body, trace)


class Endpoint:
    """The application, served on *host* and *port* (0: any free one) by its own threads.

    Raises:
        NotConfigured: waitress is missing, or *host* names more than one address.
        OSError: The port is taken, or *host* is no address of this machine.
    """

    def __init__(
        self,
        app: Site,
        host: str,
        port: int,
        *,
        connections: int | None = None,
    ) -> None:
        try:
            # Only who serves needs waitress: a base install has none.
            from fanfold.adapters.embedded import http_server  # noqa: PLC0415
        except ImportError as exc:
            raise NotConfigured('serving HTTP needs waitress: pip install "fanfold[cli]"') from exc
        self._server = http_server.make_server(
            app,
            host,
            port,
            max_body_bytes=MAX_BODY_BYTES,
            connections=min(connections or http_server.CONNECTIONS, http_server.CONNECTIONS),
        )
        self.port = int(self._server.effective_port)
        # A request that waits for a thread is no news.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._thread = threading.Thread(
            target=self._server.run, name="fanfold-endpoint", daemon=True
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Answer no more."""
        if self._thread.is_alive():
            self._server.end()
            self._thread.join(timeout=5)
        self._server.close()
