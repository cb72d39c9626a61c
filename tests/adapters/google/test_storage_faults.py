"""What a bucket's server may answer instead of doing it."""

from __future__ import annotations

import base64
import json
import re
import socket
import time
from contextlib import closing
from typing import Any

import google_crc32c
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from fanfold.adapters.google.reports import GcsSink
from fanfold.domain.model.errors import NotConfigured, ReportDiffers, SinkUnavailable

PLACE = "gs://b/reports"
PAGE = {"report.html": [b"<p>"]}


class Answers:
    """Answers with the given statuses, one a transfer, then 200; keeps the transfers.

    The client asks for the bucket as well, in a thread of its own, to name it in traces.
    """

    def __init__(self, server: HTTPServer) -> None:
        self.statuses: list[int] = []
        self.stored = PAGE["report.html"][0]
        self.requests: list[Request] = []
        server.expect_request(re.compile(".*")).respond_with_handler(self)

    def __call__(self, request: Request) -> Response:
        status = 200
        if request.path.startswith(("/upload/", "/download/")):
            self.requests.append(request)
            status = self.statuses.pop(0) if self.statuses else 200
        said: Any = {"name": "n", "crc32c": _crc32c(request.get_data())}
        if status != 200:
            said = {"error": {"code": status, "message": "said"}}
        elif request.path.startswith("/download/"):
            return Response(self.stored, 200, {"X-Goog-Hash": f"crc32c={_crc32c(self.stored)}"})
        headers = {"Location": request.url, "Content-Type": "application/json"}
        return Response(json.dumps(said), status, headers)


def _crc32c(content: bytes) -> str:
    checksum = google_crc32c.Checksum(content)  # type: ignore[no-untyped-call]
    return base64.b64encode(checksum.digest()).decode()  # type: ignore[no-untyped-call]


@pytest.fixture
def answers(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Answers:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", httpserver.url_for("").rstrip("/"))
    return Answers(httpserver)


@pytest.mark.parametrize("size_bytes", [3, 9_000_000])  # one request, and a resumable upload
def test_every_upload_is_on_condition_that_the_name_is_free(
    answers: Answers, size_bytes: int
) -> None:
    GcsSink("demo").write(PLACE, "r1", {"report.html": [b"x" * size_bytes]})

    assert answers.requests[0].args["ifGenerationMatch"] == "0"


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_may_pass_is_tried_again(answers: Answers, status: int) -> None:
    answers.statuses = [status, status]

    assert GcsSink("demo").write(PLACE, "r1", PAGE) == f"{PLACE}/r1/report.html"
    assert len(answers.requests) == 3


def test_an_upload_whose_reply_was_lost_is_there(answers: Answers) -> None:
    answers.statuses = [503, 412]

    assert GcsSink("demo").write(PLACE, "r1", PAGE) == f"{PLACE}/r1/report.html"


@pytest.mark.parametrize("statuses", [[412], [503, 412], [403]])
def test_a_name_that_other_content_has_is_told(answers: Answers, statuses: list[int]) -> None:
    answers.statuses, answers.stored = statuses, b"<p>other"

    with pytest.raises(ReportDiffers, match="is stored already"):
        GcsSink("demo").write(PLACE, "r1", PAGE)


def test_a_refusal_is_permanent_and_says_which_role(answers: Answers) -> None:
    answers.statuses = [403, 404]  # the upload, and the look whether it is there

    with pytest.raises(NotConfigured, match=r"gs://b --member=\S+ --role=roles/storage"):
        GcsSink("demo").write(PLACE, "r1", PAGE)


def test_a_refusal_of_a_name_that_is_taken_is_none(answers: Answers) -> None:
    # Who may create and not delete may not replace an object, not even on a condition.
    answers.statuses = [403, 200]

    assert GcsSink("demo").write(PLACE, "r1", PAGE) == f"{PLACE}/r1/report.html"


def test_a_server_that_stays_ill_is_unavailable_within_seconds(answers: Answers) -> None:
    answers.statuses = [503] * 1000
    started = time.monotonic()

    with pytest.raises(SinkUnavailable, match="gs://b/reports"):
        GcsSink("demo").write(PLACE, "r1", PAGE)
    assert time.monotonic() - started < 10


def test_nobody_listening_is_unavailable_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    sink = GcsSink("demo")
    started = time.monotonic()

    with pytest.raises(SinkUnavailable):
        sink.read(PLACE, "r1", "report.html")
    assert time.monotonic() - started < 10


@pytest.mark.slow
def test_a_silent_server_is_unavailable_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{silent.getsockname()[1]}")
        started = time.monotonic()

        with pytest.raises(SinkUnavailable):
            GcsSink("demo").write(PLACE, "r1", PAGE)
        assert time.monotonic() - started < 15


def test_without_credentials_the_command_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", f"{tmp_path}/none.json")

    with pytest.raises(NotConfigured, match="gcloud auth application-default login"):
        GcsSink("demo").write(PLACE, "r1", PAGE)
