"""Work that hangs is seen, and a process that is out of descriptors ends in order."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support import START, MovingClock, a_run, after

from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.messages import events
from fanfold.messages.topology import COLLECTOR_JOBS
from fanfold.ports.bus import Delivery, Message
from fanfold.runtime import health


def test_a_process_without_descriptors_ends_without_being_aborted() -> None:
    script = """
import os, resource, sys, threading, time
from fanfold.adapters.embedded import descriptors
if sys.argv[1] == "loaded":
    descriptors.load_for_the_end()
resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
def busy():
    while True:
        time.sleep(0.001)
for _ in range(8):
    threading.Thread(target=busy, daemon=True).start()
try:
    while True:
        os.open("/dev/null", os.O_RDONLY)
except OSError:
    sys.stdout.write("full")
"""
    for how in ("loaded", "bare"):
        done = subprocess.run(
            [sys.executable, "-c", script, how],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stdout == "full", done.stderr
        if how == "loaded":
            assert (done.returncode, done.stderr) == (0, "")


class Hanging:
    """Work that lasts until it is let go, and a clock, for :class:`health.WorkWatch`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, runs: Any) -> None:
        self.clock = MovingClock()
        self.watch = health.WorkWatch(runs, self.clock)
        self.go_on = threading.Event()
        self.now_s = 0.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now_s)

    def begin(self, subscription: str, message: Message) -> threading.Thread:
        begun = threading.Event()

        def hang(_: Delivery) -> None:
            begun.set()
            self.go_on.wait(20)

        work = self.watch.watched("collector_relay", hang)
        delivery = Delivery(message, "m1", START, subscription, 1)
        thread = threading.Thread(target=work, args=(delivery,), daemon=True)
        thread.start()
        assert begun.wait(20)
        return thread

    def later(self, seconds: float) -> list[str]:
        self.now_s += seconds
        self.clock.forward(seconds)
        return list(self.watch.standing_still())


def test_a_call_that_lasts_beyond_its_run_s_deadline_is_seen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ledger = SqliteLedger(Database(tmp_path / "fanfold.db"))
    ledger.create_run(a_run("r1", deadline=after(600)), [])
    work = Hanging(monkeypatch, ledger)
    job = events.encode_job("r1", "dvf", trace_id="a" * 32, at=START)
    thread = work.begin(COLLECTOR_JOBS, job)

    assert work.later(599) == []
    assert work.later(60) == []  # what came of it may still be stored
    assert work.later(2) == ["collector_relay hangs: it works on message m1 for 661 s"]
    work.go_on.set()
    thread.join(20)
    assert work.later(0) == []
    ledger.close()


def test_other_work_that_lasts_too_long_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Hanging(monkeypatch, None)
    thread = work.begin("collector-results", Message(b"{}", {}))
    assert work.later(health.WORK_S + health.MARGIN_S) == []
    assert work.later(1) == ["collector_relay hangs: it works on message m1 for 361 s"]
    work.go_on.set()
    thread.join(20)
