"""Processes die, and come back; the run ends all the same. Real processes, really killed."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.scenarios.collectors import Collectors, Says
from tests.scenarios.embedded import EmbeddedWorld
from tests.scenarios.machine import Machine, wait_until_asked

NAMES = [f"c{number:02}" for number in range(40)]


@pytest.fixture
def machine(tmp_path: Path, collectors: Collectors) -> Iterator[Machine]:
    for name in NAMES:
        collectors.script[name] = lambda *_: Says(wait_s=0.2)
    EmbeddedWorld.configure_in(tmp_path, collectors, NAMES, max_concurrent_collectors=8)
    machine = Machine(tmp_path)
    yield machine
    machine.stop()


@pytest.mark.slow
def test_kill_9_in_the_middle_loses_nothing_and_repeats_nothing_recorded(
    machine: Machine, collectors: Collectors
) -> None:
    first = machine.serve()
    run_id = machine.ask_for_a_run()
    wait_until_asked(collectors, 12)
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
    run_ids = [machine.ask_for_a_run() for _ in range(2)]
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
    run_id = machine.ask_for_a_run()
    wait_until_asked(collectors, 12)
    first.terminate()

    assert first.wait(timeout=30) == 0
    machine.serve()
    report = machine.report(run_id)

    assert report["summary"]["succeeded"] == len(NAMES)
    assert collectors.counts() == dict.fromkeys(NAMES, 1)
