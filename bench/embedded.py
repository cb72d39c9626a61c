"""The embedded backend under the benchmark: the same service that ``fanfold run`` hosts."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from fanfold.domain.model.collector import Catalogue, Collector, CollectorSpec
from fanfold.domain.model.request import RunRequest
from fanfold.logs import silent
from fanfold.messages import run_request, topology
from fanfold.runtime import service
from fanfold.runtime.embedded import embedded_parts
from fanfold.runtime.parts import Parts
from fanfold.settings import Settings

#: How often the benchmark looks whether the run is announced, in seconds, by number of collectors:
#: looking is work too.
LOOK_EVERY_S = {4: 0.001}
LOOK_SELDOM_S = 0.01

#: What hostile collectors do: see :class:`bench.stub.Stub`.
HOSTILE = ("hang", "drip", "flood", "lie")


def run_once(folder: Path, count: int, limit: int, url: str) -> tuple[float, float]:
    """Return the seconds, of wall and of CPU, from trigger to announced report of one run."""
    running, one_run = _service(folder, count, limit, url)
    try:
        return one_run()
    finally:
        running.stop()


def run_warm(folder: Path, count: int, limit: int, url: str) -> tuple[float, float]:
    """Return the best of five runs in one process, after one to warm up."""
    running, one_run = _service(folder, count, limit, url)
    try:
        one_run()
        return min(one_run() for _ in range(5))
    finally:
        running.stop()


def stay_idle(folder: Path, seconds: int, limit: int, url: str) -> tuple[float, float]:
    """Return the seconds, of wall and of CPU, of a service without anything to do."""
    running, _ = _service(folder, 4, limit, url)
    try:
        started, cpu = time.perf_counter(), time.process_time()
        time.sleep(seconds)
        return time.perf_counter() - started, time.process_time() - cpu
    finally:
        running.stop()


def run_beside_hostile(folder: Path, count: int, limit: int, url: str) -> tuple[float, float]:
    """Return the seconds that *count* collectors take in one place of *limit*.

    Hostile collectors hold the other places from before to after: they hang, drip, flood and lie.
    """
    bad = [f"{url}?hostile={HOSTILE[number % len(HOSTILE)]}" for number in range(limit - 1)]
    parts, running = _started(folder, [*bad, *[url] * count], limit)
    try:
        cpu = time.process_time()
        request = run_request.encode_run_request(RunRequest(run_id="bench-1"))
        parts.bus.publish(topology.RUN_REQUESTS, [request])
        while len(answers := parts.ledger.answers("bench-1")) < count:
            time.sleep(LOOK_SELDOM_S * 5)
        assert all(each.outcome.value == "succeeded" for each in answers)
        began = min(each.start_time for each in answers if each.start_time)
        took_s = (max(each.end_time for each in answers) - began).total_seconds()
        return took_s, time.process_time() - cpu
    finally:
        running.stop(grace_s=0.0)


def _started(folder: Path, urls: list[str], limit: int) -> tuple[Parts, service.Service]:
    catalogue = Catalogue(
        tuple(Collector(CollectorSpec(f"c{number:05}", url)) for number, url in enumerate(urls)),
        max_concurrent_collectors=limit,
        report_to=str(folder / "reports"),
        version="bench",
    )
    settings = Settings(database=folder / "fanfold.db")
    parts, owner = embedded_parts(settings, {}, log=silent, catalogue=lambda: catalogue)
    running = service.embedded_service(
        parts, owner, max_concurrent=limit, schedules=False, listen=None
    )
    running.start()
    return parts, running


def _service(
    folder: Path, count: int, limit: int, url: str
) -> tuple[service.Service, Callable[[], tuple[float, float]]]:
    parts, running = _started(folder, [url] * count, limit)
    number = 0

    def one_run(collectors: tuple[str, ...] | None = None) -> tuple[float, float]:
        nonlocal number
        number += 1
        run_id = f"bench-{number}"
        started, cpu = time.perf_counter(), time.process_time()
        request = run_request.encode_run_request(RunRequest(run_id=run_id, collectors=collectors))
        parts.bus.publish(topology.RUN_REQUESTS, [request])
        while (run := parts.ledger.run(run_id)) is None or run.announced_at is None:
            time.sleep(LOOK_EVERY_S.get(count, LOOK_SELDOM_S))
        spent = time.perf_counter() - started, time.process_time() - cpu
        asked = count if collectors is None else len(collectors)
        # Counted, not read: what the benchmark holds is measured as well.
        assert parts.ledger.all_answered(run_id, asked) and run.status.value == "succeeded"
        return spent

    # The first run loads the libraries of client and page: what is measured is the work.
    one_run(("c00000",))
    return running, one_run
