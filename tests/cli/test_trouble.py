"""What goes wrong: the code, one clear message, the next command, and never a traceback."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Folder

from fanfold.cli import app, main
from fanfold.cli.output.trouble import trouble_of
from fanfold.devstack.example_collectors import examples_root


def refused(folder: Folder, *arguments: str) -> str:
    """Return what is said on stderr when the command exits with 2, having started nothing."""
    said = folder.run(*arguments)
    assert said.code == 2, said
    assert said.out == ""
    assert "\n  next: " in said.err
    assert "Traceback" not in said.err
    assert folder.collectors.calls == []
    return said.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "sirenne"], "did you mean 'sirene'"),
        (["run", "--exclude", "dvff"], "did you mean 'dvf'"),
        (["run", "--tag", "nope"], "no collector has the tag 'nope'"),
        (["run", "--param", "a=1"], "whose parameter"),
        (["run", "dvf", "--param", "a"], "KEY=JSON"),
        (["run", "dvf", "--param", "a=zz"], "is not JSON"),
        (["run", "--params-json", "[1]"], "parameters by collector"),
        (["run", "--params-json", '{"nope": {}}'], "unknown collector 'nope'"),
        (["run", "--run-id", "../../etc/passwd"], "a run id is"),
        (["run", "--run-id", "latest"], "a run id is"),
        (["run", "--format", "jsn"], "did you mean 'json'"),
        (["run", "--wait-timeout", "soon"], "write a time"),
        (["run", "--no-wait", "--wait-timeout", "1s"], "goes with --wait"),
        (["runn"], "Did you mean 'run'"),
        (["run", "--exlude", "dvf"], "--exclude"),
        (["--backend", "gogle", "status"], "embedded or google"),
        (["--color", "blue", "status"], "auto, always or never"),
        (["report", "latest"], "no runs yet"),
        (["status", "2026"], "no runs yet"),
        (["cancel", "latest"], "no runs yet"),
        (["demo", "--fault", "plu"], "NAME=FAULT"),
        (["demo", "--fault", "plu=emty"], "did you mean 'empty'"),
        (["demo", "--source", "moon"], "sample or live"),
        (["dead-letters", "replay"], "--all"),
        (["serve", "--port", "70000"], "65535"),
    ],
)
def test_usage_is_refused_with_a_hint(folder: Folder, arguments: list[str], words: str) -> None:
    assert words in refused(folder, *arguments)


def test_every_error_of_the_configuration_is_said_at_once(folder: Folder) -> None:
    folder.path.joinpath("config.yaml").write_text(
        "version: 2\nscheduler:\n  timezon: Europe/Paris\n  collectors:\n"
        "    dvf: {url: 'http://127.0.0.1:1/', enabeld: true, schedule: '1 2 3'}\n",
        "utf-8",
    )
    for arguments in (["run"], ["check"], ["serve", "--port", "0"], ["run", "--dry-run"]):
        err = refused(folder, *arguments)
        assert "timezon" in err
        assert "did you mean 'enabled'" in err
        assert "3 fields" in err


def test_a_missing_configuration_is_refused(folder: Folder) -> None:
    folder.path.joinpath("config.yaml").unlink()
    assert "config.yaml" in refused(folder, "run")


def test_reports_that_have_no_room_are_said_to_need_some(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("fanfold.adapters.report_folder.os.write", is_full)
        err = refused(folder, "run")
    assert "No space left on device; nothing was started" in err
    assert "  next: df -h" in err


def test_a_folder_that_may_not_be_entered_is_no_full_disk() -> None:
    trouble = trouble_of(PermissionError(errno.EACCES, "Permission denied", "/srv/a b/fanfold.db"))

    assert trouble is not None
    assert trouble.code == 5
    assert trouble.text == "error: Permission denied: /srv/a b/fanfold.db"
    assert trouble.next_command.startswith("ls -ld '/srv/a b' '/srv/a b/fanfold.db'")


def test_a_file_that_is_no_database_exits_5(folder: Folder) -> None:
    folder.path.joinpath("fanfold.db").write_bytes(b"this is no database, whatever its name" * 100)
    for arguments in (["run"], ["status"], ["report"], ["sweep"], ["run", "--no-wait"]):
        said = folder.run(*arguments)
        assert (said.code, said.out) == (5, ""), arguments
        assert "not a database" in said.err
        assert "next: " in said.err


def test_a_folder_that_cannot_be_made_exits_5(folder: Folder) -> None:
    folder.path.joinpath("file").touch()
    assert folder.run("run", "--db", "file/fanfold.db").code == 5


def test_reports_that_cannot_be_written_are_found_out_before_the_run(folder: Folder) -> None:
    folder.path.joinpath("reports").touch()
    assert "reports cannot be written" in refused(folder, "run")


def test_global_options_may_stand_anywhere(folder: Folder) -> None:
    other = folder.path / "other.db"
    assert folder.run("run", "--db", str(other), "--color", "always").out.count("\x1b[32m") >= 2
    assert other.exists()
    assert folder.run("--db", str(other), "status").code == 0


def test_a_bug_is_one_line_unless_v_is_given(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object, **__: object) -> None:
        raise RuntimeError("surprise")

    monkeypatch.setattr("fanfold.runtime.embedded.embedded_parts", explode)
    said = folder.run("run")
    assert said.code == 70
    assert "a bug in fanfold" in said.err
    assert "Traceback" not in said.err
    assert "Traceback" in folder.run("run", "-v").err


def test_control_characters_are_not_echoed(folder: Folder) -> None:
    assert "\x1b" not in refused(folder, "run", "\x1b[31mred\x07")


def test_options_of_the_command_are_hoisted_but_not_past_the_end() -> None:
    assert app._hoisted(["run", "--db", "x", "-v", "--", "-v"]) == [
        "--db",
        "x",
        "-v",
        "run",
        "--",
        "-v",
    ]


def test_a_base_install_says_the_pip_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "typer", None)
    assert main(["run"]) == 2
    assert 'pip install "fanfold[cli]"' in capsys.readouterr().err


def test_the_examples_are_looked_for_upwards(folder: Folder) -> None:
    assert (examples_root() / "examples" / "collectors").is_dir()
    assert Path.cwd() == folder.path
