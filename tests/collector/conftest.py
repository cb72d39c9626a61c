"""Collectors as a WSGI server calls them, and a callback that writes down what it is told."""

from __future__ import annotations

import http.server
import io
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fanfold.cli import main

TOKEN = "made-up-token-of-a-callback"

#: What the fixture ``ask`` gives: body and headers to the answer of a collector.
Ask = Callable[..., "Got"]


@dataclass(frozen=True)
class Got:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def asked(
    app: Callable[..., Any], *, method: str = "POST", content: bytes | None = None, **headers: str
) -> Got:
    """Return what the WSGI *app* answers; *headers* are names of the environment."""
    said: list[Any] = []
    body = b"" if content is None else content
    environ = {
        "REQUEST_METHOD": method,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **headers,
    }
    content = b"".join(app(environ, lambda *arguments: said.extend(arguments)))
    return Got(int(said[0].split()[0]), dict(said[1]), content)


def posted(app: Callable[..., Any], body: Mapping[str, Any] | None = None, **headers: str) -> Got:
    return asked(app, content=json.dumps(body or {}).encode(), **headers)


class Callbacks(http.server.ThreadingHTTPServer):
    """Takes callbacks, and answers with the next of ``statuses``, and then 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.statuses: list[int] = []
        self.headers: list[Mapping[str, str]] = []
        self.said: list[Any] = []
        self.elsewhere = self.callback["url"]
        self.looked: list[str] = []

    @property
    def callback(self) -> dict[str, str]:
        return {"url": f"http://127.0.0.1:{self.server_address[1]}/callback", "token": TOKEN}

    def await_answer(self) -> Any:
        """Return the first thing told that is no progress."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            answers = [each for each in self.said if "status" in each]
            if answers:
                return answers[0]
            time.sleep(0.02)
        raise AssertionError(f"no answer came, only {self.said}")


class _Taking(http.server.BaseHTTPRequestHandler):
    server: Callbacks

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.headers.append(dict(self.headers))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        if status == 200:
            self.server.said.append(json.loads(body))
        self.send_response(status)
        if status == 302:
            self.send_header("Location", self.server.elsewhere)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.server.looked.append(self.path)
        self.send_error(404)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def callbacks() -> Iterator[Callbacks]:
    server = Callbacks()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@dataclass
class Folder:
    """A folder with a configuration of one collector, ``communes``, in which fanfold is run."""

    path: Path
    capture: pytest.CaptureFixture[str]

    def run(self, url: str, **keys: Any) -> tuple[int, Any]:
        """Run the collector at *url*; return the exit code and what the report says of it."""
        spec = {"url": url, "auth": "none", "timeout": "20s", "retries": {"max": 0}, **keys}
        document = {"version": 2, "scheduler": {"collectors": {"communes": spec}}}
        self.path.joinpath("config.yaml").write_text(json.dumps(document), "utf-8")
        code = main(["run"])
        self.capture.readouterr()
        assert main(["report", "latest", "--format", "json"]) == 0
        return code, json.loads(self.capture.readouterr().out)["collectors"]["communes"]


@pytest.fixture
def folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Folder:
    for name in [each for each in os.environ if each.startswith(("FANFOLD_", "GOOGLE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FANFOLD_CONFIG", "config.yaml")
    monkeypatch.setenv("FANFOLD_DB", "fanfold.db")
    monkeypatch.chdir(tmp_path)
    return Folder(tmp_path, capsys)
