"""``fanfold history``: what ran, what was missed and what was refused, newest first."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests import support
from tests.cli.conftest import Folder

from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.domain.model.run import RunFigures
from fanfold.domain.model.states import Phase, RunStatus
from fanfold.views import past

NOW = datetime.now(UTC)


@pytest.fixture
def nights(folder: Folder) -> Folder:
    """A folder with a failed night, its retry, a missed slot, a refusal and a plan, in this order.

    The first is five days old, and each of the others is a day younger than the one before.
    """
    stored: list[tuple[str, RunStatus, dict[str, Any]]] = [
        ("night", RunStatus.FAILED, {"about": "1 of 2 succeeded: plu failed"}),
        ("again", RunStatus.SUCCEEDED, {"about": "all 1 succeeded", "retry_of": "night"}),
        ("slot-missed", RunStatus.MISSED, {"about": "missed: no run came"}),
        ("bad-rejected", RunStatus.REJECTED, {"about": "not started: no such tag"}),
        ("what-planned", RunStatus.PLANNED, {"about": "planned only"}),
    ]
    database = Database(folder.path / "fanfold.db")
    ledger = SqliteLedger(database)
    for back, (run_id, verdict, changes) in zip((5, 4, 3, 2, 1), stored, strict=True):
        at = NOW - timedelta(days=back)
        final = {"phase": Phase.FINAL, "verdict": verdict, "announced_at": at, "start_time": at}
        of_slot = {"scheduled_for": at if run_id == "night" else None}
        ended = {"end_time": at + timedelta(seconds=64)}
        given: dict[str, Any] = final | of_slot | ended | changes
        ledger.create_run(support.a_run(run_id, **given), ())
    old = NOW - timedelta(days=5)
    ledger.remember("night", [RunFigures("plu", "f", old), RunFigures("dvf", "s", old, 42)])
    ledger.remember("again", [RunFigures("plu", "s", old + timedelta(days=1), 7)])
    database.close()
    return folder


def listed(folder: Folder, *options: str) -> list[str]:
    said = folder.run("history", "--format", "json", *options)
    assert said.code == 0, said.err
    return [row["run_id"] for row in said.json()]


def test_all_but_plans_are_listed_newest_first_one_line_each(nights: Folder) -> None:
    said = nights.run("history")
    assert said.code == 0
    lines = [line.split() for line in said.out.splitlines()]
    assert [line[:2] for line in lines] == [
        ["✗", "bad-rejected"],
        ["▢", "slot-missed"],
        ["✓", "again"],
        ["✗", "night"],
    ]
    assert "1m04s" in said.out
    assert "not started: no such tag" in said.out


def test_a_chain_is_shown_both_ways(nights: Folder) -> None:
    said = nights.run("history")
    assert "retry of night" in said.out
    assert "retried by again" in said.out
    rows = {row["run_id"]: row for row in nights.run("history", "--format", "json").json()}
    assert (rows["again"]["retry_of"], rows["night"]["retried_by"]) == ("night", ["again"])


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--status", "failed"], ["night"]),
        (["--status", "refused"], ["bad-rejected"]),
        (["--status", "rejected", "--status", "missed"], ["bad-rejected", "slot-missed"]),
        (["--status", "planned"], ["what-planned"]),
        (["--status", "running"], []),
        (["--since", "60h"], ["bad-rejected"]),
        (["--limit", "2"], ["bad-rejected", "slot-missed"]),
        (["--collector", "plu"], ["again", "night"]),
        (["--collector", "plu", "--status", "failed"], ["night"]),
        (["--collector", "dvf", "--status", "failed"], []),
        (["--collector", "plu", "--since", "108h"], ["again"]),
    ],
)
def test_what_is_asked_for_is_listed(nights: Folder, options: list[str], found: list[str]) -> None:
    assert listed(nights, *options) == found


def test_a_collector_that_nobody_knows_is_no_empty_list(nights: Folder) -> None:
    said = nights.run("history", "--collector", "dfv", "--format", "csv")

    assert (said.code, said.out) == (2, "")
    assert "error: no collector 'dfv': did you mean 'dvf'?" in said.err


def test_of_one_collector_its_own_outcome_is_told(nights: Folder) -> None:
    said = nights.run("history", "--collector", "dvf")
    assert "succeeded, 42 records" in said.out
    row = nights.run("history", "--collector", "plu", "--format", "json").json()[1]
    assert (row["status"], row["run_status"]) == ("failed", "failed")


def test_csv_has_a_head_and_a_row_each(nights: Folder) -> None:
    said = nights.run("history", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert [row["run_id"] for row in rows] == listed(nights)
    assert rows[3]["about"] == "1 of 2 succeeded: plu failed"
    assert rows[3]["retried_by"] == "again"


@pytest.mark.parametrize(
    ("options", "said_of_it"),
    [
        (["--status", "faild"], "did you mean 'failed'"),
        (["--since", "yesterday"], "--since 'yesterday'"),
        (["--limit", "0"], "--limit"),
        (["--format", "yaml"], "--format 'yaml'"),
    ],
)
def test_an_odd_option_is_refused_with_a_sentence(
    nights: Folder, options: list[str], said_of_it: str
) -> None:
    said = nights.run("history", *options)
    assert (said.code, said.out) == (2, "")
    assert said_of_it in said.err


def test_without_a_database_it_says_where_it_looked(folder: Folder) -> None:
    said = folder.run("history")
    assert said.code == 2
    assert str(folder.path / "fanfold.db") in said.err


def test_pages_leave_nothing_out_even_where_many_began_at_once(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "PAGE", 4)
    database = Database(folder.path / "fanfold.db")
    ledger = SqliteLedger(database)
    for number in range(12):
        at = NOW - timedelta(seconds=number // 3)
        ledger.create_run(support.a_run(f"r{number:02}", start_time=at), ())
    database.close()
    found = listed(folder)
    assert sorted(found) == [f"r{number:02}" for number in range(12)]
    monkeypatch.setattr(past, "MOST_READ", 4)
    assert len(listed(folder)) == 4


def test_a_run_that_cannot_be_read_is_listed_and_named(nights: Folder) -> None:
    database = Database(nights.path / "fanfold.db")
    database.write(
        lambda connection: connection.execute(
            "UPDATE run SET document = 'x' WHERE run_id = 'night'"
        )
    )
    database.close()

    said = nights.run("history")
    assert said.code == 0
    assert "night" in said.out
    assert "again" in said.out
    assert "warning: run night: its record cannot be read (" in said.err
    assert "the run is over; mend it where it is stored, or delete it there" in said.err

    one = nights.run("status", "night")
    assert one.code == 5
    assert "run night: its record cannot be read: " in one.err

    whole = nights.run("status")
    assert whole.code == 5
    assert "run night: its record cannot be read (" in whole.out
    assert "warning: run night" not in whole.err


def test_a_run_that_cannot_be_read_can_be_ended(nights: Folder) -> None:
    database = Database(nights.path / "fanfold.db")
    ledger = SqliteLedger(database)
    ledger.create_run(support.a_run("open", deadline=NOW + timedelta(hours=9)), ())
    database.write(
        lambda connection: connection.execute(
            "UPDATE run SET document = 'x', verdict = 'failed' WHERE run_id = 'open'"
        )
    )
    database.close()
    assert nights.run("status", "open").code == 5

    assert nights.run("cancel", "open").code == 0
    said = nights.run("history")
    assert "failed: the report cannot be written as it is: its record cannot be read" in said.out
