"""``fanfold demo``: four collectors, one run, and nothing left behind."""

from __future__ import annotations

import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.cli.conftest import Folder, Printed, ended

from fanfold.devstack.example_collectors import examples_root

pytestmark = pytest.mark.slow


def demo(folder: Folder, *arguments: str) -> subprocess.Popen[str]:
    """Start the demo with its database in the test's folder and the checkout's configuration."""
    config = str(examples_root() / "config/config.yaml")
    return folder.spawn("demo", *arguments, FANFOLD_CONFIG=config)


def collectors_left(folder: Folder) -> list[str]:
    """Return the processes that still ask samples for this test's folder."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"PWD_OF_TEST={folder.path}".encode() in environ.read_bytes():
                found.append(environ.parent.name)
        except OSError:
            continue
    return found


def test_it_succeeds_offline(folder: Folder) -> None:
    said = ended(demo(folder))
    assert said.code == 0, said.err
    assert said.out.splitlines()[-1].startswith("✓ all 4 succeeded")
    assert (folder.path / "fanfold.db").exists()
    assert list(folder.path.glob("reports/*/report.html"))


def test_what_it_proposes_shows_its_run_wherever_it_is_pasted(folder: Folder) -> None:
    said = ended(demo(folder, "--fault", "plu=empty"))
    (following,) = [line for line in said.out.splitlines() if line.startswith("  next ")]
    typed = shlex.split(following)
    arguments = typed[typed.index("--config") :]
    shown = folder.run(*arguments)

    assert arguments[-1] == "status"
    assert shown.code == 1, shown
    assert "1 of 4 does not succeed: plu" in shown.out


def test_a_fault_fails_the_run(folder: Folder) -> None:
    said = ended(demo(folder, "--fault", "plu=empty", "--fault", "dvf=garbage"))
    assert said.code == 1, said.err
    assert "2 of 4 succeeded" in said.out.splitlines()[-1]
    unknown = ended(demo(folder, "--fault", "plux=empty"))
    assert (unknown.code, "did you mean 'plu'" in unknown.err) == (2, True)


def test_an_interrupted_demo_leaves_no_collector(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PWD_OF_TEST", str(folder.path))
    process = demo(folder, "--keep")
    time.sleep(4)
    process.send_signal(signal.SIGINT)
    said: Printed = ended(process)
    assert "Traceback" not in said.err
    monkeypatch.delenv("PWD_OF_TEST")
    assert collectors_left(folder) == []
