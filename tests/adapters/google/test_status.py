"""``fanfold status`` and ``history`` on Firestore: the same truth as on one machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.google.conftest import Connect
from tests.support import a_closing, a_job, a_run, an_answer, entry

from fanfold.adapters.google.ledger import FirestoreLedger
from fanfold.cli import main
from fanfold.domain.model.run import Failure, RunFigures
from fanfold.domain.model.states import Outcome, Phase, RunStatus

pytestmark = pytest.mark.emulator

NOW = datetime.now(UTC)
SLOT = NOW - timedelta(hours=2)

Status = Callable[[], dict[str, Any]]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    schedule = f"{SLOT.minute} {SLOT.hour} * * *"
    bearer = {"bearer": "${TOKEN}"}
    collectors = {
        "dvf": {"url": "https://dvf.example.com", "schedule": schedule, "auth": bearer},
        "plu": {"url": "https://plu.example.com"},
    }
    document = {"version": 2, "scheduler": {"collectors": collectors}}
    path.write_text(json.dumps(document), "utf-8")
    return path


@pytest.fixture
def status(
    firestore_host: str,
    project: str,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Status:
    """Return a function that calls the command and gives its document, ``exit`` its code."""
    env = {
        "FANFOLD_BACKEND": "google",
        "FANFOLD_CONFIG": str(config),
        "FIRESTORE_EMULATOR_HOST": firestore_host,
        "PUBSUB_EMULATOR_HOST": "127.0.0.1:9",
        "GOOGLE_CLOUD_PROJECT": project,
    }
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("TOKEN", raising=False)

    def call() -> dict[str, Any]:
        code = main(["status", "--format", "json"])
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document | {"exit": code}

    return call


def ended(ledger: FirestoreLedger, run_id: str, at: datetime, **outcomes: str) -> None:
    """Store a run that asked the collectors of *outcomes*, each with its letter."""
    manifest = [entry(name) for name in outcomes]
    until = at + timedelta(hours=2)
    run = a_run(run_id, manifest=manifest, start_time=at, deadline=until, scheduled_for=None)
    ledger.create_run(run, manifest)
    ledger.create_jobs(run_id, [a_job(name, run_id) for name in outcomes])
    for name, letter in outcomes.items():
        if letter == "f":
            broken = Failure("http", "HTTP 503")
            answer = an_answer(name, run_id=run_id, outcome=Outcome.FAILED, error=broken)
        else:
            answer = an_answer(name, run_id=run_id)
        ledger.record(answer)
    ledger.finalize_run(run_id, a_closing())
    ledger.remember(
        run_id, [RunFigures(name, letter, at, slot=at) for name, letter in outcomes.items()]
    )
    ledger.mark_announced(run_id, revision=1, report="", at=at)


def test_each_situation_has_its_code(connect: Connect, status: Status) -> None:
    ledger = connect()
    assert status()["exit"] == 5  # nothing ran yet

    ended(ledger, "night", NOW - timedelta(hours=1), dvf="f", plu="s")
    ended(ledger, "by-hand", NOW - timedelta(minutes=30), plu="s")
    seen = status()
    assert (seen["exit"], seen["about"]) == (1, "1 of 2 does not succeed: dvf")
    assert seen["collectors"]["dvf"]["error"] == "HTTP 503"
    assert len(seen["unread"]) == 1  # the token that is not set here

    ended(ledger, "retry", NOW - timedelta(minutes=20), dvf="s")
    assert status()["exit"] == 0

    refused = a_run(
        "no-rejected",
        start_time=NOW - timedelta(hours=1),
        phase=Phase.FINAL,
        verdict=RunStatus.REJECTED,
        about="not started: no collector has the tag 'dailly'",
        announced_at=NOW,
    )
    ledger.create_run(refused, ())
    seen = status()
    assert (seen["exit"], seen["findings"][0]["kind"]) == (1, "refused")

    late = a_run("late", start_time=NOW - timedelta(hours=5), deadline=NOW - timedelta(hours=3))
    ledger.create_run(late, ())
    seen = status()
    assert (seen["exit"], seen["findings"][0]["run_id"]) == (4, "late")


def test_a_slot_without_a_run_is_overdue_though_a_token_is_not_set(
    connect: Connect, status: Status
) -> None:
    ended(connect(), "yesterday", SLOT - timedelta(days=1), dvf="s", plu="s")
    seen = status()
    assert (seen["exit"], seen["findings"][0]["kind"]) == (4, "overdue")
    assert seen["findings"][0]["collectors"] == ["dvf"]


def test_a_configuration_that_is_not_there_is_never_green(
    connect: Connect, status: Status, config: Path
) -> None:
    ended(connect(), "night", NOW - timedelta(hours=1), dvf="s", plu="s")
    assert status()["exit"] == 0
    config.unlink()
    seen = status()
    assert seen["exit"] == 5
    assert str(config) in seen["about"]


def test_history_lists_what_ran_and_what_was_refused(
    connect: Connect, status: Status, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = connect()
    ended(ledger, "night", NOW - timedelta(hours=3), dvf="f", plu="s")
    ended(ledger, "again", NOW - timedelta(hours=1), dvf="s")
    refused = {"phase": Phase.FINAL, "verdict": RunStatus.REJECTED, "announced_at": NOW}
    given: dict[str, Any] = refused | {"start_time": NOW - timedelta(hours=2)}
    ledger.create_run(a_run("no-rejected", **given), ())

    def listed(*options: str) -> list[str]:
        assert main(["history", "--format", "json", *options]) == 0
        return [row["run_id"] for row in json.loads(capsys.readouterr().out)]

    assert listed() == ["again", "no-rejected", "night"]
    assert listed("--since", "150m", "--limit", "1") == ["again"]
    assert listed("--status", "refused") == ["no-rejected"]
    assert listed("--collector", "dvf", "--status", "failed") == ["night"]
