"""``make run`` on a fresh checkout is no silent minute."""

from __future__ import annotations

import subprocess

from tools.bundle import ROOT


def test_each_long_step_of_the_installation_is_said_before_it_begins() -> None:
    command = ["make", "--no-print-directory", "--dry-run", "--always-make", "run"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    lines = done.stdout.splitlines()
    for slow in (" -m venv ", "--require-hashes", "--no-build-isolation"):
        number = next(number for number, line in enumerate(lines) if slow in line)
        assert lines[number - 1].startswith("echo "), lines[number]
    assert lines[-1].endswith("fanfold demo")
