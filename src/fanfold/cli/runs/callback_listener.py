"""Takes what a collector on this machine calls back while it is probed."""

from __future__ import annotations

import queue
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: Longest body that is read, in bytes.
MAX_BODY_BYTES = 1024 * 1024


class CallbackListener(ThreadingHTTPServer):
    """An endpoint on a free port of the loopback interface. ``said`` are the bodies that came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.token = secrets.token_urlsafe(24)
        self.said: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    @property
    def callback(self) -> dict[str, str]:
        """The ``url`` and the ``token`` that a call brings."""
        return {"url": f"http://127.0.0.1:{self.server_address[1]}/callback", "token": self.token}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a collector that breaks its own connection is not worth a traceback."""


class _Taking(BaseHTTPRequestHandler):
    server: CallbackListener

    def do_POST(self) -> None:
        """Take a body that comes with the token."""
        length = self.headers.get("Content-Length", "")
        size_bytes = int(length) if length.isascii() and length.isdecimal() else -1
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if not secrets.compare_digest(given.encode(), self.server.token.encode()):
            return self._answer(401)
        if not 0 <= size_bytes <= MAX_BODY_BYTES:
            return self._answer(413)
        self.server.said.put(self.rfile.read(size_bytes))
        return self._answer(200)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def listening() -> Iterator[CallbackListener]:
    """Give a listener that takes callbacks until the end of the block."""
    with CallbackListener() as listener:
        thread = threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield listener
        finally:
            listener.shutdown()
