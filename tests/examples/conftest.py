"""Collectors as their callers see them: loaded by path, asked over WSGI, never online."""

from __future__ import annotations

import io
import json
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import functions_framework
import pytest
import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter

COLLECTORS = Path(__file__).resolve().parents[2] / "examples" / "collectors"
sys.path.append(str(COLLECTORS))


class Asked:
    """One request that reached the double, taken apart."""

    def __init__(self, request: requests.PreparedRequest) -> None:
        url = urlsplit(request.url or "")
        self.method, self.host, self.path = request.method, url.netloc, url.path
        self.query = dict(parse_qsl(url.query))
        self.body = json.loads(request.body) if request.body else None


#: What a double answers: a JSON document, or (status, body, headers).
Answer = Any
Answering = Callable[[Asked], Answer]


class Double(BaseAdapter):
    """A transport that answers with a function, and remembers what it was asked."""

    requests_per_second = 100_000.0

    def __init__(self, answer: Answering) -> None:
        super().__init__()
        self.answer = answer
        self.asked: list[Asked] = []

    def send(
        self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any
    ) -> requests.Response:
        asked = Asked(request)
        self.asked.append(asked)
        said = self.answer(asked)
        status, body, headers = (
            said if isinstance(said, tuple) else (200, json.dumps(said).encode(), {})
        )
        raw = urllib3.HTTPResponse(
            body=io.BytesIO(body), status=status, headers=headers, preload_content=False
        )
        return HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        """Nothing is open."""


class Collector:
    """One collector behind a test client."""

    def __init__(self, name: str) -> None:
        source = str(COLLECTORS / name / "main.py")
        app = functions_framework.create_app("collect", source, "http")  # type: ignore[no-untyped-call]
        # Any: werkzeug types every JSON answer as perhaps None.
        self.client: Any = app.test_client()

    def post(self, query: str = "", **body: Any) -> Any:
        return self.client.post(f"/{query}", json={"run_id": "run-1"} | body)


#: What the fixtures below give to a test.
Load = Callable[[str], Collector]
Says = Callable[[Answering], Double]


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def only_loopback(self: socket.socket, address: Any) -> None:
        assert address[0] == "127.0.0.1", f"a test went online: {address}"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", only_loopback)
    monkeypatch.setenv("COLLECTOR_SOURCE", "sample")
    for name in ("INSEE_API_KEY", "COLLECTOR_CONTACT", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(autouse=True)
def _module_path() -> Iterator[None]:
    # functions-framework adds each collector's folder, and leaves it there.
    before = list(sys.path)
    yield
    sys.path[:] = before


@pytest.fixture
def load() -> Load:
    return Collector


@pytest.fixture
def upstream_says(monkeypatch: pytest.MonkeyPatch) -> Says:
    """Put a function in the place of all upstream APIs."""

    def install(answer: Answering) -> Double:
        double = Double(answer)
        session = requests.Session()
        session.mount("https://", double)
        monkeypatch.setattr("_kit.serving.open_session", lambda *_args, **_kwargs: session)
        return double

    return install
