"""What is compared: each runs N collectors once and returns; every one in a process of its own.

``python -m bench.contestants NAME N LIMIT URL`` prints one JSON line of figures.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_LOCAL = threading.local()

#: Seconds on the wall, and of CPU.
Spent = tuple[float, float]


def old_design(count: int, limit: int, url: str) -> Spent:
    """Run the master scheduler as it was written: a thread pool, requests.post, a dict."""
    import requests

    def call(number: int) -> tuple[int, object]:
        answer = requests.post(url, json={"collector": f"c{number:05}"}, timeout=30)
        return number, answer.json()

    return _fan_out(call, count, limit)


def old_design_with_session(count: int, limit: int, url: str) -> Spent:
    """Run the same with a pooled Session for each thread; still keeps nothing."""
    import requests

    def call(number: int) -> tuple[int, object]:
        session = getattr(_LOCAL, "session", None)
        if session is None:
            session = _LOCAL.session = requests.Session()
        answer = session.post(url, json={"collector": f"c{number:05}"}, timeout=30)
        return number, answer.json()

    return _fan_out(call, count, limit)


def _fan_out(call: Callable[[int], tuple[int, object]], count: int, limit: int) -> Spent:
    started, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(limit) as pool:
        results = dict(pool.map(call, range(count)))
    report = json.dumps({"collectors": results, "summary": {"total": len(results)}})
    assert len(results) == count and report
    return time.perf_counter() - started, time.process_time() - cpu


def raw_libcurl(count: int, limit: int, url: str) -> Spent:
    """Make the calls with libcurl's multi interface and nothing else: a connection for each."""
    import pycurl

    multi, idle, left, answered = pycurl.CurlMulti(), [], count, 0
    for _ in range(limit):
        handle = pycurl.Curl()
        for option, value in (
            (pycurl.URL, url),
            (pycurl.POSTFIELDS, b"{}"),
            (pycurl.FRESH_CONNECT, 1),
            (pycurl.FORBID_REUSE, 1),
            (pycurl.NOSIGNAL, 1),
            (pycurl.WRITEFUNCTION, lambda _: None),
        ):
            handle.setopt(option, value)
        idle.append(handle)
    started, cpu = time.perf_counter(), time.process_time()
    while answered < count:
        while idle and left:
            multi.add_handle(idle.pop())
            left -= 1
        multi.perform()
        multi.select(0.1)
        _, good, bad = multi.info_read()
        assert not bad
        for handle in good:
            multi.remove_handle(handle)
        idle += good
        answered += len(good)
    return time.perf_counter() - started, time.process_time() - cpu


def sqlite_commits(count: int, limit: int, url: str) -> Spent:
    """Store a lease and an answer for each collector, *limit* to a commit, and make no call."""
    del url
    document = json.dumps({"records": 5, "attempts": [{"number": 1, "status": 200}] * 3})
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder, "bench.db"), isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE job (name INTEGER PRIMARY KEY, lease TEXT)")
        connection.execute("CREATE TABLE answer (name INTEGER PRIMARY KEY, document TEXT)")
        started, cpu = time.perf_counter(), time.process_time()
        for first in range(0, count, limit):
            connection.execute("BEGIN IMMEDIATE")
            for number in range(first, min(first + limit, count)):
                connection.execute("INSERT INTO job VALUES (?, 'held')", (number,))
                connection.execute("INSERT INTO answer VALUES (?, ?)", (number, document))
            connection.execute("COMMIT")
        spent = time.perf_counter() - started, time.process_time() - cpu
        connection.close()
    return spent


def fanfold(count: int, limit: int, url: str) -> Spent:
    """Run fanfold's embedded backend: every step durable, one report with its page."""
    from bench.embedded import run_once

    with tempfile.TemporaryDirectory() as folder:
        return run_once(Path(folder), count, limit, url)


def fanfold_warm(count: int, limit: int, url: str) -> Spent:
    """Run fanfold five times in one warm process; the figure is the best of them."""
    from bench.embedded import run_warm

    with tempfile.TemporaryDirectory() as folder:
        return run_warm(Path(folder), count, limit, url)


def fanfold_idle(count: int, limit: int, url: str) -> Spent:
    """Let fanfold wait for *count* seconds with nothing to do."""
    from bench.embedded import stay_idle

    with tempfile.TemporaryDirectory() as folder:
        return stay_idle(Path(folder), count, limit, url)


def neighbours(count: int, limit: int, url: str) -> Spent:
    """Run *count* collectors in one place, the others of *limit* held by hostile ones."""
    from bench.embedded import run_beside_hostile

    with tempfile.TemporaryDirectory() as folder:
        return run_beside_hostile(Path(folder), count, limit, url)


CONTESTANTS: dict[str, Callable[[int, int, str], Spent]] = {
    "old": old_design,
    "old-session": old_design_with_session,
    "raw-libcurl": raw_libcurl,
    "sqlite-commits": sqlite_commits,
    "fanfold": fanfold,
    "fanfold-warm": fanfold_warm,
    "fanfold-idle": fanfold_idle,
    "neighbours": neighbours,
}


def _pss_bytes() -> int:
    """Return this process's proportional share of memory now (Linux), else its peak."""
    try:
        text = Path("/proc/self/smaps_rollup").read_text("ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return (
        next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) * 1024
    )


def main() -> None:
    """Run one contestant and print its figures."""
    name, count, limit, url = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    wall_s, cpu_s = CONTESTANTS[name](count, limit, url)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "wall_s": wall_s,
                "cpu_s": cpu_s,
                "peak_bytes": usage.ru_maxrss * 1024,
                "pss_bytes": _pss_bytes(),
            }
        )
    )


if __name__ == "__main__":
    main()
