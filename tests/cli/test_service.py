"""``fanfold serve`` and ``run`` as processes: signals, sharing one file, and dying."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from tests.cli.conftest import Folder, ended, eventually


def started(process: subprocess.Popen[str]) -> dict[str, object]:
    """Return the first event of a serve: it is up."""
    assert process.stdout is not None
    event: dict[str, object] = json.loads(process.stdout.readline())
    return event


def test_serve_says_its_address_and_slots_and_stops_with_0(folder: Folder) -> None:
    address = folder.collectors.address("ok")
    folder.configure({"dvf": {"url": address, "schedule": "0 3 * * *"}}, timezone="Europe/Paris")
    serve = folder.spawn("serve", "--port", "0")
    event = started(serve)
    assert "03:00 Europe/Paris" in str(event["message"])
    address = f"{event['address']}/healthz"
    with urllib.request.urlopen(address, timeout=10) as answer:
        assert json.load(answer) == {"status": "ok"}
    token = folder.run("console", "token").out.strip()
    assert token not in str(event)
    bearer = {"Authorization": f"Bearer {token}"}
    asked = urllib.request.Request(f"{event['address']}/", headers=bearer)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert b"nothing ran yet" in answer.read()
    assert folder.run("console", "token").out.strip() == token
    assert folder.run("console", "token", "--rotate").out.strip() != token
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(asked, timeout=10)
    serve.send_signal(signal.SIGTERM)
    said = ended(serve)
    assert (said.code, said.err) == (0, "")
    assert [json.loads(line) for line in said.out.splitlines()][-1]["message"] == "stopped"


def test_ctrl_c_stops_a_serve_with_130(folder: Folder) -> None:
    serve = folder.spawn("serve", "--port", "0")
    started(serve)
    serve.send_signal(signal.SIGINT)
    assert ended(serve).code == 130


def test_no_wait_prints_the_id_alone_and_a_serve_does_the_work(folder: Folder) -> None:
    asked = folder.run("run", "--no-wait")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d{4}Z-[0-9a-f]{6}\n", asked.out)
    run_id = asked.out.strip()
    waiting = folder.run("status", run_id, "--format", "json")
    assert (waiting.code, waiting.json()["status"]) == (0, "dispatching")
    serve = folder.spawn("serve", "--port", "0")
    started(serve)
    assert folder.await_end(run_id) == "succeeded: all 2 succeeded"
    assert folder.run("report", run_id, "--format", "json").json()["status"] == "succeeded"


def test_a_run_beside_a_serve_works_on_the_same_file(folder: Folder) -> None:
    folder.configure({f"c{number}": "slow/0.2" for number in range(8)}, max_concurrent_collectors=4)
    started(folder.spawn("serve", "--port", "0"))
    said = folder.run("run", "--format", "json")
    assert said.json()["summary"]["succeeded"] == 8
    assert len(folder.collectors.calls) == 8


def test_a_port_that_is_taken_is_refused(folder: Folder) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = ended(folder.spawn("serve", "--port", port))
    assert said.code == 2
    assert f"cannot listen on 127.0.0.1:{port}" in said.err
    assert "serve --port 0" in said.err


def test_a_terminated_run_finishes_its_call_and_is_gone_on_with(folder: Folder) -> None:
    folder.configure({"dvf": "ok", "sirene": "slow/1"}, max_concurrent_collectors=1)
    process = folder.spawn("run", "--run-id", "mine")
    eventually(lambda: len(folder.collectors.calls) >= 1)
    process.send_signal(signal.SIGTERM)
    said = ended(process)
    assert (said.code, said.out) == (130, "")
    assert "fanfold run --run-id mine" in said.err
    assert folder.run("run", "--run-id", "mine").code == 0
    assert sorted(call["collector"] for call in folder.collectors.calls) == ["dvf", "sirene"]


def test_a_killed_serve_leaves_one_report_after_its_restart(folder: Folder) -> None:
    folder.configure({f"c{number}": "slow/0.4" for number in range(6)}, max_concurrent_collectors=2)
    first = folder.spawn("serve", "--port", "0")
    started(first)
    run_id = folder.run("run", "--no-wait").out.strip()
    eventually(lambda: len(folder.collectors.calls) >= 3)
    first.send_signal(signal.SIGKILL)
    first.wait()
    started(folder.spawn("serve", "--port", "0"))
    assert folder.await_end(run_id) == "succeeded: all 6 succeeded"
    eventually(lambda: bool(list(Path("reports").glob("*/report.json"))))
    assert [path.parent.name for path in Path("reports").glob("*/report*.json")] == [run_id]


def test_a_configuration_that_breaks_is_logged_once_and_the_last_one_stays(folder: Folder) -> None:
    serve = folder.spawn("serve", "--port", "0")
    started(serve)
    good = folder.path.joinpath("config.yaml").read_text("utf-8")
    folder.path.joinpath("config.yaml").write_text("version: 2\nscheduler: nonsense\n", "utf-8")
    time.sleep(1.6)
    folder.path.joinpath("config.yaml").write_text(good + "\n", "utf-8")
    time.sleep(1.2)
    run_id = folder.run("run", "--no-wait").out.strip()
    assert folder.await_end(run_id) == "succeeded: all 2 succeeded"
    serve.send_signal(signal.SIGTERM)
    messages = [json.loads(line)["message"] for line in ended(serve).out.splitlines()]
    assert sum("the last right one stays" in message for message in messages) == 1
    assert "configuration read again" in messages


def test_a_serve_answers_a_scrape(folder: Folder) -> None:
    serve = folder.spawn("serve", "--port", "0")
    address = started(serve)["address"]
    with urllib.request.urlopen(f"{address}/metrics", timeout=10) as answer:
        page = answer.read().decode()
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert 'fanfold_duty_alive{duty="timer"} 1.0' in page
    assert 'fanfold_runs{status="failed"} 0.0' in page
