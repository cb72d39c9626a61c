"""The endpoint hands a site what is asked for beside callbacks, requests, health and metrics."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from werkzeug.test import Client

from fanfold.adapters.embedded import endpoint
from fanfold.adapters.embedded.endpoint import application


def site(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"page {environ['REQUEST_METHOD']} {environ['PATH_INFO']}".encode()]


def ask(method: str, path: str, given: Any = site) -> tuple[int, str]:
    app = application(
        lambda path, *_: (202, {"taken": path}),
        lambda _: (200, {"status": "ok"}),
        lambda: (200, "text/plain", b"figures 1\n"),
        given,
    )
    answer = Client(app).open(path, method=method)
    return answer.status_code, answer.text.strip()


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/runs"), ("GET", "/runs/x"), ("POST", "/runs/x")]
)
def test_a_site_gets_what_nobody_else_takes(method: str, path: str) -> None:
    assert ask(method, path) == (200, f"page {method} {path}")


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("POST", "/runs", (202, '{"taken": "/runs"}')),
        ("POST", "/callback/r/c", (202, '{"taken": "/callback/r/c"}')),
        ("GET", "/healthz", (200, '{"status": "ok"}')),
        ("GET", "/metrics", (200, "figures 1")),
        ("GET", "/callback/r/c", (405, '{"error": "POST /callback/RUN/NAME or /runs"}')),
    ],
)
def test_what_was_there_before_is_answered_as_before(
    method: str, path: str, answer: tuple[int, str]
) -> None:
    assert ask(method, path) == answer


def test_pages_that_hang_leave_health_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "SITE_PATIENCE_S", 0.01)
    release, inside = threading.Event(), threading.Semaphore(0)

    def hanging(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        inside.release()
        release.wait(10)
        return site(environ, start_response)

    app = application(lambda *_: (202, {}), lambda _: (200, {"status": "ok"}), None, hanging)
    threads = [
        threading.Thread(target=lambda: Client(app).get("/")) for _ in range(endpoint.SITE_AT_ONCE)
    ]
    for each in threads:
        each.start()
        inside.acquire(timeout=10)
    try:
        assert Client(app).get("/").status_code == 503
        assert Client(app).get("/healthz").status_code == 200
    finally:
        release.set()
        for each in threads:
            each.join()
