"""Answers that come later, and progress: what the callback is told, and how often."""

from __future__ import annotations

import http.server
import json
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.collector.conftest import TOKEN, Callbacks, Folder, posted

from fanfold.collector import Answer, Call, NotDelivered, Reported, TryLater, callback, collector
from fanfold.devstack.processes import free_ports
from fanfold.domain.protocol.contract import Progress, read_completion, read_reply


@pytest.fixture(autouse=True)
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Collect what would be slept between attempts, in seconds."""
    taken: list[float] = []
    monkeypatch.setattr(time, "sleep", taken.append)
    return taken


def found(call: Call) -> Reported:
    call.warn("slow")
    return call.found(records=12)


def busy(_call: Call) -> Reported:
    raise TryLater("busy", retry_after_s=30)


@collector
def sirene(call: Call) -> Reported:
    return call.later({"found": found, "busy": busy}[call.params["do"]], eta_s=60)


def test_the_answer_is_202_now_and_the_rest_goes_to_the_callback(callbacks: Callbacks) -> None:
    got = posted(sirene, {"params": {"do": "found"}, "callback": callbacks.callback})

    reply = read_reply(got.status, got.headers, got.body)
    assert (reply.accepted, reply.eta_s) == (True, 60)
    told = read_completion(json.dumps(callbacks.await_answer()).encode())
    assert not isinstance(told, Progress)
    assert told.findings is not None
    assert (told.findings.records, told.findings.warnings) == (12, ("slow",))
    assert callbacks.headers[0]["Authorization"] == f"Bearer {TOKEN}"


def test_what_the_work_raises_goes_to_the_callback(callbacks: Callbacks) -> None:
    posted(sirene, {"params": {"do": "busy"}, "callback": callbacks.callback})

    told = read_completion(callbacks.await_answer())
    assert not isinstance(told, Progress)
    assert told.failure is not None
    assert (told.failure.message, told.failure.retryable) == ("busy", True)
    assert told.retry_after_s == 30


def test_the_key_is_under_way_until_the_work_has_told_its_answer(callbacks: Callbacks) -> None:
    may_end = threading.Event()

    def waits(call: Call) -> Reported:
        assert may_end.wait(30)
        return call.found()

    app = collector(lambda call: call.later(waits))
    body, key = {"callback": callbacks.callback}, {"HTTP_IDEMPOTENCY_KEY": "run-1/x"}

    statuses = [posted(app, body, **key).status for _ in range(2)]
    may_end.set()
    callbacks.await_answer()

    assert statuses == [202, 409]


@pytest.mark.parametrize(
    "brought", [None, {"url": None, "token": TOKEN}, {"url": "ftp://here/", "token": TOKEN}]
)
def test_a_call_that_brings_no_way_to_answer_later_fails_and_says_so(brought: Any) -> None:
    got = posted(sirene, {"params": {"do": "found"}, "callback": brought})

    assert (got.status, got.json["kind"], got.json["retryable"]) == (424, "no_callback", False)


def test_another_process_may_answer_on_results_with_the_token_alone() -> None:
    app = collector(lambda call: call.later())

    assert posted(app, {"callback": {"url": None, "token": TOKEN}}).status == 202


def test_another_process_tells_the_answer(callbacks: Callbacks) -> None:
    handed: list[str] = []

    def plu(call: Call) -> Reported:
        handed.append(json.dumps(call.callback))
        return call.later()

    assert posted(collector(plu), {"callback": callbacks.callback}).status == 202
    code = (
        "import json, sys\n"
        "from fanfold.collector import Answer\n"
        "answer = Answer.to(json.loads(sys.argv[1]))\n"
        "answer.progress(0.5, 'half')\n"
        "answer.warn('w')\n"
        "answer.found(records=3, revision='r')\n"
    )
    subprocess.run([sys.executable, "-c", code, handed[0]], check=True)

    progress, answer = callbacks.said
    assert read_completion(progress) == Progress(0.5, "half")
    assert (answer["status"], answer["records"], answer["warnings"]) == ("succeeded", 3, ["w"])


def test_a_callback_on_this_machine_is_not_sent_to_a_proxy(
    callbacks: Callbacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")

    Answer.to(callbacks.callback).found(records=3)

    assert len(callbacks.said) == 1


def test_unchanged_and_failed_are_told_too(callbacks: Callbacks) -> None:
    Answer.to(callbacks.callback).unchanged(records=2)
    Answer.to(callbacks.callback).failed("the archive is empty")
    Answer.to(callbacks.callback).failed(TryLater("busy"))

    unchanged, failed, later = callbacks.said
    assert (unchanged["unchanged"], unchanged["records"]) == (True, 2)
    assert (failed["status"], failed["error"], failed["retryable"]) == (
        *("failed", "the archive is empty", False),
    )
    assert (later["error"], later["retryable"]) == ("busy", True)


def test_an_answer_is_told_again_until_it_is_taken(callbacks: Callbacks, naps: list[float]) -> None:
    callbacks.statuses = [503, 500, 429]

    Answer.to(callbacks.callback).found(records=3)

    assert [each["records"] for each in callbacks.said] == [3]
    assert naps == [1, 2, 4]


def test_nobody_there_is_tried_for_some_minutes_and_then_not_delivered(naps: list[float]) -> None:
    (port,) = free_ports(1)

    with pytest.raises(NotDelivered, match="ConnectionRefusedError"):
        Answer.to({"url": f"http://127.0.0.1:{port}/", "token": TOKEN}).found()

    assert sum(naps) == 300


@pytest.mark.parametrize("status", [401, 404, 302])
def test_a_refusal_is_not_asked_again(callbacks: Callbacks, naps: list[float], status: int) -> None:
    callbacks.statuses = [status]

    with pytest.raises(NotDelivered, match=f"HTTP {status}"):
        Answer.to(callbacks.callback).found()

    assert (naps, callbacks.looked) == ([], [])


@pytest.mark.parametrize(
    "brought",
    [{}, {"url": "http://here/"}, {"url": "file:///etc/passwd", "token": TOKEN}, {"token": TOKEN}],
)
def test_a_callback_that_cannot_be_posted_to_is_refused_at_once(brought: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="the callback has no"):
        Answer.to(brought)


def test_progress_is_told_at_most_every_two_seconds(
    callbacks: Callbacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    call = Call(callback=callbacks.callback)

    for page in range(10):
        call.progress(page / 10, f"page {page}")
        now[0] += 0.5

    assert [each["message"] for each in callbacks.said] == ["page 0", "page 4", "page 8"]


@pytest.mark.parametrize(
    ("fraction", "told"),
    [(0.4, 0.4), (7, 1.0), (-1, 0.0), (float("nan"), None), (None, None), ("half", None)],
)
def test_progress_that_makes_no_sense_is_left_out(
    callbacks: Callbacks, fraction: Any, told: float | None
) -> None:
    Call(callback=callbacks.callback).progress(fraction, "page 1")

    assert callbacks.said[0].get("fraction") == told
    assert callbacks.said[0]["message"] == "page 1"


def test_progress_that_nobody_takes_never_fails_a_collector_and_pauses() -> None:
    (port,) = free_ports(1)
    call = Call(callback={"url": f"http://127.0.0.1:{port}/", "token": TOKEN})
    assert call.callback is not None

    call.progress(0.1, "page 1")
    Call().progress(0.1, "no callback at all")

    assert call.callback._quiet_until_s > time.monotonic() + 30


def test_a_callback_goes_through_a_queue() -> None:
    sent = Call(callback={"url": "http://here/", "token": TOKEN}).callback

    assert pickle.loads(pickle.dumps(sent)) == {"url": "http://here/", "token": TOKEN}  # noqa: S301 - our own


class _Metadata(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert self.headers["Metadata-Flavor"] == "Google"
        audience = self.path.partition("audience=")[2]
        body = f"id-token-for-{audience}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def metadata() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Metadata)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_on_cloud_run_the_id_token_of_the_service_goes_beside_the_runs_token(
    metadata: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K_SERVICE", "collector")
    monkeypatch.setenv("GCE_METADATA_HOST", metadata)
    there = callback.Callback(url="https://callbacks.run.app/callback/r/c", token=TOKEN)

    headers = callback._request(there, b"{}").headers

    assert headers["Authorization"] == f"Bearer {TOKEN}"
    expected = "Bearer id-token-for-https%3A%2F%2Fcallbacks.run.app"
    assert headers["X-serverless-authorization"] == expected


#: A collector that answers later, in a process of its own.
LATER = (
    "import sys\n"
    "from wsgiref.simple_server import make_server\n"
    "from fanfold.collector import collector\n"
    "def work(call):\n"
    "    call.log('half of it is there')\n"
    "    return call.found(records=31874)\n"
    "@collector\n"
    "def communes(call):\n"
    "    return call.later(work, eta_s=5)\n"
    "make_server('127.0.0.1', int(sys.argv[1]), communes).serve_forever()\n"
)


def test_fanfold_run_waits_for_the_answer_that_comes_later(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    folder_env = {"FANFOLD_CONFIG": "config.yaml", "FANFOLD_DB": "fanfold.db"}
    for name, value in folder_env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder.path)
    (port,) = free_ports(1)
    process = subprocess.Popen([sys.executable, "-c", LATER, str(port)])
    try:
        spec = {"mode": "async", "retries": {"max": 5, "backoff": "200ms"}}
        code, entry = folder.run(f"http://127.0.0.1:{port}/", **spec)
    finally:
        process.terminate()
        process.wait(timeout=30)

    assert (code, entry["status"], entry["records"]) == (0, "succeeded", 31874)
    assert [line[10:] for line in entry["log"]] == ["half of it is there"]
