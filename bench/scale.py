"""``python -m bench.scale``: one run of 10,000 collectors on the official emulators, and its cost.

Everything is a process of its own, as on Google Cloud. For each the memory at its peak and the CPU
are read from /proc, so that the emulators' share is known; Firestore's reads and writes are counted
in the functions (:mod:`bench.counted.sitecustomize`); the sizes of documents are read back.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.__main__ import _stub

MIB = 1024 * 1024

#: How often the run is looked at, in seconds: looking reads as well.
LOOK_EVERY_S = 1.0

#: A process of the stack as it introduces itself on stderr.
_CHILD = re.compile(r"(?P<name>\w+): pid (?P<pid>\d+), \S+ log (?P<log>\S+)")


def main() -> None:
    """Start everything, make one run, and print what it took."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="collectors (10,000)")
    parser.add_argument("--limit", type=int, default=64, help="most calls at a time (64)")
    parser.add_argument("--patience", type=float, default=1800, help="longest wait in s (1,800)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, _stub() as url:
        folder = Path(name)
        config = _configuration(folder, url, arguments.count, arguments.limit)
        with _stack(config, folder) as children:
            figures = _one_run(arguments.count, arguments.patience)
            _print(figures)
            _print({f"Firestore: {key}": each for key, each in _counts(folder).items()})
            for child, (pid, log) in children.items():
                peak_mib, cpu_s = _spent(pid)
                print(f"{child:>16}  {peak_mib:6.0f} MiB at most  {cpu_s:7.1f} s CPU")
                if child == "aggregator":
                    _print(_sweeps(log))


def _configuration(folder: Path, url: str, count: int, limit: int) -> Path:
    collectors = {f"collector-{number:05}": {"url": url} for number in range(count)}
    scheduler = {"max_concurrent_collectors": limit, "collectors": collectors}
    document = {"version": 2, "scheduler": scheduler, "report": {"folder": f"{folder}/reports"}}
    path = folder / "config.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@contextmanager
def _stack(config: Path, folder: Path) -> Iterator[dict[str, tuple[int, Path]]]:
    """Give pid and log of each process of the stack, by its name."""
    counts = folder / "counts"
    counts.mkdir()
    said = folder / "said.txt"
    env = {
        **os.environ,
        "FANFOLD_CONFIG": str(config),
        "BENCH_COUNTS": str(counts),
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent / "counted"), *sys.path]),
    }
    with said.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "fanfold.devstack", "--sweep-every=60"],
            env=env,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    assert process.stdout
    try:
        for line in process.stdout:
            if line.strip() == "ready":
                break
            key, _, value = line.strip().partition("=")
            os.environ[key] = value
        found = _CHILD.finditer(said.read_text("utf-8"))
        yield {
            **{each["name"]: (int(each["pid"]), Path(each["log"])) for each in found},
            "bridge": (process.pid, said),
        }
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def _one_run(count: int, patience_s: float) -> dict[str, Any]:
    """Return what one run of *count* collectors took, in seconds and bytes."""
    from fanfold.adapters.google.bus.pubsub import PubSubBus
    from fanfold.adapters.google.ledger import FirestoreLedger, store
    from fanfold.domain.model.request import RunRequest
    from fanfold.messages import run_request, topology

    project = os.environ["GOOGLE_CLOUD_PROJECT"]
    client = store.connect(project)
    ledger = FirestoreLedger(client)
    PubSubBus(project).publish(
        topology.RUN_REQUESTS, [run_request.encode_run_request(RunRequest(run_id="scale"))]
    )
    started, asked_at = time.perf_counter(), time.time()
    while (run := ledger.run("scale")) is None or run.announced_at is None:
        assert time.perf_counter() - started < patience_s, f"the run did not end: {run}"
        time.sleep(LOOK_EVERY_S)
    answers = ledger.answers("scale")
    assert len(answers) == count and run.status.value == "succeeded", run.about
    last = max(each.end_time for each in answers)
    assert run.dispatched_at is not None
    document = client.collection("fanfold_runs").document("scale")
    figures = {
        "trigger to dispatched, s": run.dispatched_at.timestamp() - asked_at,
        "trigger to last answer, s": last.timestamp() - asked_at,
        "last answer to announced, s": (run.announced_at - last).total_seconds(),
        "run document, bytes": _bytes_of(document.get().to_dict()),
        **_largest(document),
    }
    ledger.close()
    return figures


def _largest(document: Any) -> dict[str, int]:
    """Return the size of the largest document of each collection below *document*, in bytes."""
    sizes = {}
    for below in document.collections():
        all_bytes = [_bytes_of(each.to_dict()) for each in below.stream()]
        sizes[f"{below.id}: documents"] = len(all_bytes)
        sizes[f"{below.id}: the largest, bytes"] = max(all_bytes)
    return sizes


def _bytes_of(fields: Mapping[str, Any] | None) -> int:
    from google.cloud.firestore_v1 import _helpers

    encoded = _helpers.encode_dict(fields or {})
    return sum(len(name) + len(type(each).serialize(each)) for name, each in encoded.items())


def _counts(folder: Path) -> Counter[str]:
    time.sleep(1.0)  # until the last figures are written
    total: Counter[str] = Counter()
    for path in (folder / "counts").glob("*.json"):
        total.update(json.loads(path.read_text("utf-8")))
    return total


def _spent(pid: int) -> tuple[float, float]:
    """Return the peak memory in MiB and the CPU seconds of *pid* and its children."""
    peak_mib, cpu_s = 0.0, 0.0
    for each in (pid, *_children(pid)):
        status = Path(f"/proc/{each}/status").read_text("utf-8")
        peak_mib += int(status.partition("VmHWM:")[2].split()[0]) / 1024
        fields = Path(f"/proc/{each}/stat").read_text("utf-8").rpartition(")")[2].split()
        cpu_s += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        if "fanfold.devstack" in Path(f"/proc/{each}/cmdline").read_text("utf-8"):
            break  # its children stand in lines of their own
    return peak_mib, cpu_s


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8")
    return [int(each) for each in text.split()]


def _sweeps(log: Path) -> dict[str, float]:
    """Return how long the sweeps took that the aggregator's *log* tells of."""
    took_ms = [
        json.loads(line).get("duration_ms", 0.0)
        for line in log.read_text("utf-8", "replace").splitlines()
        if line.startswith("{") and ("swept" in line or "nothing to sweep" in line)
    ]
    return {"sweeps": len(took_ms), "the longest sweep, ms": max(took_ms, default=0.0)}


def _print(figures: Mapping[str, Any]) -> None:
    for name, figure in figures.items():
        shown = f"{figure:,.1f}" if isinstance(figure, float) else f"{figure:,}"
        print(f"{name:>34}  {shown}", flush=True)


if __name__ == "__main__":
    main()
