"""``fanfold probe``: one call outside of any run, and the contract played at a collector."""

from __future__ import annotations

import json
import signal
import sqlite3
import threading
import wsgiref.simple_server
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import flask
import functions_framework
import pytest
from tests.adapters.http.servers import Server, sends
from tests.cli.conftest import Folder, ended, eventually

from fanfold.collector import Call, collector, log_lines
from fanfold.collector.answer import Reported

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "collectors"

SECRET = "made-up-secret-of-a-collector"

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

Serve = Callable[[Any], str]


class _Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Threads(wsgiref.simple_server.WSGIServer):
    def process_request(self, request: Any, client_address: Any) -> None:
        threading.Thread(
            target=self._in_thread, args=(request, client_address), daemon=True
        ).start()

    def _in_thread(self, request: Any, client_address: Any) -> None:
        self.finish_request(request, client_address)
        self.shutdown_request(request)

    def handle_error(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that serves a WSGI application, and gives its address."""
    servers: list[wsgiref.simple_server.WSGIServer] = []

    def begin(app: Any) -> str:
        server = wsgiref.simple_server.make_server("127.0.0.1", 0, app, _Threads, _Quiet)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield begin
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def no_log_of_collectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the collectors, which live in this process, print nothing between the command's lines."""
    monkeypatch.setattr(log_lines, "write", lambda *_, **__: None)


@collector
def communes(call: Call) -> Reported:
    call.log(f"asked {call.params['codes']}")
    threading.Event().wait(0.2)
    return call.found(records=10 * len(call.params["codes"]), revision="2026-10")


@collector
def later(call: Call) -> Reported:
    def work(call: Call) -> Reported:
        call.progress(0.5, "half")
        return call.found(records=7)

    return call.later(work, eta_s=1)


CODES = ("--param", 'codes=["90"]')


def stored(folder: Folder) -> list[str]:
    """Return all that the folder's database holds."""
    with closing(sqlite3.connect(folder.path / "fanfold.db")) as database:
        return list(database.iterdump())


def test_a_call_shows_all_that_a_person_wants_to_know(folder: Folder, serve: Serve) -> None:
    folder.path.joinpath("config.yaml").unlink()
    said = folder.run("probe", serve(communes), *CODES)
    assert said.code == 0
    assert said.err == ""
    for part in (
        "request    POST http://127.0.0.1:",
        "Idempotency-Key: ",
        '"token": "***"',
        "way out    directly, to 127.0.0.1",
        "time       lookup ",
        "answer     HTTP 200 · ",
        "fanfold    succeeded: 10 records, revision 2026-10",
        "✓ min_records: at least 1 record; got 10",
        "Z asked ['90']",
        "✓ probe succeeded: 10 records, revision 2026-10",
    ):
        assert part in said.out
    assert not folder.path.joinpath("fanfold.db").exists()


def test_a_collector_of_the_configuration_is_called_as_a_run_calls_it(
    folder: Folder, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVF_KEY", SECRET)
    spec = {
        "url": serve(communes),
        "auth": {"header": {"X-Api-Key": "${DVF_KEY}"}},
        "params": {"codes": ["90"], "api_token": "in-the-file"},
        "expect": {"min_records": 40},
    }
    folder.configure({"dvf": spec})
    assert folder.run("run").code == 1
    before = stored(folder)
    said = folder.run("probe", "dvf", "--format", "json")
    document = said.json()
    assert (said.code, document["outcome"], document["records"]) == (1, "failed", 10)
    assert document["error"] == "expected at least 40 records, got 10"
    assert document["expectations"][0]["ok"] is False
    assert document["request"]["headers"]["X-Api-Key"] == "***"
    assert document["request"]["body"]["params"] == {"codes": ["90"], "api_token": "***"}
    assert document["retry"] is None
    assert 0 < document["seconds"]["first_byte"] <= document["seconds"]["total"]
    said = folder.run("probe", "dvf")
    assert SECRET not in said.out + said.err
    assert "a run does not try this again (kind expectation)" in said.out
    assert "no earlier run to compare" in said.out
    assert stored(folder) == before


def test_what_would_be_tried_again_says_when(folder: Folder, serve: Serve) -> None:
    def busy(_environ: Any, start: Any) -> list[bytes]:
        start("503 Service Unavailable", [("Retry-After", "45"), ("Content-Length", "2")])
        return [b"{}"]

    folder.configure({"dvf": {"url": serve(busy), "retries": {"max": 2, "backoff": "30s"}}})
    said = folder.run("probe", "dvf")
    assert said.code == 1
    assert "a run tries it again after 45s: attempt 2 of 3" in said.out
    assert "! HTTP 503 comes without a JSON object that says why" in said.out
    assert 'write   return {"error": "what went wrong"}, 503' in said.out


def test_an_answer_that_comes_later_is_waited_for(folder: Folder, serve: Serve) -> None:
    said = folder.run("probe", serve(later), "--timeout", "20s")
    assert said.code == 0
    assert "progress: 50 % half" in said.out
    assert "✓ probe succeeded: 7 records" in said.out
    assert not (folder.path / "fanfold.db").exists()


def test_one_that_never_comes_is_a_failure(folder: Folder, serve: Serve) -> None:
    silent = collector(lambda call: call.later(eta_s=1))
    said = folder.run("probe", serve(silent), "--timeout", "1s")
    assert said.code == 1
    assert "✗ probe accepted, and reported nothing in its time" in said.out


@pytest.mark.parametrize("app", [communes, later])
def test_what_is_written_with_fanfold_collector_conforms(
    folder: Folder, serve: Serve, app: Any
) -> None:
    said = folder.run("probe", serve(app), *CODES, "--conformance", "--format", "json")
    failed = [one for one in said.json()["checks"] if one["result"] in {"failed", "warned"}]
    assert failed == []
    assert (said.code, said.json()["conforms"]) == (0, True)


def test_a_collector_may_be_busy_with_its_call_a_moment_after_it_answered(
    folder: Folder, serve: Serve
) -> None:
    asked: Counter[str] = Counter()

    def busy(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        key = environ.get("HTTP_IDEMPOTENCY_KEY", "")
        asked[key] += 1
        is_busy = asked[key] == 3  # after the two that came together
        said = {"error": "still works", "retryable": True} if is_busy else {"records": 7}
        head = [("Content-Type", "application/json"), ("Retry-After", "1")]
        start_response("409 Conflict" if is_busy else "200 OK", head)
        return [json.dumps(said).encode()]

    said = folder.run("probe", serve(busy), "--conformance", "--format", "json")
    results = {one["name"]: one["result"] for one in said.json()["checks"]}
    assert results["again"] == "passed"
    assert 4 in asked.values()


@pytest.mark.parametrize("name", ["dvf", "sirene", "insee_contours", "plu"])
def test_the_examples_conform(
    folder: Folder, serve: Serve, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLECTOR_SOURCE", "sample")
    monkeypatch.syspath_prepend(str(EXAMPLES))
    app = functions_framework.create_app("collect", str(EXAMPLES / name / "main.py"), "http")  # type: ignore[no-untyped-call]
    said = folder.run("probe", serve(app), "--conformance")
    assert said.code == 0, said.out
    assert "✗" not in said.out


def test_a_collector_that_does_not_conform_fails_with_the_line_to_change(
    folder: Folder, serve: Serve
) -> None:
    app = flask.Flask("bad")

    @app.route("/", methods=["GET", "POST", "PUT"])
    def found() -> Any:
        if flask.request.method != "POST":
            return {"records": 1}
        body = flask.request.get_json()
        return {"records": len(body["params"]["codes"]), "token": body["callback"]["token"]}

    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.logger.disabled = True
    said = folder.run("probe", serve(app), *CODES, "--conformance")
    assert said.code == 1
    assert "✗ params     a call without parameters is answered HTTP 500" in said.out
    assert 'write   return {"error": "params has no …", "kind": "bad_params"}, 400' in said.out
    assert "! get        GET starts the work" in said.out
    assert "✗ secrecy    an answer repeats the callback's token" in said.out
    assert said.out.splitlines()[-1].startswith("✗ probe does not keep the contract: ")

    broken = flask.Flask("broken")
    broken.add_url_rule("/", "found", lambda: {"records": "5"}, methods=["POST"])
    said = folder.run("probe", serve(broken), *CODES, "--conformance", "--format", "json")
    (answer,) = (one for one in said.json()["checks"] if one["name"] == "answer")
    assert answer["fix"] == 'return {"records": len(found)}'
    assert answer["result"] == "failed"


@pytest.mark.parametrize(
    "talk",
    [
        pytest.param(sends(), id="closes without a word"),
        pytest.param(sends(b"garbage\r\n\r\n"), id="garbage"),
        pytest.param(sends(b"SSH-2.0-OpenSSH_9\r\n"), id="another protocol"),
        pytest.param(sends(OK + b"Content-Length: 100\r\n\r\n{}"), id="cut short"),
        pytest.param(sends(OK, *[b"X-%d: y\r\n" % n for n in range(5_000)]), id="many headers"),
        pytest.param(sends(OK + b"\r\n" + b"x" * 2_000_000), id="too long"),
        pytest.param(sends(OK + b"\r\n\xff\xfe\x00\x1b[31m\xe2\x80\xae"), id="no text"),
        pytest.param(sends(OK + b'\r\n{"records": ' + b"[" * 5_000), id="deep"),
        pytest.param(sends(OK + b"Content-Encoding: gzip\r\n\r\nabc"), id="no gzip"),
        pytest.param(sends(OK + b'X: \x1b]0;t\x07\r\n\r\n{"records": NaN}'), id="no number"),
        pytest.param(
            sends(b"HTTP/1.1 302 F\r\nLocation: javascript:x\r\n\r\n"), id="leads nowhere"
        ),
    ],
)
@pytest.mark.parametrize("option", [(), ("--conformance",), ("--format", "json")])
def test_a_hostile_answer_ends_in_a_clear_line(
    folder: Folder, talk: Any, option: tuple[str, ...]
) -> None:
    server = Server(talk)
    try:
        said = folder.run("probe", server.url, *option)
    finally:
        server.close()
    assert said.code == 1
    assert "Traceback" not in said.err
    assert "a bug in fanfold" not in said.err
    if option[:1] == ("--format",):
        assert said.json()["ok"] is False
    else:
        assert said.out.splitlines()[-1].startswith("✗ probe ")
    printed = said.out + said.err
    assert [c for c in printed if not (c == "\n" or c.isprintable())] == []


def test_what_cannot_be_called_says_so(folder: Folder) -> None:
    said = folder.run("probe", "http://127.0.0.1:9/")
    assert said.code == 1
    assert "✗ probe failed: 127.0.0.1:9: connection refused" in said.out
    said = folder.run("probe", "http://127.0.0.1:9/", "--conformance")
    assert said.code == 1
    assert "write   is it started, and is the URL right?" in said.out
    said = folder.run("probe", "https://user:password@x.example/")
    assert (said.code, "password@" in said.err) == (2, False)
    said = folder.run("probe", "dvff")
    assert said.code == 2
    assert "did you mean 'dvf'?" in said.err
    assert folder.run("probe", "localhost:8080").code == 2
    assert folder.run("probe", "dvf", "--timeout", "0s").code == 2
    assert folder.run("probe", "dvf", "--timeout", "soon").code == 2
    assert folder.run("probe", "dvf", "--param", "codes=[").code == 2
    assert folder.run("probe", "dvf", "--format", "xml").code == 2


def test_a_url_does_without_a_configuration_that_is_broken(folder: Folder, serve: Serve) -> None:
    folder.path.joinpath("config.yaml").write_text("scheduler: {", "utf-8")
    said = folder.run("probe", serve(communes), *CODES)
    assert said.code == 0
    assert "cannot be read, so the URL is called as it stands" in said.err
    assert folder.run("probe", "dvf").code == 2


def test_a_long_call_tells_what_it_waits_for_and_ctrl_c_ends_it(folder: Folder) -> None:
    server = Server(lambda _connection, _request: threading.Event().wait(60))
    try:
        process = folder.spawn("probe", server.url)
        eventually(lambda: len(server.requests) == 1)
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        said = ended(process)
    finally:
        server.close()
    assert first.startswith("… waits for the answer, 1")
    assert said.code == 130
    assert "stopped; nothing is stored" in said.err
    assert "Traceback" not in said.err


def test_the_credential_of_a_token_is_shown_nowhere(
    folder: Folder, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVF_TOKEN", SECRET)

    def echoes(environ: Any, start: Any) -> list[bytes]:
        body = json.dumps({"records": 1, "warnings": [environ["HTTP_AUTHORIZATION"]]}).encode()
        start("200 OK", [("Content-Type", "application/json"), ("X-Echo", SECRET)])
        return [body]

    folder.configure({"dvf": {"url": serve(echoes), "auth": {"bearer": "${DVF_TOKEN}"}}})
    for options in (
        (),
        ("--format", "json"),
        ("--conformance",),
        ("--conformance", "--format", "json"),
    ):
        said = folder.run("probe", "dvf", *options)
        assert SECRET not in said.out + said.err
    assert said.code == 1
