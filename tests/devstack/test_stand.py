"""Real processes on the official emulators: a publish becomes a report, whoever is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from typing import Any

import pytest
from tests.devstack.conftest import NAMES
from tests.devstack.stand import DevStack
from tests.scenarios.collectors import Collectors, Says
from tests.scenarios.world import check_balance, statuses

from fanfold.adapters.google.bus.pubsub import PubSubBus
from fanfold.domain.model.request import RunRequest
from fanfold.messages import run_request, topology

pytestmark = [pytest.mark.emulator, pytest.mark.slow, pytest.mark.timeout(240)]


def test_stdout_has_the_addresses_and_ready_a_line_each(stand: DevStack) -> None:
    keys = [line.partition("=")[0] for line in stand.lines]

    assert keys == [
        "PUBSUB_EMULATOR_HOST",
        "FIRESTORE_EMULATOR_HOST",
        "GOOGLE_CLOUD_PROJECT",
        "ready",
    ]
    assert stand.hosts()["GOOGLE_CLOUD_PROJECT"] == "demo-fanfold"


def test_gcloud_publish_ends_in_a_final_document_and_a_report(stand: DevStack) -> None:
    hosts = stand.hosts()
    env = {
        **os.environ,
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": f"http://{hosts['PUBSUB_EMULATOR_HOST']}/",
        "CLOUDSDK_CORE_PROJECT": hosts["GOOGLE_CLOUD_PROJECT"],
    }
    message = '--message={"run_id": "by-gcloud", "reason": "Besançon"}'
    command = ["gcloud", "pubsub", "topics", "publish", "run-requests", message]
    subprocess.run(command, env=env, check=True, capture_output=True)

    report = stand.report("by-gcloud")
    check_balance(report)
    assert report["summary"]["succeeded"] == len(NAMES)
    fields = document(stand, "fanfold_runs/by-gcloud")
    assert fields["about"] == {"stringValue": "all 12 succeeded"}
    assert fields["status"] == {"stringValue": "succeeded"}


@pytest.mark.parametrize("function", ["dispatcher", "collector_relay", "aggregator"])
def test_a_function_killed_in_a_run_leaves_one_report_that_balances(
    function: str, stand: DevStack, collectors: Collectors
) -> None:
    run_id = f"killed-{function.replace('_', '-')}"
    for name in NAMES:
        collectors.script[name] = lambda asked, before: Says(wait_s=1.0)
    asked_before = len(collectors.asked)
    dead = stand.pids()[function]

    publish(stand, RunRequest(run_id=run_id))
    if function != "dispatcher":
        while len(collectors.asked) < asked_before + 5:
            time.sleep(0.02)
    os.killpg(dead, signal.SIGKILL)

    report = stand.report(run_id)
    check_balance(report)
    assert set(statuses(report).values()) == {"succeeded"}
    assert report["revision"] == 1
    assert f"{function} died (SIGKILL); starting it again" in stand.said()
    while stand.pids()[function] == dead:
        time.sleep(0.1)


def test_a_stop_leaves_no_process(stand: DevStack) -> None:
    groups = stand.pids()

    assert stand.stop(signal.SIGINT) == 0

    assert set(groups) == {"pubsub", "firestore", "dispatcher", "collector_relay", "aggregator"}
    for group in groups.values():
        with pytest.raises(ProcessLookupError):
            os.killpg(group, 0)


def publish(stand: DevStack, request: RunRequest) -> None:
    hosts = stand.hosts()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PUBSUB_EMULATOR_HOST", hosts["PUBSUB_EMULATOR_HOST"])
        bus = PubSubBus(hosts["GOOGLE_CLOUD_PROJECT"])
        bus.publish(topology.RUN_REQUESTS, [run_request.encode_run_request(request)])


def document(stand: DevStack, path: str) -> dict[str, Any]:
    """Return the fields of a document, as Firestore's REST interface shows them."""
    hosts = stand.hosts()
    root = f"projects/{hosts['GOOGLE_CLOUD_PROJECT']}/databases/(default)/documents"
    url = f"http://{hosts['FIRESTORE_EMULATOR_HOST']}/v1/{root}/{path}"
    until = time.monotonic() + 10
    while True:
        with urllib.request.urlopen(url) as response:
            fields: dict[str, Any] = json.load(response)["fields"]
        if fields["announced_at"] != {"nullValue": None} or time.monotonic() > until:
            return fields
        time.sleep(0.1)
