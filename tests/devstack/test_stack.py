"""Real processes on the official emulators: a publish becomes a report, whoever is killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.devstack.conftest import NAMES
from tests.devstack.running_stack import RunningStack
from tests.scenarios.collectors import Collectors, Says
from tests.scenarios.world import check_balance, statuses

from fanfold.adapters.google.bus.pubsub import PubSubBus
from fanfold.devstack.stack import FUNCTIONS
from fanfold.domain.model.request import RunRequest
from fanfold.messages import run_request, topology

pytestmark = [pytest.mark.emulator, pytest.mark.slow, pytest.mark.timeout(240)]


def test_stdout_has_the_addresses_and_ready_a_line_each(stack: RunningStack) -> None:
    keys = [line.partition("=")[0] for line in stack.lines]

    assert keys == [
        "PUBSUB_EMULATOR_HOST",
        "FIRESTORE_EMULATOR_HOST",
        "GOOGLE_CLOUD_PROJECT",
        "ready",
    ]
    assert stack.hosts()["GOOGLE_CLOUD_PROJECT"] == "demo-fanfold"


def test_gcloud_with_the_printed_variables_publishes_what_ends_in_a_report(
    stack: RunningStack, tmp_path: Path
) -> None:
    hosts = stack.hosts()
    said = re.findall(r"^  export (\w+)=(\S+)$", stack.said(), re.MULTILINE)
    assert said[: len(hosts)] == list(hosts.items())
    env = {
        **{name: text for name, text in os.environ.items() if not name.startswith("CLOUDSDK_")},
        **dict(said),
        "CLOUDSDK_CONFIG": str(tmp_path),  # nobody is logged in
    }
    message = '--message={"run_id": "by-gcloud", "reason": "Besançon"}'
    command = ["gcloud", "pubsub", "topics", "publish", "run-requests", message]
    subprocess.run(command, env=env, check=True, capture_output=True)

    report = stack.report("by-gcloud")
    check_balance(report)
    assert report["summary"]["succeeded"] == len(NAMES)
    fields = document(stack, "fanfold_runs/by-gcloud")
    assert fields["about"] == {"stringValue": "all 12 succeeded"}
    assert fields["status"] == {"stringValue": "succeeded"}


@pytest.mark.parametrize("function", ["dispatcher", "collector_relay", "aggregator"])
def test_a_function_killed_in_a_run_leaves_one_report_that_balances(
    function: str, stack: RunningStack, collectors: Collectors
) -> None:
    run_id = f"killed-{function.replace('_', '-')}"
    for name in NAMES:
        collectors.script[name] = lambda asked, before: Says(wait_s=1.0)
    asked_before = len(collectors.asked)
    dead = stack.pids()[function]

    publish(stack, RunRequest(run_id=run_id))
    if function != "dispatcher":
        while len(collectors.asked) < asked_before + 5:
            time.sleep(0.02)
    os.killpg(dead, signal.SIGKILL)

    report = stack.report(run_id)
    check_balance(report)
    assert set(statuses(report).values()) == {"succeeded"}
    assert report["revision"] == 1
    assert f"{function} died (SIGKILL); starting it again" in stack.said()
    while stack.pids()[function] == dead:
        time.sleep(0.1)


def test_a_collector_calls_back_at_a_service_of_its_own(
    stack: RunningStack, collectors: Collectors
) -> None:
    collectors.script[NAMES[0]] = lambda asked, before: Says({"accepted": True}, status=202)
    asked_before = len(collectors.calls(NAMES[0]))
    publish(stack, RunRequest(run_id="called-back", collectors=(NAMES[0],)))
    while len(collectors.calls(NAMES[0])) == asked_before:
        time.sleep(0.02)
    callback = collectors.calls(NAMES[0])[-1].body["callback"]
    urls = stack.urls()
    assert callback["url"] == f"{urls['callbacks']}callback/called-back/{NAMES[0]}"

    def answer(url: str) -> int:
        headers = {"Authorization": f"Bearer {callback['token']}"}
        return requests.post(
            url, json={"status": "succeeded", "records": 7}, headers=headers, timeout=5
        ).status_code

    assert answer(callback["url"].replace(urls["callbacks"], urls["collector_relay"])) == 404
    assert answer(callback["url"]) == 200
    report = stack.report("called-back")
    assert statuses(report)[NAMES[0]] == "succeeded"
    assert report["collectors"][NAMES[0]]["records"] == 7


def test_a_stop_leaves_no_process(stack: RunningStack) -> None:
    groups = stack.pids()

    assert stack.stop(signal.SIGINT) == 0

    assert set(groups) == {"pubsub", "firestore", *FUNCTIONS}
    for group in groups.values():
        with pytest.raises(ProcessLookupError):
            os.killpg(group, 0)


def publish(stack: RunningStack, request: RunRequest) -> None:
    hosts = stack.hosts()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PUBSUB_EMULATOR_HOST", hosts["PUBSUB_EMULATOR_HOST"])
        bus = PubSubBus(hosts["GOOGLE_CLOUD_PROJECT"])
        bus.publish(topology.RUN_REQUESTS, [run_request.encode_run_request(request)])


def document(stack: RunningStack, path: str) -> dict[str, Any]:
    """Return the fields of a document, as Firestore's REST interface shows them."""
    hosts = stack.hosts()
    root = f"projects/{hosts['GOOGLE_CLOUD_PROJECT']}/databases/(default)/documents"
    url = f"http://{hosts['FIRESTORE_EMULATOR_HOST']}/v1/{root}/{path}"
    until = time.monotonic() + 10
    while True:
        with urllib.request.urlopen(url) as response:
            fields: dict[str, Any] = json.load(response)["fields"]
        if fields["announced_at"] != {"nullValue": None} or time.monotonic() > until:
            return fields
        time.sleep(0.1)
