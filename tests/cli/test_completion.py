"""A Tab offers verbs, collectors and runs, and is never answered by an error."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Folder
from tests.support import a_run

from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.domain.model.states import RunStatus


def offered(folder: Folder, line: str) -> list[str]:
    """Return what bash is offered at the end of *line*."""
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(len(shlex.split(line + "x")) - 1)}
    done = subprocess.run(
        [sys.executable, "-m", "fanfold"],
        cwd=folder.path,
        env={**os.environ, **asked, "_FANFOLD_COMPLETE": "complete_bash"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_verbs_collectors_and_runs_are_offered(folder: Folder) -> None:
    assert offered(folder, "fanfold doc") == ["doctor"]
    assert offered(folder, "fanfold run ") == ["dvf", "sirene"]
    assert offered(folder, "fanfold run dvf si") == ["sirene"]
    assert offered(folder, "fanfold history --collector d") == ["dvf"]
    assert folder.run("run", "--run-id", "mine").code == 0
    assert offered(folder, "fanfold status ") == ["latest", "mine"]
    assert offered(folder, "fanfold retry mi") == ["mine"]
    assert offered(folder, "fanfold --db other.db report ") == ["latest"]
    assert not Path("other.db").exists()


def test_missed_slots_are_offered_where_a_slot_is_asked_for(folder: Folder) -> None:
    ledger = SqliteLedger(Database(folder.path / "fanfold.db"))
    for run_id, status in (("2026-11-23T0215Z-nightly-missed", RunStatus.MISSED), ("r", None)):
        ledger.create_run(a_run(run_id, verdict=status), ())
    ledger.close()
    assert offered(folder, "fanfold backf") == ["backfill"]
    assert offered(folder, "fanfold backfill ") == ["2026-11-23T0215Z"]
    assert offered(folder, "fanfold backfill 2026-11-20 2026") == ["2026-11-23T0215Z"]
    assert offered(folder, "fanfold backfill a b --collector d") == ["dvf"]
    assert offered(folder, "fanfold run --slot 2026") == ["2026-11-23T0215Z"]


def test_options_offer_their_words(folder: Folder) -> None:
    assert offered(folder, "fanfold notify ") == ["test"]
    assert offered(folder, "fanfold notify test --format ") == ["table", "json"]
    assert offered(folder, "fanfold history --status fa") == ["failed"]
    assert offered(folder, "fanfold doctor --t") == ["--timeout"]
    assert offered(folder, "fanfold completion z") == ["zsh"]
    assert offered(folder, "fanfold demo --source l") == ["live"]
    assert "plu=empty" in offered(folder, "fanfold demo --fault plu")


def test_what_cannot_be_read_is_offered_nothing(folder: Folder) -> None:
    Path("config.yaml").write_text("scheduler: [", "utf-8")
    Path("fanfold.db").write_bytes(b"no database" * 100)
    assert offered(folder, "fanfold run ") == []
    assert offered(folder, "fanfold status ") == ["latest"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_is_printed(folder: Folder, shell: str) -> None:
    said = folder.run("completion", shell)
    assert said.code == 0
    assert "_FANFOLD_COMPLETE=complete_" + shell in said.out
    assert folder.run("completion", "tcsh").code == 2


def test_bash_takes_the_script(folder: Folder) -> None:
    script = folder.run("completion", "bash").out
    checked = subprocess.run(["bash", "-n"], input=script, text=True, check=False)
    assert checked.returncode == 0
