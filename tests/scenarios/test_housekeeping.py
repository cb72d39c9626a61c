"""Logs, files, descriptors and processes fail; the run ends all the same. Real processes."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.scenarios.collectors import Collectors, Says
from tests.scenarios.embedded import EmbeddedWorld
from tests.scenarios.machine import Machine, free_port, wait_until_asked

NAMES = [f"c{number:02}" for number in range(32)]


@pytest.fixture
def machine(tmp_path: Path, collectors: Collectors) -> Iterator[Machine]:
    for name in NAMES:
        collectors.script[name] = lambda *_: Says(wait_s=0.1)
    EmbeddedWorld.configure_in(tmp_path, collectors, NAMES, max_concurrent_collectors=8)
    machine = Machine(tmp_path)
    yield machine
    machine.stop()


def pipe_of_one_page() -> tuple[int, int]:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    return reader, writer


@pytest.mark.slow
@pytest.mark.parametrize("log", ["dead reader", "paused reader", "/dev/full", "closed"])
def test_a_log_that_cannot_be_written_stops_no_run(machine: Machine, log: str) -> None:
    port, reader, stdout = free_port(), -1, -1
    before = {"/dev/full": 'exec "$@" >/dev/full', "closed": 'exec "$@" >&-'}.get(log, 'exec "$@"')
    if "reader" in log:
        reader, stdout = pipe_of_one_page()
    process = machine.serve(port=port, before=before, stdout=stdout if reader >= 0 else None)
    if reader >= 0:
        os.close(stdout)
    if log == "dead reader":
        os.close(reader)
    report = machine.report(machine.ask_for_a_run())

    assert report["summary"]["succeeded"] == len(NAMES)
    token = machine.fanfold("console", "token").stdout.strip()
    status, state = machine.health(port, token)
    assert status == 200
    assert state["log"]["lost"] > 0
    assert state["log"]["why"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    if log == "paused reader":
        os.close(reader)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["deleted", "replaced"])
def test_a_service_ends_with_5_when_its_file_is_taken_away(machine: Machine, what: str) -> None:
    port = free_port()
    process = machine.serve(port=port)
    assert machine.health(port)[0] == 200
    path = machine.folder / "fanfold.db"
    if what == "replaced":
        shutil.copyfile(path, path.with_name("copy"))
        path.with_name("copy").rename(path)
    else:
        path.unlink()

    assert process.wait(20) == 5


@pytest.mark.slow
def test_sighup_ends_a_service_as_sigterm_does(machine: Machine) -> None:
    port = free_port()
    process = machine.serve(port=port)
    machine.health(port)
    process.send_signal(signal.SIGHUP)
    assert process.wait(20) == 0
    ignoring = machine.serve(port=port, before='trap "" HUP; exec "$@"')
    machine.health(port)
    ignoring.send_signal(signal.SIGHUP)
    time.sleep(1)
    assert ignoring.poll() is None


@pytest.mark.slow
def test_a_run_ends_with_40_descriptors_and_32_connections(
    machine: Machine, collectors: Collectors
) -> None:
    EmbeddedWorld.configure_in(machine.folder, collectors, NAMES, max_concurrent_collectors=32)
    machine.serve(before='ulimit -n 40; exec "$@"')
    report = machine.report(machine.ask_for_a_run())

    assert report["summary"]["succeeded"] == len(NAMES)
    assert [len(each["attempts"]) for each in report["collectors"].values()] == [1] * len(NAMES)


@pytest.mark.slow
def test_a_paused_process_holds_no_place_for_long(machine: Machine, collectors: Collectors) -> None:
    collectors.script["c00"] = lambda *_: Says(wait_s=1.0)
    collectors.script["c01"] = lambda *_: Says(wait_s=1.0)
    EmbeddedWorld.configure_in(
        machine.folder,
        collectors,
        NAMES,
        max_concurrent_collectors=2,
        run_timeout="5m",
        defaults={"timeout": "2m"},
    )
    paused = machine.serve()
    run_id = machine.ask_for_a_run()
    wait_until_asked(collectors, 2)
    paused.send_signal(signal.SIGSTOP)
    asked = len(collectors.asked)
    machine.serve()
    wait_until_asked(collectors, asked + 10)
    paused.send_signal(signal.SIGCONT)

    assert machine.report(run_id)["summary"]["succeeded"] == len(NAMES)


@pytest.mark.slow
def test_an_idle_service_takes_over_what_a_killed_one_held(
    machine: Machine, collectors: Collectors
) -> None:
    EmbeddedWorld.configure_in(
        machine.folder, collectors, ["c00"], run_timeout="10m", defaults={"timeout": "5m"}
    )
    collectors.script["c00"] = lambda _, before: Says(wait_s=0.0 if before else 60.0)
    first = machine.serve()
    run_id = machine.ask_for_a_run()
    wait_until_asked(collectors, 1)
    port = free_port()
    machine.serve(port=port)
    machine.health(port)
    first.kill()
    began = time.monotonic()
    wait_until_asked(collectors, 2)

    # A lease would hold the message for 20 s and the job for more than 5 minutes.
    assert time.monotonic() - began < 15
    assert machine.report(run_id)["summary"]["succeeded"] == 1


@pytest.mark.slow
def test_who_plants_a_report_is_not_believed(machine: Machine) -> None:
    machine.serve()
    run_id = machine.ask_for_a_run()
    truth = machine.report(run_id)
    stored = machine.folder / "reports" / run_id / "report.json"
    planted = stored.read_text("utf-8").replace('"status": "succeeded"', '"status": "failed"')
    assert planted != stored.read_text("utf-8")
    for how in ("changed", "linked"):
        stored.unlink()
        if how == "changed":
            stored.write_text(planted, "utf-8")
        else:
            (machine.folder / "elsewhere").write_text(planted, "utf-8")
            stored.symlink_to(machine.folder / "elsewhere")
        shown = machine.fanfold("status", run_id)
        assert shown.returncode == 0
        assert ("is not what the ledger says" in shown.stderr) == (how == "changed")
        assert machine.report(run_id) == truth
