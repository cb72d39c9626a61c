"""``python -m bench.google``: the google backend on the official emulators, from trigger to report.

Everything is a process of its own, as on Google Cloud: two emulators, three functions, one server
of stub collectors. What an emulator takes says little about production; what is compared is the
machinery around it.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.__main__ import _stub

#: Longest wait for one run, in seconds.
PATIENCE_S = 300.0


def main() -> None:
    """Measure the runs that the options name, and print their figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.google", description=__doc__)
    parser.add_argument("--counts", default="4,50,200", help="N, comma-separated")
    parser.add_argument("--ms", default="0,1000", help="how long a collector takes, in ms")
    parser.add_argument("--limit", type=int, default=64, help="most calls at a time (64)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each kind (3)")
    arguments = parser.parse_args()
    print(f"{'collectors':>10} {'each':>8}  {'median':>8}  {'best':>8}  {'first':>8}")
    with _stub() as url:
        for ms in map(int, arguments.ms.split(",")):
            for count in map(int, arguments.counts.split(",")):
                took_s = _measure(f"{url}?ms={ms}", count, arguments.limit, arguments.rounds)
                middle, best, first = statistics.median(took_s), min(took_s), took_s[0]
                figures = f"{middle:>6.2f} s  {best:>6.2f} s  {first:>6.2f} s"
                print(f"{count:>10} {ms:>5} ms  {figures}", flush=True)


def _measure(url: str, count: int, limit: int, rounds: int) -> list[float]:
    with tempfile.TemporaryDirectory() as name:
        config = Path(name, "config.yaml")
        collectors = {f"c{number:04}": {"url": url} for number in range(count)}
        scheduler = {"max_concurrent_collectors": limit, "collectors": collectors}
        document = {"version": 2, "scheduler": scheduler, "report": {"folder": f"{name}/reports"}}
        config.write_text(json.dumps(document), encoding="utf-8")
        with _emulators(config) as hosts:
            os.environ.update(hosts)
            return [_one_run(hosts["GOOGLE_CLOUD_PROJECT"], count) for _ in range(rounds)]


def _one_run(project: str, count: int) -> float:
    """Return the seconds from the publish to the announced report of one run."""
    from fanfold.adapters.google.bus.pubsub import PubSubBus
    from fanfold.adapters.google.ledger import FirestoreLedger, store
    from fanfold.domain.model.request import RunRequest
    from fanfold.messages import run_request, topology

    ledger = FirestoreLedger(store.connect(project))
    run_id = f"bench-{time.time_ns()}"
    request = run_request.encode_run_request(RunRequest(run_id=run_id))
    bus = PubSubBus(project)
    started = time.perf_counter()
    bus.publish(topology.RUN_REQUESTS, [request])
    while (run := ledger.run(run_id)) is None or run.announced_at is None:
        assert time.perf_counter() - started < PATIENCE_S, "the run did not end"
        time.sleep(0.05)
    took_s = time.perf_counter() - started
    assert run.status.value == "succeeded" and run.asked == count, run.about
    ledger.close()
    return took_s


@contextmanager
def _emulators(config: Path) -> Iterator[dict[str, str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "fanfold.devstack"],
        env={**os.environ, "FANFOLD_CONFIG": str(config)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    hosts: dict[str, str] = {}
    try:
        for line in process.stdout:
            if line.strip() == "ready":
                break
            key, _, value = line.strip().partition("=")
            hosts[key] = value
        assert hosts, "the emulators did not start; see `make emulators-run`"
        yield hosts
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


if __name__ == "__main__":
    main()
