"""``fanfold pause`` and ``fanfold resume``, and where a pause shows."""

from __future__ import annotations

import pytest
from tests.cli.conftest import Folder


@pytest.fixture
def paused(folder: Folder) -> Folder:
    address = folder.collectors.address("ok")
    folder.configure({"dvf": {"url": address, "schedule": "15 3 * * *"}, "plu": address})
    assert folder.run("run").code == 0
    printed = folder.run("pause", "plu", "--for", "3d", "--reason", "no source")
    assert printed.code == 0
    assert printed.out.startswith("plu is paused since ")
    return folder


def test_a_pause_is_listed_and_ended(paused: Folder) -> None:
    (one,) = paused.run("pause", "--format", "json").json()["pauses"]
    assert (one["kind"], one["name"], one["reason"]) == ("collector", "plu", "no source")
    assert one["until"] is not None
    assert "@" in one["by"]

    assert "plu is paused since" in paused.run("resume", "plu").out
    assert paused.run("pause").out == "nothing is paused\n"
    again = paused.run("resume", "plu")
    assert (again.code, again.out) == (0, "nothing of it was paused\n")


def test_a_pause_shows_in_status_history_plan_and_report(paused: Folder) -> None:
    status = paused.run("status")
    assert "paused    plu is paused since" in status.out
    assert status.code == 0
    document = paused.run("status", "--format", "json").json()
    assert [each["name"] for each in document["pauses"]] == ["plu"]

    plan = paused.run("run", "--dry-run", "--format", "json").json()["collectors"]["plu"]
    assert (plan["status"], plan["reason"]) == ("skipped", "paused")
    report = paused.run("run", "--format", "json").json()["collectors"]
    assert (report["plu"]["reason"], report["dvf"]["status"]) == ("paused", "succeeded")
    assert report["plu"]["note"].endswith(": no source")
    assert "‖ plu is paused since" in paused.run("history").out
    assert "no source" in paused.run("report").out

    named = paused.run("run", "plu", "--format", "json").json()["collectors"]["plu"]
    assert named["status"] == "succeeded"


def test_a_paused_schedule_shows_in_status(paused: Folder) -> None:
    assert "every schedule is paused" in paused.run("pause", "--all").out
    assert "next      paused" in paused.run("status").out
    assert "every schedule is paused" in paused.run("resume", "--everything").out
    assert "is paused" not in paused.run("status").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pause", "plv"], "unknown collector 'plv': did you mean 'plu'?"),
        (["pause", "--schedule", "15 3 * * 1"], "did you mean '15 3 * * *'?"),
        (["resume", "plv"], "did you mean 'plu'?"),
        (["pause", "plu", "--all"], "name collectors, or give --schedule, or --all"),
        (["pause", "--for", "3d"], "name what to pause"),
        (["pause", "plu", "--for", "3 days"], "--for"),
        (["pause", "plu", "--for", "0s"], "--for '0s': a pause of no time"),
        (["pause", "--schedule", ""], "is empty"),
        (["resume", ""], "is empty"),
        (["resume"], "name what to resume"),
    ],
)
def test_what_cannot_be_meant_is_refused(paused: Folder, arguments: list[str], said: str) -> None:
    printed = paused.run(*arguments)
    assert printed.code == 2
    assert said in printed.err
