"""status, report, check, config show, cancel, sweep: commands that look at what is there."""

from __future__ import annotations

import json
import sqlite3

import pytest
from tests.cli.conftest import Folder


def test_status_of_one_run_has_its_status(folder: Folder) -> None:
    run_id = folder.run("run", "--format", "json").json()["run_id"]
    for name in (run_id, run_id[:-2], "latest"):
        said = folder.run("status", name, "--format", "json")
        assert (said.code, said.json()["status"]) == (0, "succeeded")
    assert "✓ all 2 succeeded" in folder.run("status", run_id).out


def test_status_finds_the_refusal_of_a_request_under_the_id_that_it_asked_for(
    folder: Folder,
) -> None:
    run_id = folder.run("run", "--no-wait").out.strip()
    with sqlite3.connect(folder.path / "fanfold.db") as file:
        file.execute("UPDATE queued SET published_at = published_at - 25 * 3600 * 1000000")
    assert folder.run("run", "--run-id", "another").code == 0

    said = folder.run("status", run_id, "--format", "json")
    assert (said.code, said.json()["status"]) == (2, "rejected")
    assert "25.0 h ago" in said.json()["about"]


def test_an_ambiguous_or_unknown_run_lists_candidates(folder: Folder) -> None:
    for run_id in ("night-1", "night-2"):
        folder.run("run", "--run-id", run_id)
    said = folder.run("status", "night")
    assert said.code == 2
    assert "night-1" in said.err
    assert "night-2" in said.err
    assert "did you mean 'night-1'" in folder.run("status", "nigth-1").err
    assert "only 2 runs" in folder.run("report", "latest~5").err
    assert folder.run("report", "latest~1", "--format", "json").json()["run_id"] == "night-1"


@pytest.mark.parametrize(
    "odd",
    [
        *("", " ", "latest~", "latest~-1", "latest~99999", "latest~\uff11", "LATEST~1", "~1", "~"),
        *("../night-1", "night-1/", "/etc/passwd", "night-1\n", "%", "night_1%", "*", "night?1"),
        *("\0", "\udcff", "é" * 300, "9" * 5000, "night-1'; --", "__x__", ".", "-missed"),
    ],
)
def test_an_odd_run_is_refused_with_a_sentence(folder: Folder, odd: str) -> None:
    folder.run("run", "--run-id", "night-1")
    for verb in ("status", "report", "cancel", "retry"):
        said = folder.run(verb, "--", odd)
        assert said.code == 2, (verb, said)
        assert said.out == ""
        assert said.err.startswith("error: ")
        assert "\n  next: fanfold " in said.err
        assert len(said.err) < 1000
    assert len(folder.collectors.calls) == 2


@pytest.mark.parametrize("form", ["table", "json", "markdown", "html", "v1"])
def test_report_has_every_form_and_writes_it_to_a_file(folder: Folder, form: str) -> None:
    folder.run("run")
    said = folder.run("report", "--format", form)
    assert said.code == 0
    assert "all 2 succeeded" in said.out or form == "v1"
    assert folder.run("report", "--format", form, "-o", "out").out == ""
    assert (folder.path / "out").read_text("utf-8") == said.out


def test_report_of_the_failed_alone_says_nothing_of_the_others(folder: Folder) -> None:
    folder.configure({"dvf": "ok", "plu": "fail"})
    folder.run("run")
    whole, only = folder.run("report"), folder.run("report", "--only", "failed")
    rows = [line for line in whole.out.splitlines() if line.startswith("  ✓ ")]
    assert rows
    assert only.out.splitlines() == [e for e in whole.out.splitlines() if e not in rows]
    for odd in (["--only", "succeeded"], ["--only", "failed", "--format", "json"]):
        said = folder.run("report", *odd)
        assert (said.code, said.out) == (2, "")
        assert "fanfold report --only failed" in said.err


def test_report_json_is_the_file_and_survives_its_loss(folder: Folder) -> None:
    folder.run("run", "--run-id", "mine")
    stored = folder.path / "reports/mine/report.json"
    content = stored.read_bytes()
    assert folder.run("report", "mine", "--format", "json").out.encode() == content
    stored.unlink()
    assert folder.run("report", "mine", "--format", "json").out.encode() == content


def test_v1_has_the_old_keys_and_words(folder: Folder) -> None:
    folder.run("run")
    old = json.loads(folder.run("report", "--format", "v1").out)
    assert set(old) == {"start_time", "end_time", "duration_seconds", "collectors", "summary"}
    assert old["collectors"]["dvf"]["status"] == "success"


def test_check_prints_what_is_right(folder: Folder) -> None:
    said = folder.run("check")
    assert said.code == 0
    assert "✓ 2 collectors, 2 enabled" in said.out
    assert folder.run("check", "config.yaml", "--format", "json").json()["collectors"]["dvf"]
    assert folder.run("check", "nowhere.yaml").code == 2


def test_config_show_masks_secrets_and_says_origins(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", "hush-hush")
    address = folder.collectors.address("ok")
    folder.configure({"dvf": {"url": address, "auth": {"bearer": "${MY_TOKEN}"}}})
    for arguments in ([], ["--origin"], ["--format", "json"], ["--origin", "--format", "json"]):
        said = folder.run("config", "show", *arguments)
        assert said.code == 0, said.err
        assert "hush-hush" not in said.out
    assert "dvf.timeout = " in folder.run("config", "show", "--origin").out


@pytest.mark.parametrize("env", [{}, {"FUNCTION_AUTH_TOKEN": "t"}, {"FANFOLD_BACKEND": "google"}])
def test_config_show_prints_what_fanfold_can_read_again(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, env: dict[str, str]
) -> None:
    for name, value in {**env, "GOOGLE_CLOUD_PROJECT": "p"}.items():
        monkeypatch.setenv(name, value)
    params = {
        "a.b": "01",
        "a": ["no", "2026-11-23", 7, "9" * 5000],
        "bidi": "\u202e",
        "x": "a: b #",
    }
    address = folder.collectors.address("ok")
    one = {
        "url": address,
        "schedule": "*/5 * * * *",
        "params": params,
        "auth": None,
        "tags": ["yes"],
    }
    folder.configure({"scheduler": one, "report": {**one, "expect": {"max_drop": "20%"}}})
    shown = folder.run("config", "show")
    assert shown.code == 0, shown.err
    assert shown.out.replace("\n", "").isprintable()
    (folder.path / "again.yaml").write_text(shown.out, "utf-8")
    again = folder.run("--config", "again.yaml", "config", "show")
    assert (again.code, again.out) == (0, shown.out), again.err
    assert "9" * 5000 in again.out


def test_cancel_ends_a_run_with_what_it_has(folder: Folder) -> None:
    folder.configure({"dvf": "slow/0.6", "sirene": "slow/9"}, max_concurrent_collectors=1)
    assert folder.run("run", "--wait-timeout", "100ms", "--run-id", "mine").code == 3
    said = folder.run("cancel", "mine", "--reason", "enough")
    assert (said.code, "cancelled" in said.out) == (0, True)
    assert folder.run("status", "mine").code == 1
    again = folder.run("cancel", "mine")
    assert again.code == 2
    assert "is over" in again.err


def test_sweep_says_what_it_did(folder: Folder) -> None:
    folder.run("run")
    assert folder.run("sweep").out == "nothing to sweep\n"
    assert folder.run("sweep", "--format", "json").json()["timed_out"] == []
