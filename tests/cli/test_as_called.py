"""A proposed command works when it is pasted, however the command that proposes it was called."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys

import pytest
from tests.cli.conftest import Folder

from fanfold.cli.output.as_called import as_called, called, options_of, program_of
from fanfold.cli.output.words import RUN_WHAT_IS_DUE, help_of, next_line, next_row, status_in

OPTIONS = (("--config", "my file.yaml"), ("--db", "x.db"))


def proposed(said: str) -> str:
    """Return the last command that the output proposes."""
    lines = [each.strip() for each in said.splitlines()]
    found = [each for each in lines if each.startswith(("next: ", "next  "))]
    return found[-1].removeprefix("next:").removeprefix("next").strip()


@pytest.mark.parametrize("program", [["venv/bin/python", "-m", "fanfold"], ["venv/bin/fanfold"]])
def test_the_proposed_retry_can_be_pasted(folder: Folder, program: list[str]) -> None:
    """By a path that is not on PATH, with options, from the folder where it was typed."""
    folder.configure({"dvf": "fail", "sirene": "ok"})
    folder.path.joinpath("config.yaml").rename("some file.yaml")
    folder.path.joinpath("venv").symlink_to(sys.prefix)
    env = {key: text for key, text in os.environ.items() if not key.startswith("FANFOLD_")}
    command = [*program, "run", "-c", "some file.yaml", "--db=other.db"]
    failed = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert failed.returncode == 1, failed.stderr

    pasted = proposed(failed.stdout)
    again = subprocess.run(pasted, env=env, shell=True, capture_output=True, text=True, check=False)

    assert shlex.split(pasted)[: len(program)] == program
    assert again.returncode == 1, again.stderr
    assert "retry of" in again.stderr


def test_the_command_on_the_path_is_proposed_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/fanfold")
    assert program_of("/usr/bin/fanfold", "/usr/bin/python3") == "fanfold"
    assert program_of(".venv/bin/fanfold", ".venv/bin/python") == ".venv/bin/fanfold"
    assert program_of("/my dir/fanfold", "python") == "'/my dir/fanfold'"
    assert program_of("/x/site-packages/fanfold/__main__.py", "python3") == "python3 -m fanfold"
    assert program_of("/x/pytest/__main__.py", "python3") == "fanfold"


def test_the_options_that_say_where_things_are_go_along_once() -> None:
    with called(["-c", "my file.yaml", "run", "--db=x.db", "-v", "--", "--backend", "google"]):
        assert next_line(RUN_WHAT_IS_DUE).startswith(
            "  next: fanfold --config 'my file.yaml' --db x.db run --due   # "
        )
        assert next_row(status_in("y.db")) == (
            "  next    fanfold --config 'my file.yaml' --db y.db status"
        )
        assert as_called(help_of("run")) == "fanfold run --help"
    assert next_row(help_of()) == "  next    fanfold --help"


def test_the_last_of_an_option_counts() -> None:
    assert options_of(["--db", "a", "-c", "my file.yaml", "--db=x.db"]) == OPTIONS[::-1]
    assert options_of(["run", "-c"]) == (("--config", ""),)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("set report.folder, then fanfold check", "set report.folder, then fanfold --db d check"),
        ("cp a b && fanfold check", "cp a b && fanfold --db d check"),
        ("pip install 'fanfold[cli]'", "pip install 'fanfold[cli]'"),
        ("fanfold --db fanfold.db status", "fanfold --db fanfold.db status"),
        ("fanfold run   # or fanfold demo", "fanfold --db d run   # or fanfold demo"),
        ("df -h   # fanfold", "df -h   # fanfold"),
    ],
)
def test_only_what_the_shell_runs_is_written_anew(command: str, expected: str) -> None:
    with called(["--db", "d"]):
        assert as_called(command) == expected
