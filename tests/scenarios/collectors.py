"""Collectors that do as they are told: one HTTP server, a script for each collector's name."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Asked:
    """One request that reached a collector."""

    collector: str
    at: float
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Says:
    """What a collector answers: after *wait_s*, *status* with *body* (JSON unless bytes)."""

    body: Any = field(default_factory=lambda: {"records": 5})
    status: int = 200
    wait_s: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


Script = Callable[[Asked, int], Says]


class Collectors:
    """The server. ``script[name]`` is called with the request and how many came before it."""

    def __init__(self) -> None:
        self.script: dict[str, Script] = {}
        self.asked: list[Asked] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def url(self, name: str) -> str:
        """Return where the collector called *name* is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/{name}"

    def calls(self, name: str) -> list[Asked]:
        """Return the requests that *name* got, in order."""
        return [asked for asked in self.asked if asked.collector == name]

    def counts(self) -> Counter[str]:
        """Return how many requests each collector got."""
        return Counter(asked.collector for asked in self.asked)

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, asked: Asked) -> Says:
        with self._lock:
            before = len(self.calls(asked.collector))
            self.asked.append(asked)
        script = self.script.get(asked.collector)
        return script(asked, before) if script else Says()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collectors = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                body = json.loads(self.rfile.read(length) or b"{}")
                name = self.path.strip("/").split("?")[0]
                says = collectors._answer(Asked(name, time.time(), dict(self.headers), body))
                time.sleep(says.wait_s)
                content = (
                    says.body if isinstance(says.body, bytes) else json.dumps(says.body).encode()
                )
                try:
                    self.send_response(says.status)
                    for key, value in says.headers.items():
                        self.send_header(key, value)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True  # the caller had no more patience

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        return Handler
