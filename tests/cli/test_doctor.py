"""``fanfold doctor`` finds what would fail, names the line to paste, and starts nothing."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import Folder

from fanfold.adapters.http.probe import Probed, Step
from fanfold.cli.findings import machine
from fanfold.cli.findings.collectors import finding_of
from fanfold.cli.findings.finding import Level
from fanfold.cli.output import words
from fanfold.domain.model.collector import Auth, AuthKind, Collector, CollectorSpec


def after(said: str, subject: str) -> str:
    """Return the command that is proposed under the line of *subject*."""
    lines = said.splitlines()
    number = next(n for n, line in enumerate(lines) if line[2:].startswith(subject))
    return lines[number + 1].strip()


def test_where_all_is_well_it_is_0_and_nobody_was_asked(folder: Folder) -> None:
    said = folder.run("doctor")

    assert said.code == 0, said.out
    assert said.out.splitlines()[-1] == "0 errors, 0 warnings"
    for subject in ("config.yaml", "fanfold.db", "disk", "clock", "dvf", "sirene"):
        assert f"\n✓ {subject}" in f"\n{said.out}"
    assert folder.collectors.calls == []
    assert not Path("fanfold.db").exists()


def test_it_works_on_a_file_with_runs(folder: Folder) -> None:
    assert folder.run("run").code == 0
    said = folder.run("doctor")
    assert said.code == 0, said.out
    assert "can be written" in said.out


def test_each_collector_that_cannot_be_called_has_its_line(folder: Folder) -> None:
    folder.configure(
        {
            "away": {"url": "http://127.0.0.1:9/"},
            "nameless": {"url": "http://nowhere.invalid/"},
            "locked": {"url": "https://127.0.0.1/", "auth": {"bearer": "${secret:no-such-token}"}},
            "off": {"url": "http://nowhere.invalid/", "enabled": False},
            "well": "ok",
        },
        use_secret_manager=True,
    )

    said = folder.run("doctor")

    assert said.code == 1
    assert after(said.out, "away").startswith("next    curl -v -m 10 telnet://127.0.0.1:9 ")
    assert after(said.out, "nameless") == "next    getent hosts nowhere.invalid"
    assert after(said.out, "locked").startswith("next    fanfold config show --origin")
    assert "no-such-token" in said.out
    assert "\n✓ well" in said.out
    assert "off" not in [line[2:].split()[0] for line in said.out.splitlines()]
    assert said.out.splitlines()[-1] == "3 errors, 0 warnings"


def test_a_broken_configuration_does_not_hide_the_rest(folder: Folder) -> None:
    Path("config.yaml").write_text("scheduler: [", "utf-8")
    said = folder.run("doctor")
    assert said.code == 1
    assert after(said.out, "config.yaml") == "next    fanfold check"
    assert "✓ disk" in said.out


def test_a_folder_that_is_not_there_is_found(folder: Folder) -> None:
    said = folder.run("--db", "elsewhere/fanfold.db", "doctor")
    assert said.code == 1
    assert "there is no folder" in said.out
    assert after(said.out, "elsewhere/fanfold.db").startswith("next    mkdir -p ")
    assert not Path("elsewhere").exists()


def test_a_file_that_is_no_database_is_found(folder: Folder) -> None:
    Path("fanfold.db").write_bytes(b"not a database at all" * 100)
    said = folder.run("doctor")
    assert said.code == 1
    assert "✗ fanfold.db" in said.out


def test_a_full_disk_is_found(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    full = shutil.disk_usage(".")._replace(free=1024)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    said = folder.run("doctor")
    assert said.code == 1
    assert after(said.out, "disk").startswith("next    df -h ")


def test_whose_the_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "fanfold.db"
    path.touch()
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    first, _ = machine.database(path)
    assert (first.level, first.command) == (Level.WARNING, words.whose(path))
    monkeypatch.setattr(os, "access", lambda place, _: place != path)
    first, _ = machine.database(path)
    assert (first.level, first.command) == (Level.ERROR, words.whose(path))


def test_a_log_that_is_not_folded_in_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "LONGEST_LOG_BYTES", 10)
    path, log = tmp_path / "fanfold.db", tmp_path / "fanfold.db-wal"
    path.touch()
    log.write_bytes(b"0" * 11)
    first, _ = machine.database(path)
    assert (first.level, first.command) == (Level.WARNING, words.users_of(log))


def test_a_clock_that_was_set_back_is_found() -> None:
    now = datetime.now(UTC)
    assert machine.clock(None, now).level is Level.OK
    assert machine.clock(None, None).level is Level.OK
    late = machine.clock(None, now + timedelta(hours=1))
    assert (late.level, late.command) == (Level.ERROR, words.SHOW_CLOCK)


def test_who_is_not_logged_in_is_told_how() -> None:

    spec = CollectorSpec(name="x", url="https://x.example", auth=Auth(AuthKind.OIDC))
    one = Collector(spec=spec)
    assert finding_of(one, Probed(Step.PREPARED, "no identity")).command == words.LOG_IN


def test_a_collector_behind_a_proxy_for_http_is_a_warning() -> None:
    one = Collector(spec=CollectorSpec(name="x", url="http://x.example"))
    found = finding_of(one, Probed(Step.BEHIND_PROXY, "", "x.example:80", "proxy:3128"))
    assert (found.level, found.command) == (Level.WARNING, words.SHOW_PROXIES)
    assert "only a call would show" in found.text
