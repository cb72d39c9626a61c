"""``POST /runs`` of a serve starts a run, for whoever has the token; curl's line is made for it."""

from __future__ import annotations

import http.client
import json
import signal
import sqlite3
import subprocess
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.cli.conftest import Folder, ended
from tests.cli.test_service import started


@dataclass(frozen=True)
class Serving:
    folder: Folder
    process: subprocess.Popen[str]
    address: str
    token: str

    def post(self, body: bytes, token: str | None = None, **headers: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=20)
        bearer = f"Bearer {self.token if token is None else token}"
        connection.request("POST", "/runs", body, {"Authorization": bearer, **headers})
        answer = connection.getresponse()
        said = json.loads(answer.read())
        connection.close()
        return answer.status, said

    def runs(self) -> int:
        database = sqlite3.connect(self.folder.path / "fanfold.db")
        try:
            count: int = database.execute("SELECT count(*) FROM run").fetchone()[0]
            return count + int(database.execute("SELECT count(*) FROM queued").fetchone()[0])
        finally:
            database.close()


@pytest.fixture
def serving(folder: Folder) -> Serving:
    folder.configure({"dvf": "ok", "plu": "ok"})
    process = folder.spawn("serve", "--port", "0")
    address = str(started(process)["address"])
    database = sqlite3.connect(folder.path / "fanfold.db")
    ((token,),) = database.execute("SELECT value FROM meta WHERE name = 'run_token'")
    database.close()
    return Serving(folder, process, address, token)


def test_a_posted_request_is_accepted_with_the_id_of_its_run(serving: Serving) -> None:
    status, said = serving.post(b'{"collectors": ["dvf"], "reason": "posted"}')
    assert status == 202
    assert serving.folder.await_end(said["run_id"]) == "succeeded: dvf succeeded"
    assert said["next"].endswith(f"status {said['run_id']}")
    assert serving.post(b'{"run_id": "mine"}')[1]["run_id"] == "mine"
    assert serving.folder.await_end("mine") == "succeeded: all 2 succeeded"
    assert serving.post(b'{"run_id": "mine"}') == (202, {"run_id": "mine", "next": said_next(said)})


def test_a_posted_retry_is_the_one_second_try_of_its_run(serving: Serving) -> None:
    serving.folder.collectors.address("ok")
    serving.post(b'{"run_id": "mine"}')
    serving.folder.await_end("mine")
    status, said = serving.post(b'{"retry_of": "mine"}')
    assert (status, "nothing to retry" in said["problems"][0]) == (400, True)
    for _ in range(2):
        status, said = serving.post(b'{"retry_of": "mine", "collectors": ["plu"]}')
        assert (status, said["run_id"]) == (202, "mine-try2")
    ended_with = serving.folder.await_end("mine-try2")
    assert ended_with == "succeeded: all 2 succeeded"


def test_a_posted_slot_is_run_under_its_own_id_and_once(serving: Serving) -> None:
    address = serving.folder.collectors.address("ok")
    nightly = {"dvf": {"url": address, "schedule": "15 2 * * *"}}
    serving.folder.configure(nightly, name="nightly", timezone="UTC")
    slot, run_id = b'{"slot": "2026-11-23T02:15Z"}', "2026-11-23T0215Z-nightly"
    assert serving.post(slot)[1]["run_id"] == run_id
    assert serving.folder.await_end(run_id) == "succeeded: dvf succeeded"
    status, said = serving.post(b'{"slot": "2026-11-23T02:16Z"}')
    assert (status, "is no slot of the schedule" in said["error"]) == (400, True)


def said_next(said: Any) -> str:
    """Return what to type next for the run "mine", from what was *said* of another."""
    return str(said["next"]).replace(said["run_id"], "mine")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b'{"collectors": ["dvff"]}', "unknown collector"),
        (b'{"tags": ["dailly"]}', "no collector has the tag"),
        (b'{"colectors": []}', "unknown key"),
        (b"{", "not JSON"),
        (b'{"schedule": "never-heard-of"}', "unknown schedule"),
        (b'{"run_id": "../x"}', "cannot be a run id"),
    ],
)
def test_a_request_that_cannot_start_is_refused_with_its_problems(
    serving: Serving, body: bytes, problem: str
) -> None:
    status, said = serving.post(body)
    assert (status, len(said["problems"])) == (400, 1)
    assert problem in said["problems"][0]
    # It is a record, like one that the dispatcher refused, and nothing ran.
    run_id = said["run_id"]
    assert run_id.endswith("-rejected")
    shown = serving.folder.run("status", run_id)
    assert shown.code == 2
    assert problem in shown.out
    assert "a request was refused" in serving.folder.run("status").out
    serving.process.send_signal(signal.SIGTERM)
    log = [json.loads(line) for line in ended(serving.process).out.splitlines()]
    (line,) = [each for each in log if each.get("status") == "rejected"]
    assert (line["severity"], line["run_id"]) == ("WARNING", run_id)
    assert line["message"].startswith("not started: ")


def test_a_posted_request_and_its_finished_event_are_one_trace(serving: Serving) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    _, said = serving.post(b"{}", Traceparent=f"00-{trace}-b7ad6b7169203331-01")
    assert serving.folder.await_end(said["run_id"]) == "succeeded: all 2 succeeded"
    _, refused = serving.post(b"{", Traceparent=f"00-{trace}-b7ad6b7169203331-01")
    serving.process.send_signal(signal.SIGTERM)
    log = [json.loads(line) for line in ended(serving.process).out.splitlines()]

    for run_id in (said["run_id"], refused["run_id"]):
        of_run = [each for each in log if each.get("run_id") == run_id]
        assert of_run
        assert {each.get("logging.googleapis.com/trace") for each in of_run} == {trace}


@pytest.mark.parametrize("token", ["", "wrong", "\u00e9"])
def test_without_the_token_nothing_is_read_or_started(serving: Serving, token: str) -> None:
    status, said = serving.post(b"{}", token)
    assert (status, "Authorization: Bearer" in said["error"]) == (401, True)
    assert serving.runs() == 0
    serving.process.send_signal(signal.SIGTERM)
    log = ended(serving.process).out
    (warning,) = [each for each in map(json.loads, log.splitlines()) if "refused" in each]
    assert (warning["severity"], warning["http_status"]) == ("WARNING", 401)
    assert warning["message"].startswith("run request refused: ")
    assert serving.token not in log


@pytest.mark.needs("curl")
def test_the_line_that_event_run_prints_starts_a_run(serving: Serving) -> None:
    line = serving.folder.run("event", "run", "plu", "--reason", "it's due", "--format", "curl").out
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
    run_id = json.loads(done.stdout)["run_id"]
    assert serving.folder.await_end(run_id) == "succeeded: plu succeeded"
    report = serving.folder.run("report", run_id, "--format", "json").json()
    assert report["summary"]["succeeded"] == 1
    assert report["trigger"]["reason"] == "it's due"
