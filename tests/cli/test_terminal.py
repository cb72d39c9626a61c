"""Where things are written, and what a terminal gets that a pipe does not."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from typing import Any

import pytest
from tests.cli.conftest import Folder

from fanfold.cli import exit_codes
from fanfold.cli.runs.follow import Follower


def on_a_terminal(folder: Folder, *arguments: str, **env: str) -> bytes:
    """Return what the command writes to stderr where that is a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "fanfold", *arguments],
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "90", "LINES": "30", **env},
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 65536):
            seen += chunk
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(ours)
    process.wait(timeout=30)
    return seen


def test_a_terminal_is_drawn_on_at_least_twice_a_second(folder: Folder) -> None:
    folder.configure({"dvf": "ok", "sirene": "slow/2"})
    started = time.monotonic()
    seen = on_a_terminal(folder, "run")
    spent_s = time.monotonic() - started
    assert "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏".encode()[:1] in seen
    pictures = seen.count(b"so far") + seen.count(b" done")
    assert 4 <= pictures <= 10 * spent_s
    assert b"\x1b[36m" in seen


def test_no_color_is_honoured_on_a_terminal(folder: Folder) -> None:
    seen = on_a_terminal(folder, "run", NO_COLOR="1")
    assert b"\x1b[3" not in seen
    assert b"dvf" in seen


def test_a_dumb_terminal_gets_plain_lines(folder: Folder) -> None:
    assert b"\x1b" not in on_a_terminal(folder, "run", TERM="dumb")


def test_color_can_be_forced_or_forbidden(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.run("run")
    assert "\x1b[" in folder.run("report", "--color", "always").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in folder.run("report").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in folder.run("report").out


def test_a_closed_pipe_is_no_bug(folder: Folder) -> None:
    folder.run("run")
    process = folder.spawn("report", "--format", "html")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(30) in (0, exit_codes.PIPE_CLOSED)
    assert process.stderr is not None
    assert process.stderr.read() == ""


def test_no_arguments_are_answered_with_help(folder: Folder) -> None:
    said = folder.run()
    assert said.code == 2
    assert said.err.startswith("Usage: fanfold")


def test_a_run_whose_report_cannot_be_written_is_given_up_on(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fanfold.cli.runs.follow.UNWRITTEN_AFTER_S", 0.3)
    original = Follower.follow

    def obstruct(follower: Follower) -> Any:
        folder.path.joinpath("reports").rmdir()
        folder.path.joinpath("reports").touch(exist_ok=False)
        return original(follower)

    monkeypatch.setattr(Follower, "follow", obstruct)
    folder.configure({"dvf": "slow/0.5"})  # no report is made before it is obstructed
    said = folder.run("run", "--run-id", "mine")
    assert said.code == 5
    assert "report cannot be written" in said.err
    assert "fanfold sweep" in said.err
    folder.path.joinpath("reports").unlink()
    assert folder.run("sweep").code == 0
    assert (folder.path / "reports/mine/report.json").exists()
