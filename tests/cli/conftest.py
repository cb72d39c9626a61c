"""A folder with a configuration, collectors on this machine, and the command in it."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fanfold.cli import main

#: Longest wait of a test for another process, in seconds.
PATIENCE_S = 60.0


class Collectors(http.server.ThreadingHTTPServer):
    """Collectors that do what their path says: /ok, /empty, /fail, /slow/SECONDS, /async."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Collector)
        self.calls: list[dict[str, Any]] = []
        self.records = 42

    def address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a caller that gave up on a slow collector is what some tests want."""


class _Collector(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Collectors

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.calls.append(body)
        _, what, *rest = self.path.split("/")
        if what == "slow":
            time.sleep(float(rest[0]))
        status, answer = 200, {"records": self.server.records, "bytes": 1000}
        if what == "empty":
            answer = {"records": 0}
        elif what == "fail":
            status, answer = 400, {"error": "no such place", "kind": "bad_params"}  # type: ignore[dict-item]
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def collectors() -> Iterator[Collectors]:
    server = Collectors()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@dataclass(frozen=True)
class Printed:
    """What a command printed and exited with."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Folder:
    """A folder to run the command in."""

    path: Path
    collectors: Collectors
    capture: Any
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def configure(self, collectors: Mapping[str, Any], **scheduler: Any) -> None:
        """Write a configuration; a collector is a path of the stub, or a mapping with ``url``."""
        written = {
            name: {"url": self.collectors.address(each)} if isinstance(each, str) else each
            for name, each in collectors.items()
        }
        defaults = {"auth": "none", "timeout": "10s", "retries": {"max": 0}}
        document = {
            "version": 2,
            "scheduler": {"defaults": defaults, **scheduler, "collectors": written},
            "report": {"folder": str(self.path / "reports")},
        }
        self.path.joinpath("config.yaml").write_text(json.dumps(document), "utf-8")

    def run(self, *arguments: str) -> Printed:
        """Run the command in this process."""
        self.capture.readouterr()
        code = main(list(arguments))
        out, err = self.capture.readouterr()
        return Printed(code, out, err)

    def spawn(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Start the command in a process of its own; the test's end kills it."""
        process = subprocess.Popen(
            [sys.executable, "-m", "fanfold", *arguments],
            cwd=self.path,
            env={**os.environ, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def await_end(self, run_id: str) -> str:
        """Return the status and the sentence of the run, once it is over."""
        seen: dict[str, Any] = {"status": "running"}

        def is_over() -> bool:
            printed = self.run("status", run_id, "--format", "json")
            # A request that was just accepted is no run yet.
            seen.update(printed.json() if printed.out else {})
            return seen["status"] not in ("dispatching", "running")

        eventually(is_over)
        return f"{seen['status']}: {seen['about']}"


def eventually(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < until, "it never came to pass"
        time.sleep(0.05)


def ended(process: subprocess.Popen[str]) -> Printed:
    out, err = process.communicate(timeout=PATIENCE_S)
    return Printed(process.returncode, out, err)


@pytest.fixture
def folder(
    tmp_path: Path,
    collectors: Collectors,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Folder]:
    for name in [
        name for name in os.environ if name.startswith(("FANFOLD_", "GITHUB_", "GOOGLE_"))
    ]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FANFOLD_CONFIG", "config.yaml")
    monkeypatch.setenv("FANFOLD_DB", "fanfold.db")
    monkeypatch.setenv("XDG_CACHE_HOME", f"{tmp_path}-cache")
    monkeypatch.chdir(tmp_path)
    collectors.calls.clear()
    made = Folder(tmp_path, collectors, capsys)
    made.configure({"dvf": "ok", "sirene": "ok"})
    yield made
    for process in made.processes:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()
