"""Each bundle as Cloud Run runs it: 80 requests at once in 512 MiB, one worker, 10 s after SIGTERM.

The functions work on the official emulators, with the clients that they have on Google Cloud. What
80 requests need at most is printed (``pytest -s``); docs/deploy.md has the figures.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from google.api_core.exceptions import ServiceUnavailable
from google.api_core.retry import Retry, if_exception_type
from pytest_httpserver import HTTPServer
from tests.bundle.deployed import Deployed, deploy
from tests.emulators import emulator
from tools.bundle import FUNCTIONS, bundle
from werkzeug import Request, Response

from fanfold.devstack.topics import create_topology

pytestmark = [pytest.mark.slow, pytest.mark.emulator, pytest.mark.timeout(600)]

#: Requests that Terraform lets an instance take at once (infra/functions.tf), and its memory.
AT_ONCE, MEMORY_MIB = 80, 512

#: Cloud Run kills what has not ended so long after SIGTERM, in seconds.
KILLED_AFTER_S = 10.0

#: The largest body that is read of a collector: the worst that 80 answers can weigh.
BODY = b'{"records": 7}' + b" " * 1_000_000

PROJECT = "demo-at-once"

NAMES = [f"c{number:02}" for number in range(AT_ONCE)]


class Collector:
    """Answers once 80 requests are there, and counts how many were there together."""

    def __init__(self) -> None:
        self.together = 0
        self._inside = 0
        self._all_there = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, _: Request) -> Response:
        with self._lock:
            self._inside += 1
            self.together = max(self.together, self._inside)
            if self.together == AT_ONCE:
                self._all_there.set()
        self._all_there.wait(60)
        with self._lock:
            self._inside -= 1
        return Response(BODY, content_type="application/json")


@pytest.fixture(scope="module")
def collector() -> Iterator[tuple[Collector, str]]:
    found = Collector()
    with HTTPServer(threaded=True) as server:
        server.expect_request("/together", method="POST").respond_with_handler(found)
        server.expect_request("/slow", method="POST").respond_with_handler(_slow)
        yield found, server.url_for("")


def _slow(_: Request) -> Response:
    time.sleep(3)
    return Response(BODY, content_type="application/json")


@pytest.fixture(scope="module")
def functions(
    tmp_path_factory: pytest.TempPathFactory, collector: tuple[Collector, str]
) -> Iterator[Mapping[str, Deployed]]:
    folder = tmp_path_factory.mktemp("at-once")
    config = folder / "config.yaml"
    lines = [f"    {name}: {{url: '{collector[1]}together'}}" for name in NAMES]
    lines += [f"    slow: {{url: '{collector[1]}slow'}}"]
    config.write_text(
        "version: 2\nscheduler:\n  max_concurrent_collectors: 80\n  defaults: {auth: none}\n"
        f"  collectors:\n{chr(10).join(lines)}\nreport: {{folder: '{folder / 'reports'}'}}\n"
    )
    bundle(config, folder / "build")
    with emulator("firestore", folder) as firestore, emulator("pubsub", folder) as pubsub:
        env = {
            "FANFOLD_BACKEND": "google",
            "FANFOLD_CALLBACK_KEY": "5f3a9c07b1e84d62a0f7c39be1d8462f",
            "FANFOLD_CONFIG": "config.yaml",
            "FIRESTORE_EMULATOR_HOST": firestore,
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "PUBSUB_EMULATOR_HOST": pubsub,
            "THREADS": str(AT_ONCE),
        }
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PUBSUB_EMULATOR_HOST", pubsub)
            # Busy machines need more than one try: an emulator that listens is not yet quick.
            Retry(if_exception_type(ServiceUnavailable), timeout=60)(create_topology)(PROJECT)
        serving: dict[str, Deployed] = {}
        try:
            for name in FUNCTIONS:
                archive = folder / "build" / f"{name}.zip"
                serving[name] = deploy(archive, folder / "serving", env)
            yield serving
        finally:
            for function in serving.values():
                function.stop()


def test_each_bundle_takes_eighty_requests_at_once_in_its_memory(
    functions: Mapping[str, Deployed], collector: tuple[Collector, str]
) -> None:
    dispatcher, relay, aggregator = (
        functions[name] for name in ("dispatcher", "collector_relay", "aggregator")
    )
    together = [{"run_id": "together", "collector": name} for name in NAMES]

    requests = [{"run_id": f"run-{name}", "dry_run": True} for name in NAMES]
    assert _at_once(dispatcher, "run-requests", requests) == {204}
    assert dispatcher.push("run-requests", {"run_id": "together", "collectors": NAMES}) == 204
    assert _at_once(relay, "collector-jobs", together) == {204}, relay.said()[-3000:]
    assert collector[0].together == AT_ONCE
    assert _at_once(aggregator, "collector-results", together) == {204}

    assert "the run is final" in aggregator.said()
    for function in (dispatcher, relay, aggregator):
        workers = _children(function.process.pid)
        assert len(workers) == 1
        peak_mib = sum(_peak_mib(pid) for pid in (function.process.pid, *workers))
        sys.stdout.write(f"\n{function.name}: {peak_mib:.0f} MiB at most\n")
        assert peak_mib < MEMORY_MIB


def test_a_call_under_way_is_answered_before_a_stopped_instance_is_killed(
    functions: Mapping[str, Deployed],
) -> None:
    relay = functions["collector_relay"]
    request = {"run_id": "slow", "collectors": ["slow"]}
    assert functions["dispatcher"].push("run-requests", request) == 204
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(relay.push, "collector-jobs", {"run_id": "slow", "collector": "slow"})
        time.sleep(1)
        stopped_at = time.monotonic()
        relay.process.send_signal(signal.SIGTERM)

        assert call.result() == 204
        assert time.monotonic() - stopped_at < KILLED_AFTER_S

    # The server then waits for nothing but itself. A kill at this point loses nothing.
    assert relay.process.wait(60) == 0


def _at_once(function: Deployed, topic: str, documents: Sequence[Mapping[str, object]]) -> set[int]:
    with ThreadPoolExecutor(len(documents)) as pool:
        return set(pool.map(lambda each: function.push(topic, each), documents))


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8")
    return [int(each) for each in text.split()]


def _peak_mib(pid: int) -> float:
    """Return the most memory that *pid* had at one time, shared memory included."""
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return float(line.split()[1]) / 1024
    raise AssertionError(f"{pid} has no VmHWM")
