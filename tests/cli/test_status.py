"""``fanfold status`` without a RUN is the truth: each way to be untrue, with its exit code."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from tests import support
from tests.cli.conftest import Folder, Printed

from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.cli.exit_codes import FAILED, OK, OVERDUE, UNREACHABLE
from fanfold.domain.model.run import RunFigures
from fanfold.domain.rules import verdict

NOW = datetime.now(UTC)

SCHEMA = json.loads(files("fanfold.views").joinpath("status.schema.json").read_text("utf-8"))


@contextmanager
def ledger_of(folder: Folder) -> Iterator[SqliteLedger]:
    database = Database(folder.path / "fanfold.db")
    yield SqliteLedger(database)
    database.close()


def cron_of(at: datetime) -> str:
    return f"{at.minute} {at.hour} * * *"


def status_json(folder: Folder) -> dict[str, Any]:
    document: dict[str, Any] = folder.run("status", "--format", "json").json()
    jsonschema.validate(document, SCHEMA)
    return document


def one_line_each(said: Printed) -> str:
    return " ".join(said.out.split())


def test_the_codes_of_the_rule_are_those_of_the_command() -> None:
    assert (verdict.WELL, verdict.FAILED) == (OK, FAILED)
    assert (verdict.MISSING, verdict.UNREADABLE) == (OVERDUE, UNREACHABLE)


def test_a_failed_night_stays_red_until_each_that_failed_succeeded(folder: Folder) -> None:
    folder.configure({"good": "ok", "plu": "fail", "dvf": "fail"})
    night = folder.run("run", "--no-wait").out.strip()
    assert folder.run("run", "--run-id", "worker", "good").code == 0  # works on both
    folder.await_end(night)
    assert folder.run("run", "good").code == 0

    said = folder.run("status")
    assert said.code == 1
    assert said.out.startswith("✗ 2 of 3 do not succeed: plu, dvf\n")
    assert "no such place" in said.out

    folder.configure({"good": "ok", "plu": "ok", "dvf": "fail"})
    assert folder.run("run", "plu").code == 0
    said = folder.run("status")
    assert (said.code, said.out.splitlines()[0]) == (1, "✗ 1 of 3 does not succeed: dvf")
    assert "recovered: plu" in said.out

    folder.configure({"good": "ok", "plu": "ok", "dvf": "ok"})
    retried = folder.run("retry", "--format", "json")
    assert (retried.code, retried.json()["retry_of"]) == (0, night)
    said = folder.run("status")
    assert (said.code, said.out.splitlines()[0]) == (
        0,
        "✓ all 3 succeeded when last asked, dvf at the second try",
    )
    # plu was made good by hand: the retry keeps that answer, and says so.
    plu = retried.json()["collectors"]["plu"]
    assert (plu["status"], plu["kept"], plu["answered_in"] != night) == ("succeeded", True, True)
    assert [each["run_id"] for each in plu["earlier"]] == [night]


def test_the_line_of_who_is_not_well_ends_with_its_last_slots(folder: Folder) -> None:
    folder.configure({"plu": "ok", "dvf": "ok"})
    with ledger_of(folder) as ledger:
        ledger.create_run(support.a_run("old"), ())
        for back, outcome in ((4, "s"), (3, "f"), (2, "t"), (1, "f")):
            slot = NOW - timedelta(days=back)
            at = slot + timedelta(seconds=9)
            ledger.remember(f"night-{back}", [RunFigures("plu", outcome, at, slot=slot)])
            # dvf is asked by hand: that leaves no slot.
            ledger.remember(f"hand-{back}", [RunFigures("dvf", "f", at)])
        retried = RunFigures("plu", "s", NOW - timedelta(days=2), slot=NOW - timedelta(days=3))
        ledger.remember("night-3-try2", [retried])
    said = folder.run("status")
    lines = {line.split()[0]: line for line in said.out.splitlines() if line.strip()}
    assert lines["plu"].endswith("   ·↻◷✗")
    assert "✗" not in lines["dvf"]


def test_a_run_past_its_deadline_that_nobody_ended_is_overdue(folder: Folder) -> None:
    folder.run("run")
    with ledger_of(folder) as ledger:
        late = support.a_run(
            "late", start_time=NOW - timedelta(hours=3), deadline=NOW - timedelta(hours=1)
        )
        ledger.create_run(late, ())
    said = folder.run("status")
    assert said.code == 4
    assert "run late is past its deadline by 1h" in said.out
    assert "nobody sweeps: is a `fanfold serve` running?" in said.out
    assert "next: fanfold sweep" in said.out
    assert folder.run("sweep").code == 0
    assert folder.run("status").code == 0


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FANFOLD_DB", "fanfold.bd"),
        ("FANFOLD_DB", "nowhere/fanfold.db"),
        ("FANFOLD_CONFIG", "confg.yaml"),
    ],
)
def test_a_mistyped_place_is_never_green_and_the_path_is_said(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    assert folder.run("run").code == 0
    assert folder.run("status").code == 0
    monkeypatch.setenv(variable, value)
    said = folder.run("status")
    assert said.code == 5
    assert str(folder.path / value) in said.out.splitlines()[0]
    assert status_json(folder)["code"] == 5
    assert not (folder.path / value).exists()
    assert not (folder.path / "nowhere").exists()


def test_the_wrong_folder_is_never_green(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.run("run")
    elsewhere = folder.path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    said = folder.run("status")
    assert said.code == 5
    assert str(elsewhere / "fanfold.db") in said.out
    assert str(elsewhere / "config.yaml") in said.out
    assert list(elsewhere.iterdir()) == []


def test_run_makes_no_folder_for_a_database_whose_folder_is_not_there(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FANFOLD_DB", "nowhere/fanfold.db")
    said = folder.run("run")
    assert said.code == 5
    assert str(folder.path / "nowhere/fanfold.db") in said.err
    assert not (folder.path / "nowhere").exists()
    assert folder.collectors.calls == []
    (folder.path / "nowhere").mkdir()
    assert folder.run("run").code == 0


def overdue_night(folder: Folder, **collector: Any) -> None:
    """Let a collector of yesterday have no run in its slot of two hours ago."""
    slot = NOW - timedelta(hours=2)
    address = folder.collectors.address("ok")
    folder.configure(
        {"dvf": {"url": address, "schedule": cron_of(slot), **collector}}, missed_after="45m"
    )
    with ledger_of(folder) as ledger:
        old = support.a_run("old", start_time=NOW - timedelta(days=1))
        ledger.create_run(old, ())
        ledger.mark_announced("old", revision=1, report="", at=NOW)
        ledger.remember("old", [RunFigures("dvf", "s", NOW - timedelta(days=1), 42)])


def test_a_slot_without_a_run_is_overdue_until_a_run_makes_up_for_it(folder: Folder) -> None:
    overdue_night(folder)
    said = folder.run("status")
    assert said.code == 4
    assert said.out.startswith("✗ no run came for the slot of ")
    assert "is a `fanfold serve` running?" in said.out
    assert status_json(folder)["overdue"] is not None
    assert folder.run("sweep").code == 0
    assert folder.run("status", "latest").code == 4
    assert folder.run("status").code == 4
    assert folder.run("run").code == 0
    assert folder.run("status").code == 0


@pytest.mark.parametrize(
    ("collector", "unread"),
    [
        ({"auth": {"bearer": "${TOKEN}"}}, "TOKEN is not set"),
        ({"url": "${DVF}/"}, "DVF is not set"),
        ({"url": None}, "dvf has no URL"),
        ({"timeout": "10 minutes"}, "is not a duration"),
        ({"expect": {"min_record": 4}}, "unknown key"),
    ],
)
def test_slots_need_the_cron_and_the_zone_only(
    folder: Folder, collector: dict[str, Any], unread: str
) -> None:
    overdue_night(folder, **collector)
    said = folder.run("status")
    assert said.code == 4
    assert unread in said.out
    next_line = said.out.splitlines()[-1]
    assert next_line.startswith("  next: fanfold check   # what could not be read?")
    assert str(folder.path / "config.yaml") in said.out
    document = status_json(folder)
    assert (document["code"], len(document["unread"])) == (4, 1)


@pytest.mark.parametrize(
    ("collector", "scheduler"),
    [
        ({"schedule": "15 3 * *"}, {}),
        ({"schedul": "15 3 * * *"}, {}),
        ({"enabled": "${ON}"}, {}),
        ({}, {"timezone": "Europe/Pari"}),
        ({}, {"timezon": "Europe/Paris"}),
        ({}, {"missed_after": "soon"}),
    ],
)
def test_slots_that_cannot_be_read_are_not_called_well(
    folder: Folder, collector: dict[str, Any], scheduler: dict[str, Any]
) -> None:
    assert folder.run("run").code == 0
    address = folder.collectors.address("ok")
    folder.configure({"dvf": {"url": address, **collector}, "sirene": "ok"}, **scheduler)
    said = folder.run("status")
    assert (said.code, "next: fanfold check" in said.out) == (5, True)
    assert str(folder.path / "config.yaml") in said.out.splitlines()[0]
    status_json(folder)


@pytest.mark.parametrize(
    ("name", "collector"), [("latest", "ok"), ("two words", "ok"), ("plu", {"url": ["ok"]})]
)
def test_a_collector_that_cannot_be_read_is_not_called_well(
    folder: Folder, name: str, collector: Any
) -> None:
    assert folder.run("run").code == 0
    folder.configure({"dvf": "ok", name: collector})
    # A name that cannot be one, and no collector of it; a URL is not needed for its slots.
    assert folder.run("status").code == (0 if name == "plu" else 5)
    assert name in folder.run("status").out


def refuse_one(folder: Folder) -> str:
    """Let a request be refused, as one of the tags that nobody has; return the record's id."""
    run_id = folder.run("run", "--no-wait").out.strip()
    with sqlite3.connect(folder.path / "fanfold.db") as file:
        file.execute("UPDATE queued SET published_at = published_at - 25 * 3600 * 1000000")
    assert folder.run("run", "--run-id", "another").code == 0
    return f"{run_id}-rejected"


def test_a_refused_request_is_seen_for_a_day(folder: Folder) -> None:
    refused = refuse_one(folder)
    said = folder.run("status")
    assert said.code == 1
    assert said.out.startswith("✗ a request was refused: the request was published 25.0 h ago")
    assert f"refused   {refused}" in said.out
    assert [each["run_id"] for each in status_json(folder)["findings"]] == [refused]
    for verb in ("status", "report"):
        assert folder.run(verb, refused).code == 2

    with sqlite3.connect(folder.path / "fanfold.db") as file:
        file.execute(
            "UPDATE run SET start_time = start_time - 25 * 3600 * 1000000 WHERE run_id = ?",
            (refused,),
        )
    assert folder.run("status").code == 0


def test_latest_is_the_newest_that_somebody_asked_for_a_refusal_included(folder: Folder) -> None:
    folder.run("run", "--run-id", "first")
    refused = refuse_one(folder)
    with sqlite3.connect(folder.path / "fanfold.db") as file:
        file.execute("UPDATE run SET start_time = start_time - 1e6 WHERE run_id = 'another'")
        file.execute("UPDATE run SET start_time = start_time + 1e6 WHERE run_id = ?", (refused,))
    assert status_json(folder)["latest"]["run_id"] == refused
    for verb in ("status", "report"):
        said = folder.run(verb, "latest", "--format", "json")
        assert (said.code, said.json()["status"]) == (2, "rejected")
    assert folder.run("status", "latest~1").code == 0


def test_who_is_not_well_is_named_with_since_when_and_the_last_good_one(folder: Folder) -> None:
    folder.configure({"dvf": "fail", "plu": "ok", "sirene": "ok"})
    nights = [NOW - timedelta(days=back) for back in (4, 3, 2, 1)]
    with ledger_of(folder) as ledger:
        ledger.create_run(support.a_run("old", start_time=nights[0]), ())
        ledger.mark_announced("old", revision=1, report="", at=NOW)
        for number, at in enumerate(nights):
            letters = {"dvf": "sfff"[number], "plu": "sssf"[number], "sirene": "ssfs"[number]}
            figures = [
                RunFigures(name, letter, at, 412 if letter == "s" else None, slot=at)
                for name, letter in letters.items()
            ]
            ledger.remember(f"night-{number}", figures)
    said = folder.run("status")
    assert said.code == 1
    words = one_line_each(said)
    assert "2 of 3 do not succeed, 1 of them new: dvf (3 slots), plu" in words
    assert "still failing: 1 ✗ failed dvf 3 slots, since " in words
    assert "new: 1 ✗ failed plu 1 slot, since " in words
    assert "412 records" in words
    assert "recovered: sirene" in words
    collectors = status_json(folder)["collectors"]
    assert {name: one["state"] for name, one in collectors.items()} == {
        "dvf": "still",
        "plu": "new",
        "sirene": "recovered",
    }
    assert (collectors["dvf"]["slots"], collectors["dvf"]["last_good_records"]) == (3, 412)


def test_equal_causes_stand_together(folder: Folder) -> None:
    folder.configure({f"c{number}": "fail" for number in range(20)})
    folder.run("run")
    said = folder.run("status")
    assert said.out.count("✗ HTTP 400: no such place") == 1
    assert "and 8 more" in said.out
    assert len(status_json(folder)["collectors"]) == 20


def test_a_run_by_hand_leaves_no_mark_on_the_others(folder: Folder) -> None:
    folder.run("run")
    for _ in range(3):
        folder.run("run", "dvf")
    report = folder.run("run", "--dry-run", "--format", "json").json()
    shown = {name: one["history"]["outcomes"] for name, one in report["collectors"].items()}
    assert shown == {"dvf": "ssss", "sirene": "s"}


@pytest.mark.parametrize("form", ["table", "markdown", "json"])
def test_every_form_says_the_sentence_and_has_the_code(folder: Folder, form: str) -> None:
    folder.configure({"dvf": "fail", "plu": "ok"})
    folder.run("run")
    said = folder.run("status", "--format", form)
    assert said.code == 1
    assert "1 of 2 does not succeed: dvf" in said.out


def test_status_creates_nothing(folder: Folder) -> None:
    said = folder.run("status")
    assert (said.code, "fanfold run" in said.out) == (5, True)
    assert status_json(folder)["latest"] is None
    assert list(folder.path.glob("*.db*")) == []
