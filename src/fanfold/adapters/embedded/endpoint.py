"""The embedded host's HTTP endpoint: callbacks of asynchronous collectors, and health."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from fanfold.domain.model.errors import NotConfigured

#: Longest body that is read, in bytes.
MAX_BODY_BYTES = 1024 * 1024

#: From path, Authorization header and body to HTTP status and JSON answer.
Callback = Callable[[str, str, bytes], tuple[int, Mapping[str, Any]]]

#: The host's state, for people and probes: HTTP status and JSON answer.
Health = Callable[[], tuple[int, Mapping[str, Any]]]

_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    503: "Service Unavailable",
}


def application(callback: Callback, health: Health) -> Callable[..., Iterable[bytes]]:
    """Return the WSGI application: ``POST /callback/RUN/COLLECTOR`` and ``GET /healthz``."""

    def respond(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status, answer = _route(environ, callback, health)
        body = json.dumps(answer).encode() + b"\n"
        start_response(
            f"{status} {_REASONS.get(status, '')}",
            [("Content-Type", "application/json"), ("Content-Length", str(len(body)))],
        )
        return [body]

    return respond


def _route(
    environ: WSGIEnvironment, callback: Callback, health: Health
) -> tuple[int, Mapping[str, Any]]:
    path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
    if path == "/healthz":
        return health() if method in ("GET", "HEAD") else (405, {"error": "GET only"})
    if method != "POST":
        return 405 if path.startswith("/callback/") else 404, {"error": "POST /callback/RUN/NAME"}
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > MAX_BODY_BYTES:
        return 413, {"error": f"the body is over {MAX_BODY_BYTES} bytes"}
    body = environ["wsgi.input"].read(int(length))
    return callback(path, environ.get("HTTP_AUTHORIZATION", ""), body)


class Endpoint:
    """The application, served on *host* and *port* (0: any free one) by its own threads.

    Raises:
        NotConfigured: waitress is missing, or *host* names more than one address.
        OSError: The port is taken, or *host* is no address of this machine.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]], host: str, port: int) -> None:
        try:
            from waitress.server import BaseWSGIServer, create_server  # noqa: PLC0415
        except ImportError as exc:
            raise NotConfigured('serving HTTP needs waitress: pip install "fanfold[cli]"') from exc
        self._sockets: dict[int, Any] = {}
        server = create_server(
            app,
            map=self._sockets,
            host="127.0.0.1" if host == "localhost" else host,
            port=port,
            threads=4,
            ident="fanfold",
            max_request_body_size=MAX_BODY_BYTES,
            channel_timeout=30,
        )
        if not isinstance(server, BaseWSGIServer):
            server.close()
            raise NotConfigured(f"{host!r} names several addresses; listen on one, e.g. 127.0.0.1")
        # Some of its attributes are not in its type stubs.
        running: Any = server
        self._server = running
        self.port = int(running.effective_port)
        # A request that waits for one of four threads is no news.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._thread = threading.Thread(target=running.run, name="fanfold-endpoint", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Answer no more."""
        if self._thread.is_alive():
            # In the thread that waits on the sockets: closed from here they would break its wait.
            self._server.trigger.pull_trigger(self._close_sockets)
            self._thread.join(timeout=5)
        else:
            self._close_sockets()
        self._server.task_dispatcher.shutdown()

    def _close_sockets(self) -> None:
        for each in list(self._sockets.values()):
            each.close()
