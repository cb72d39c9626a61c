"""The stories' world on the google backend: emulators, bridge, and the functions behind HTTP."""

from __future__ import annotations

import os
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.scenarios.collectors import Collectors
from tests.scenarios.world import World

from fanfold.devstack import topics
from fanfold.devstack.push_bridge import Bridge, BridgeRoute
from fanfold.devstack.ticks import Ticks
from fanfold.logs import silent
from fanfold.runtime.functions import Functions
from fanfold.runtime.google import google_parts
from fanfold.runtime.http_entry import CallbackEntry, HttpEntry
from fanfold.runtime.parts import Parts
from fanfold.settings import Settings

#: Time between two sweeps, in seconds.
SWEEP_EVERY_S = 1.0

#: Deliveries at a time to the functions that do not wait for collectors.
CONCURRENCY = 16

FUNCTIONS = {
    "dispatcher": Functions.take_request,
    "collector_relay": Functions.take_job,
    "aggregator": Functions.take_result,
}


class GoogleWorld(World):
    """The functions in this process, messages by way of the emulators; a project for each world."""

    def __init__(self, folder: Path, collectors: Collectors) -> None:
        super().__init__(folder, collectors)
        self.settings = Settings(
            config=self.config,
            backend="google",
            project=f"demo-{uuid.uuid4().hex[:12]}",
            callback_key="5f3a9c07b1e84d62a0f7c39be1d8462f",
        )
        self.parts = google_parts(self.settings, os.environ, log=silent)
        topics.create_topology(self.settings.project)
        self.server: Server | None = None

    def start(self) -> None:
        """See :meth:`World.start`."""
        self.server = Server(self.parts)
        self.parts.callback.base = self.server.url
        limit = self.parts.catalogue().max_concurrent_collectors
        rooms = {"collector_relay": limit}
        routes = {
            name: BridgeRoute(f"{self.server.url}/{name}", rooms.get(name, CONCURRENCY))
            for name in FUNCTIONS
        }
        self.bridge = Bridge(self.settings.project, "", routes, on_trouble=lambda _: None)
        self.ticks = Ticks(
            self.parts.bus, self.parts.catalogue, sweep_every_s=SWEEP_EVERY_S, say=lambda _: None
        )
        self.bridge.start()
        self.ticks.start()

    def stop(self) -> None:
        """See :meth:`World.stop`."""
        if self.server is not None:
            self.ticks.stop()
            self.bridge.stop(grace_s=1)
            self.server.close()
            self.server = None
        self.parts.ledger.close()


class Server:
    """Serves the three functions, each at its name, and the service of the callbacks."""

    def __init__(self, parts: Parts) -> None:
        self.callbacks = CallbackEntry()
        self.entries = {name: HttpEntry(name, function) for name, function in FUNCTIONS.items()}
        for entry in (self.callbacks, *self.entries.values()):
            entry._parts = parts
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(server) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - both have a self
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                entry = server.entries.get(self.path.strip("/"))
                path = "/" if entry else self.path
                answer = (entry or server.callbacks).answer
                try:
                    text, status, headers = answer("POST", path, dict(self.headers), body)
                except Exception as exc:  # noqa: BLE001 - as functions-framework does
                    text, status, headers = repr(exc), 500, {}
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                if status != 204:
                    self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        return Handler
