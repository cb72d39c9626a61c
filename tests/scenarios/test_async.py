"""Collectors that take the job now and answer later."""

from __future__ import annotations

import time

import requests
from tests.scenarios.collectors import Says
from tests.scenarios.world import World, statuses

from fanfold.domain.model.request import RunRequest
from fanfold.messages import topology
from fanfold.messages.records import json_bytes
from fanfold.ports.bus import Message

_ACCEPTED = Says({"accepted": True, "eta_seconds": 5}, status=202)


def test_an_accepted_job_is_answered_by_callback(world: World) -> None:
    world.configure(["sirene"], collectors={"sirene": {"mode": "async"}})
    world.collectors.script["sirene"] = lambda *_: _ACCEPTED
    world.start()
    world.ask(RunRequest(run_id="r1"))
    world.wait_until_asked("sirene")
    callback = world.collectors.calls("sirene")[0].body["callback"]
    headers = {"Authorization": f"Bearer {callback['token']}"}

    progress = requests.post(callback["url"], json={"fraction": 0.5}, headers=headers, timeout=5)
    done = {"status": "succeeded", "records": 101}
    answers = [
        requests.post(callback["url"], json=done, headers=headers, timeout=5) for _ in range(2)
    ]
    report = world.report("r1")

    assert progress.status_code == 200
    assert [answer.status_code for answer in answers] == [200, 200]
    assert statuses(report) == {"sirene": "succeeded"}
    assert report["collectors"]["sirene"]["records"] == 101
    assert report["revision"] == 1
    assert world.parts.ledger.lates("r1") == []


def test_a_callback_without_the_token_changes_nothing(world: World) -> None:
    world.configure(["sirene"], collectors={"sirene": {"mode": "async", "timeout": "2s"}})
    world.collectors.script["sirene"] = lambda *_: _ACCEPTED
    world.start()
    world.ask(RunRequest(run_id="r1"))
    world.wait_until_asked("sirene")
    url = world.collectors.calls("sirene")[0].body["callback"]["url"]

    bare = requests.post(url, json={"status": "succeeded"}, timeout=5)
    forged = requests.post(
        url, json={"status": "succeeded"}, headers={"Authorization": "Bearer x"}, timeout=5
    )
    report = world.report("r1")

    assert (bare.status_code, forged.status_code) == (401, 401)
    assert statuses(report) == {"sirene": "timed_out"}


def test_an_accepted_job_may_be_answered_on_the_results_topic(world: World) -> None:
    world.configure(["sirene"], collectors={"sirene": {"mode": "async"}})
    world.collectors.script["sirene"] = lambda *_: _ACCEPTED
    world.start()
    world.ask(RunRequest(run_id="r1"))
    world.wait_until_asked("sirene")

    token = world.collectors.calls("sirene")[0].body["callback"]["token"]
    body = {"run_id": "r1", "collector": "sirene", "status": "failed", "error": "quota"}
    world.publish(topology.COLLECTOR_RESULTS, Message(json_bytes(body | {"status": "succeeded"})))
    body["token"] = token
    world.publish(topology.COLLECTOR_RESULTS, Message(json_bytes(body)))
    report = world.report("r1")

    assert statuses(report) == {"sirene": "failed"}
    assert report["collectors"]["sirene"]["error"] == "quota"
    assert "token" in world.parts.ledger.dead_letters(1)[0].reason


def test_an_accepted_job_that_is_never_answered_times_out(world: World) -> None:
    world.configure(["sirene"], collectors={"sirene": {"mode": "async", "timeout": "2s"}})
    world.collectors.script["sirene"] = lambda *_: _ACCEPTED
    world.start()

    world.ask(RunRequest(run_id="r1"))
    report = world.report("r1")

    assert statuses(report) == {"sirene": "timed_out"}
    assert len(world.collectors.calls("sirene")) == 1


def test_an_accepted_job_that_falls_silent_times_out_before_its_deadline(world: World) -> None:
    spec = {"mode": "async", "timeout": "25s", "heartbeat": "1s"}
    world.configure(["sirene"], collectors={"sirene": spec})
    world.collectors.script["sirene"] = lambda *_: _ACCEPTED
    world.start()
    world.ask(RunRequest(run_id="r1"))
    world.wait_until_asked("sirene")
    callback = world.collectors.calls("sirene")[0].body["callback"]
    headers = {"Authorization": f"Bearer {callback['token']}"}
    for _ in range(3):  # longer than the heartbeat, and never silent for so long
        time.sleep(0.6)
        requests.post(callback["url"], json={"fraction": 0.5}, headers=headers, timeout=5)
        world.sweep()
    assert world.parts.ledger.answer("r1", "sirene") is None

    time.sleep(1.1)
    world.sweep()
    one = world.report("r1")["collectors"]["sirene"]
    assert (one["status"], one["error_kind"]) == ("timed_out", "heartbeat")
    assert one["error"].startswith("nothing said for 1.")
