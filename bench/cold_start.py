"""``python -m bench.cold_start``: each function's first handled event, over a hello world's.

From the start of its process until the first event is handled, on the official emulators. The hello
world (:mod:`bench.hello.main`) has the same server and loads the same libraries: Google's clients
that the event needs, and PyYAML and pydantic where the configuration is read. Rounds alternate, and
medians of wall and CPU seconds are compared.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.api_core.exceptions import ServiceUnavailable
from google.api_core.retry import Retry, if_exception_type

from bench.__main__ import _stub
from bench.scale import _spent
from fanfold.devstack import emulators
from fanfold.devstack.processes import Child, Served, end_all, free_ports
from fanfold.devstack.topics import create_topology

#: The clients of one function and another.
FIRESTORE, PUBSUB, CURL = "google.cloud.firestore", "google.pubsub_v1", "pycurl"
CONFIGURATION = ("yaml", "pydantic")

#: Two collectors, so that the result of one ends no run.
RUN, COLLECTORS = "cold", ("one", "other")


@dataclass(frozen=True)
class FirstEvent:
    """The first event of one function: what comes, by which subscription, and what it loads."""

    function: str
    subscription: str
    document: Mapping[str, Any]
    libraries: tuple[str, ...]
    attributes: Mapping[str, str]


_JOB = {"run_id": RUN, "collector": COLLECTORS[0]}

#: In the order of a run's life: each finds what the one before it has stored.
EVENTS = {
    "dispatcher: a run": FirstEvent(
        "dispatcher", "run-requests", {"run_id": RUN}, (FIRESTORE, PUBSUB, *CONFIGURATION), {}
    ),
    "relay: a job": FirstEvent(
        "collector_relay", "collector-jobs", _JOB, (FIRESTORE, PUBSUB, CURL), {}
    ),
    "aggregator: a result": FirstEvent("aggregator", "collector-results", _JOB, (FIRESTORE,), {}),
    "aggregator: a sweep": FirstEvent(
        "aggregator",
        "sweep-ticks",
        {},
        (FIRESTORE, *CONFIGURATION),
        {"ce-type": "dev.fanfold.sweep.tick.v1"},
    ),
}


def main() -> None:
    """Measure, and print a line for each function."""
    parser = argparse.ArgumentParser(prog="python -m bench.cold_start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds (5)")
    rounds = parser.parse_args().rounds
    took: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as name, _stub() as url, _emulators(Path(name)):
        config = _configuration(Path(name), url)
        for number in range(rounds):
            # A project of its own: an empty ledger.
            project = f"demo-cold-{number}"
            # An emulator that listens is not yet quick.
            Retry(if_exception_type(ServiceUnavailable), timeout=60)(create_topology)(project)
            env = {
                "FANFOLD_BACKEND": "google",
                "FANFOLD_CONFIG": str(config),
                "GOOGLE_CLOUD_PROJECT": project,
                "HELLO_COLLECTOR": url,
            }
            for event, first in EVENTS.items():
                print(f"  {event}, round {number + 1}/{rounds} …", file=sys.stderr)
                took.setdefault(f"hello, {event}", []).append(
                    _first_event("hello", "bench/hello/main.py", first, env, Path(name))
                )
                source = f"functions/{first.function}/main.py"
                took.setdefault(event, []).append(
                    _first_event(first.function, source, first, env, Path(name))
                )
    _print(took)


def _print(took: Mapping[str, list[tuple[float, float]]]) -> None:
    print(f"{'':<22}{'wall':>9}{'hello':>9}{'ratio':>8}{'CPU':>10}{'hello':>9}{'ratio':>8}")
    for event in EVENTS:
        (wall_s, cpu_s), (hello_wall_s, hello_cpu_s) = (
            [statistics.median(column) for column in zip(*took[name], strict=True)]
            for name in (event, f"hello, {event}")
        )
        print(
            f"{event:<22}{wall_s:>7.2f} s{hello_wall_s:>7.2f} s{wall_s / hello_wall_s:>8.2f}"
            f"{cpu_s:>8.2f} s{hello_cpu_s:>7.2f} s{cpu_s / hello_cpu_s:>8.2f}"
        )


def _first_event(
    target: str, source: str, first: FirstEvent, env: Mapping[str, str], folder: Path
) -> tuple[float, float]:
    """Return the seconds, of wall and of CPU, from the start to the first handled event."""
    (port,) = free_ports(1)
    libraries = {"HELLO_IMPORTS": ",".join(first.libraries), "THREADS": "8"}
    served = Served(target, Path(source).absolute(), target, port, {**env, **libraries})
    child = served.child(folder)
    started = time.perf_counter()
    child.start()
    try:
        child.await_ready()
        status = _post(served.url, first)
        wall_s = time.perf_counter() - started
        assert status < 300, child.log.read_text("utf-8")[-3000:]
        assert child.process is not None
        return wall_s, _spent(child.process.pid)[1]
    finally:
        child.end()


def _post(url: str, first: FirstEvent) -> int:
    message = {
        "data": base64.b64encode(json.dumps(first.document).encode()).decode(),
        "attributes": first.attributes,
        "messageId": "1",
        "publishTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    pushed = {
        "message": message,
        "subscription": f"projects/demo/subscriptions/{first.subscription}",
        "deliveryAttempt": 1,
    }
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(pushed).encode(), headers, method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        status: int = answer.status
    return status


def _configuration(folder: Path, url: str) -> Path:
    collectors = {name: {"url": url, "auth": "none"} for name in COLLECTORS}
    document = {
        "version": 2,
        "scheduler": {"collectors": collectors},
        "report": {"folder": f"{folder}/reports"},
    }
    path = folder / "config.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@contextmanager
def _emulators(folder: Path) -> Iterator[None]:
    pubsub, firestore = free_ports(2)
    children = [
        Child("pubsub", emulators.pubsub_command(pubsub, "demo"), _url(pubsub), folder / "p.log"),
        Child("firestore", emulators.firestore_command(firestore), _url(firestore), folder / "f"),
    ]
    os.environ["PUBSUB_EMULATOR_HOST"] = f"127.0.0.1:{pubsub}"
    os.environ["FIRESTORE_EMULATOR_HOST"] = f"127.0.0.1:{firestore}"
    try:
        for child in children:
            child.start()
        for child in children:
            child.await_ready()
        yield
    finally:
        end_all(children)


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}/"


if __name__ == "__main__":
    main()
