"""``fanfold run``: what it prints where, and what it exits with."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from tests.cli.conftest import Folder, ended

from fanfold.adapters.embedded.host import Host
from fanfold.domain.model.errors import StoreUnavailable


def test_all_succeeded_exits_0_and_ends_with_the_sentence(folder: Folder) -> None:
    said = folder.run("run")
    assert said.code == 0, said.err
    assert said.out.splitlines()[-1].startswith("✓ all 2 succeeded")
    page = re.search(r"report  (\S+)", said.out)
    assert page is not None
    assert Path(page[1]).is_file()


@pytest.mark.parametrize("configured", [{"dvf": "ok"}, {"dvf": "ok", "plu": "fail"}])
def test_a_file_that_is_locked_at_the_very_end_changes_no_exit_code(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, configured: dict[str, str]
) -> None:
    folder.configure(configured)

    stop = Host.stop

    def locked(host: Host, grace_s: float) -> int:
        stop(host, grace_s)
        raise StoreUnavailable("fanfold.db: database is locked")

    monkeypatch.setattr(Host, "stop", locked)
    said = folder.run("run")
    assert said.code == len(configured) - 1
    assert f"1 of {len(configured)}" in said.out or "succeeded" in said.out.splitlines()[-1]
    assert said.err.splitlines()[-1] == (
        "warning: fanfold.db: database is locked; what this process still held is free when it "
        "has ended"
    )


def test_one_line_is_written_to_stderr_when_each_collector_ends(folder: Folder) -> None:
    said = folder.run("run")
    lines = said.err.splitlines()
    assert re.match(r"run \S+ · 2 asked", lines[0])
    assert sorted(line.split()[1] for line in lines[1:3]) == ["dvf", "sirene"]
    assert "\x1b" not in said.err + said.out


def test_a_failure_exits_1_and_names_the_next_command(folder: Folder) -> None:
    folder.configure({"dvf": "ok", "plu": "empty", "sirene": "fail"})
    said = folder.run("run")
    assert said.code == 1
    assert re.search(r"next    fanfold retry \S+   # plu, sirene only", said.out)
    assert "1 of 3 succeeded" in said.out.splitlines()[-1]


def test_json_is_the_stored_report_and_nothing_else(folder: Folder) -> None:
    said = folder.run("run", "--format", "json")
    report = said.json()
    stored = folder.path / "reports" / report["run_id"] / "report.json"
    assert said.out.encode() == stored.read_bytes()
    assert report["status"] == "succeeded"


def test_markdown_is_on_stdout_and_in_the_job_summary(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = folder.path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    said = folder.run("run", "--format", "markdown")
    assert said.out.startswith("## ✓ all 2 succeeded")
    assert summary.read_text("utf-8").startswith("## ✓ all 2 succeeded")


def test_names_tags_and_excludes_select(folder: Folder) -> None:
    address = folder.collectors.address("ok")
    folder.configure(
        {"a": {"url": address, "tags": ["x"]}, "b": {"url": address, "tags": ["x"]}, "c": "ok"}
    )
    report = folder.run("run", "--tag", "x", "--exclude", "b", "--format", "json").json()
    statuses = {name: one["status"] for name, one in report["collectors"].items()}
    assert statuses == {"a": "succeeded", "b": "skipped", "c": "skipped"}
    assert folder.run("run", "c", "--format", "json").json()["summary"]["succeeded"] == 1


def test_parameters_reach_the_collector(folder: Folder) -> None:
    said = folder.run(
        *("run", "dvf", "--param", "years=[2024]", "--param", "dvf.deep=true"),
        *("--params-json", '{"dvf": {"departement": "2A"}}', "--reason", "a try"),
    )
    assert said.code == 0, said.err
    (call,) = folder.collectors.calls
    assert call["params"] == {"years": [2024], "deep": True, "departement": "2A"}
    assert "a try" in said.out


def test_the_same_run_id_is_the_same_run(folder: Folder) -> None:
    first = folder.run("run", "--run-id", "mine", "--format", "json")
    again = folder.run("run", "--run-id", "mine", "--format", "json")
    assert (again.code, again.out) == (0, first.out)
    assert "there already" in again.err
    assert len(folder.collectors.calls) == 2


def test_nothing_due_exits_0(folder: Folder) -> None:
    address = folder.collectors.address("ok")
    folder.configure(
        {
            "monthly": {"url": address, "schedule": "0 3 1 1 *"},
            "daily": {"url": address, "schedule": "0 4 * * *", "enabled": True},
            "never": {"url": address, "enabled": False},
        }
    )
    said = folder.run("run", "monthly", "--due", "--format", "json")
    assert said.code == 0, said.err
    assert folder.collectors.calls == []


def test_a_dry_run_asks_nobody_and_creates_nothing(folder: Folder) -> None:
    said = folder.run("run", "--dry-run")
    assert said.code == 0, said.err
    assert "would run dvf, sirene" in said.out
    assert folder.run("run", "--dry-run", "--format", "json").json()["status"] == "planned"
    assert not (folder.path / "fanfold.db").exists()
    assert folder.collectors.calls == []


@pytest.mark.parametrize("run_id", ["2026-11-23T0215Z-nightly", "mine-missed"])
def test_an_id_that_is_ours_to_give_is_refused_before_anything_starts(
    folder: Folder, run_id: str
) -> None:
    for more in ((), ("--dry-run",), ("--no-wait",)):
        said = folder.run("run", "--run-id", run_id, *more)
        assert said.code == 2
        assert "cannot be used" in said.err
    assert folder.run("status", run_id).code == 2
    assert folder.collectors.calls == []


def test_it_gives_up_waiting_with_3_and_the_run_goes_on(folder: Folder) -> None:
    folder.configure({"dvf": "slow/1.5"})
    said = folder.run("run", "--wait-timeout", "300ms", "--run-id", "later")
    assert said.code == 3
    assert "fanfold run --run-id later" in said.err
    assert folder.run("run", "--run-id", "later").code == 0
    assert len(folder.collectors.calls) == 1


def test_an_asynchronous_collector_answers_at_the_hosted_endpoint(folder: Folder) -> None:
    address = folder.collectors.address("ok")
    folder.configure({"sirene": {"url": address, "mode": "async", "timeout": "1m"}})
    assert folder.run("run").code == 0
    (call,) = folder.collectors.calls
    assert call["callback"]["url"].startswith("http://127.0.0.1:")


@pytest.mark.slow
def test_two_hundred_collectors_balance_though_one_hangs(folder: Folder) -> None:
    address = folder.collectors.address
    many = {f"c{number:03}": "fail" if number % 10 == 0 else "ok" for number in range(199)}
    slow = {"url": address("slow/30"), "timeout": "2s"}
    folder.configure({**many, "hangs": slow}, max_concurrent_collectors=20)
    started = time.monotonic()
    process = folder.spawn("run", "--format", "json")
    said = ended(process)
    wall_s = time.monotonic() - started
    summary = json.loads(said.out)["summary"]
    assert said.code == 1
    assert (summary["succeeded"], summary["failed"], summary["timed_out"]) == (179, 21, 0) or (
        summary["succeeded"],
        summary["failed"],
        summary["timed_out"],
    ) == (179, 20, 1)
    assert summary["total"] == 200
    assert wall_s < 12
    assert len(said.err.splitlines()) >= 201
