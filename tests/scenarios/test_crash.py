"""Processes die, and come back; the run ends all the same. Real processes, really killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.scenarios.collectors import Collectors, Says
from tests.scenarios.embedded import EmbeddedWorld
from tests.scenarios.world import PATIENCE_S, check_balance

from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.ledger import SqliteLedger

NAMES = [f"c{number:02}" for number in range(40)]

#: Outcomes that no result event changes any more.
ENDED = {"succeeded", "failed", "cancelled"}


class Machine:
    """One machine: a configuration, a file, and the ``fanfold`` processes that share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "FANFOLD_CONFIG": str(folder / "config.yaml"),
            "FANFOLD_DB": str(folder / "fanfold.db"),
        }
        self.serving: list[subprocess.Popen[bytes]] = []

    def serve(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "fanfold", "serve", "--port", "0"],
            env=self.environment,
            stdout=subprocess.DEVNULL,
        )
        self.serving.append(process)
        return process

    def fanfold(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "fanfold", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def report(self, run_id: str) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE_S
        while True:
            asked = self.fanfold("status", run_id, "--format", "json")
            if asked.stdout and json.loads(asked.stdout)["status"] in ENDED:
                break
            assert time.monotonic() < until, asked
            time.sleep(0.2)
        report: dict[str, Any] = json.loads(
            self.fanfold("report", run_id, "--format", "json").stdout
        )
        check_balance(report)
        return report

    def answered(self, run_id: str) -> set[str]:
        ledger = SqliteLedger(Database(self.folder / "fanfold.db"))
        try:
            return {answer.collector for answer in ledger.answers(run_id)}
        finally:
            ledger.close()


@pytest.fixture
def machine(tmp_path: Path, collectors: Collectors) -> Iterator[Machine]:
    for name in NAMES:
        collectors.script[name] = lambda *_: Says(wait_s=0.2)
    EmbeddedWorld.configure_in(tmp_path, collectors, NAMES, max_concurrent_collectors=8)
    machine = Machine(tmp_path)
    yield machine
    for process in machine.serving:
        process.kill()
        process.wait()


def _start(machine: Machine) -> str:
    asked = machine.fanfold("run", "--no-wait")
    assert asked.returncode == 0, asked.stderr
    return asked.stdout.strip()


def _wait_until_asked(collectors: Collectors, count: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while len(collectors.asked) < count:
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.slow
def test_kill_9_in_the_middle_loses_nothing_and_repeats_nothing_recorded(
    machine: Machine, collectors: Collectors
) -> None:
    first = machine.serve()
    run_id = _start(machine)
    _wait_until_asked(collectors, 12)
    first.send_signal(signal.SIGKILL)
    first.wait()
    recorded, asked_before = machine.answered(run_id), len(collectors.asked)

    machine.serve()
    report = machine.report(run_id)

    assert recorded
    assert len(recorded) < len(NAMES)
    assert report["summary"]["succeeded"] == len(NAMES)
    asked_again = {asked.collector for asked in collectors.asked[asked_before:]}
    assert not asked_again & recorded
    assert max(collectors.counts().values()) <= 2


@pytest.mark.slow
def test_two_processes_on_one_file_write_one_report(
    machine: Machine, collectors: Collectors
) -> None:
    EmbeddedWorld.configure_in(machine.folder, collectors, NAMES, defaults={"on_overlap": "allow"})
    machine.serve()
    machine.serve()
    run_ids = [_start(machine) for _ in range(2)]
    reports = [machine.report(run_id) for run_id in run_ids]

    assert [report["summary"]["succeeded"] for report in reports] == [len(NAMES)] * 2
    assert collectors.counts() == dict.fromkeys(NAMES, 2)
    for run_id in run_ids:
        kept = sorted(path.name for path in (machine.folder / "reports" / run_id).iterdir())
        assert kept == ["report.html", "report.json"]


@pytest.mark.slow
def test_sigterm_finishes_or_releases_what_is_in_hand(
    machine: Machine, collectors: Collectors
) -> None:
    first = machine.serve()
    run_id = _start(machine)
    _wait_until_asked(collectors, 12)
    first.terminate()

    assert first.wait(timeout=30) == 0
    machine.serve()
    report = machine.report(run_id)

    assert report["summary"]["succeeded"] == len(NAMES)
    assert collectors.counts() == dict.fromkeys(NAMES, 1)
