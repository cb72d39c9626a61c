"""``fanfold run --slot`` and ``fanfold backfill``: making up for slots that have no run."""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime, timedelta

import pytest
from tests.cli.conftest import Folder, ended, eventually

from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.app.notices import notice
from fanfold.domain.model.run import Trigger
from fanfold.domain.model.states import RunStatus

#: Two weeks ago: no test comes near it, whatever the time is.
DAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=14)


def day(number: int) -> str:
    """Return the day so many days after the first one."""
    return f"{DAY + timedelta(days=number):%Y-%m-%d}"


def run_id(number: int, time_of_day: str = "0215") -> str:
    return f"{day(number)}T{time_of_day}Z-nightly"


@pytest.fixture
def nightly(folder: Folder) -> Folder:
    """Return a folder with a collector of each night, one of each Monday, and one by hand."""
    address = folder.collectors.address
    folder.configure(
        {
            "dvf": {"url": address("ok"), "schedule": "15 2 * * *", "tags": ["daily"]},
            "plu": {"url": address("ok"), "schedule": "0 4 * * *"},
            "byhand": address("ok"),
        },
        name="nightly",
        timezone="UTC",
    )
    folder.collectors.calls.clear()
    return folder


def runs(folder: Folder) -> list[str]:
    """Return the ids of the runs that are there, oldest first."""
    return [each["run_id"] for each in folder.run("history", "--format", "json").json()][::-1]


def test_one_slot_is_made_up_for_under_its_own_id(nightly: Folder) -> None:
    said = nightly.run("run", "--slot", f"{day(0)}T02:15Z", "--format", "json")
    assert said.code == 0, said.err
    report = said.json()
    assert report["run_id"] == run_id(0)
    assert {name: one["status"] for name, one in report["collectors"].items()} == {
        "dvf": "succeeded",
        "plu": "skipped",
        "byhand": "skipped",
    }
    (call,) = nightly.collectors.calls
    assert call["scheduled_for"].startswith(f"{day(0)}T02:15:00")
    (listed,) = nightly.run("history", "--format", "json").json()
    assert listed["slot"].startswith(f"{day(0)}T02:15:00")
    assert "by hand, " in nightly.run("history").out


def test_a_slot_that_has_a_run_is_refused_with_what_to_do_instead(nightly: Folder) -> None:
    nightly.run("run", "--slot", f"{day(0)}T02:15Z")
    said = nightly.run("run", "--slot", f"{day(0)}T02:15Z")
    assert said.code == 2
    assert said.err.splitlines() == [
        f"error: this slot already has run {run_id(0)} (succeeded); nothing was started",
        "  next: fanfold run",
    ]
    assert runs(nightly) == [run_id(0)]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--slot", f"{day(0)}T02:16Z"), "is no slot of the schedule: the nearest are"),
        (("--slot", f"{day(40)}T02:15Z"), "is still to come"),
        (("--slot", f"{day(0)}T02:15"), "names no zone"),
        (("--slot", day(0)), "has no time of day"),
        (("--slot", "tonight"), "is no time"),
        (("--slot", "2027-03-28T02:30[Europe/Paris]"), "no time between exists"),
        (("--slot", f"{day(0)}T02:15Z", "--due"), "--slot and --due do not go together"),
        (("--slot", f"{day(0)}T02:15Z", "--run-id", "x"), "--slot and --run-id do not go"),
        (("--slot", f"{day(0)}T02:15Z", "dfv"), "did you mean 'dvf'?"),
    ],
)
def test_a_slot_that_cannot_be_run_is_refused_and_leaves_nothing(
    nightly: Folder, arguments: tuple[str, ...], sentence: str
) -> None:
    said = nightly.run("run", *arguments)
    assert (said.code, said.out) == (2, "")
    assert sentence in said.err
    assert nightly.collectors.calls == []


def test_a_backfill_runs_what_has_no_run_one_after_the_other(nightly: Folder) -> None:
    nightly.run("run", "--slot", f"{day(1)}T02:15Z")
    said = nightly.run("backfill", day(0), day(1))
    assert said.code == 0, said.err
    made = [run_id(0), run_id(0, "0400"), run_id(1, "0400")]
    assert [line.split()[1] for line in said.out.splitlines()[:-1]] == made
    assert said.out.splitlines()[-1] == (
        "✓ 3 slots to run, 1 had a run already: 3 succeeded, 0 failed"
    )
    assert said.err.splitlines()[0] == f"slot 1 of 3: {DAY:%a} {DAY.day} {DAY:%b} 02:15 UTC"
    assert runs(nightly) == [run_id(1), *made]
    again = nightly.run("backfill", day(0), day(1))
    assert (again.code, again.out) == (0, "✓ no slot to run, 4 had a run already\n")


def test_a_backfill_of_some_runs_the_slots_in_which_they_were_due(nightly: Folder) -> None:
    for choice in (("--collector", "dvf"), ("--tag", "daily"), ("--exclude", "plu")):
        said = nightly.run("backfill", day(0), day(1), *choice, "--dry-run", "--format", "json")
        planned = said.json()["slots"]
        assert [each["run_id"] for each in planned] == [run_id(0), run_id(1)]
        assert {name for each in planned for name in each["collectors"]} == {"dvf"}
    assert nightly.collectors.calls == []


def test_instants_bound_a_backfill_to_the_microsecond(nightly: Folder) -> None:
    def planned(first: str, last: str) -> list[str]:
        said = nightly.run("backfill", first, last, "--dry-run", "--format", "json")
        return [each["run_id"] for each in said.json()["slots"]]

    assert planned(f"{day(0)}T02:15Z", f"{day(0)}T03:15+01:00") == [run_id(0)]
    assert planned(f"{day(0)}T02:15:00.000001Z", f"{day(0)}T03:59:59Z") == []
    assert planned(f"{day(0)}T0215Z", f"{day(0)}T0400Z") == [run_id(0), run_id(0, "0400")]
    assert planned(day(12), day(99))[:1] == [run_id(12)]  # what is to come is left out


@pytest.mark.parametrize(
    ("bounds", "sentence"),
    [
        ((day(1), day(0)), "comes after"),
        ((day(90), day(91)), "is still to come"),
        ((f"{day(0)}T02:15", day(1)), "names no zone"),
        (("last week", day(1)), "is no time"),
        ((day(0), day(1), "--collector", "dfv"), "did you mean 'dvf'?"),
        ((day(0), day(1), "--tag", "dayly"), "did you mean 'daily'?"),
        (("2001-01-01", day(1)), "more than 5000 slots"),
        ((day(0), day(2), "--limit", "5"), "more than 5 are not started unless --limit 6 is said"),
    ],
)
def test_a_backfill_that_cannot_be_meant_is_refused(
    nightly: Folder, bounds: tuple[str, ...], sentence: str
) -> None:
    said = nightly.run("backfill", *bounds)
    assert (said.code, said.out) == (2, "")
    assert sentence in said.err
    assert nightly.collectors.calls == []


def test_a_slot_that_fails_does_not_keep_the_next_from_being_run(nightly: Folder) -> None:
    address = nightly.collectors.address("fail")
    nightly.configure(
        {"dvf": {"url": address, "schedule": "15 2 * * *"}}, name="nightly", timezone="UTC"
    )
    said = nightly.run("backfill", day(0), day(1))
    assert said.code == 1
    assert said.out.splitlines()[-1] == "✗ 2 slots to run: 0 succeeded, 2 failed"
    assert "fanfold history --status failed" in said.err
    # A slot that failed has its run: its second try is a retry.
    assert nightly.run("backfill", day(0), day(1)).code == 0


def test_an_interrupt_ends_a_backfill_after_the_run_under_way(nightly: Folder) -> None:
    address = nightly.collectors.address("slow/2")
    nightly.configure(
        {"dvf": {"url": address, "schedule": "15 2 * * *"}}, name="nightly", timezone="UTC"
    )
    process = nightly.spawn("backfill", day(0), day(3))
    eventually(lambda: len(nightly.collectors.calls) > 0)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    said = ended(process)
    assert said.code == 130, said.err
    assert said.out.splitlines() == [
        said.out.splitlines()[0],
        "✗ 4 slots to run: 1 succeeded, 0 failed, 3 left",
    ]
    assert "interrupted; the same command goes on with the slots that are left" in said.err
    assert runs(nightly) == [run_id(0)]


def test_a_wait_that_is_over_ends_a_backfill_with_3(nightly: Folder) -> None:
    address = nightly.collectors.address("slow/3")
    nightly.configure(
        {"dvf": {"url": address, "schedule": "15 2 * * *"}}, name="nightly", timezone="UTC"
    )
    said = nightly.run("backfill", day(0), day(1), "--wait-timeout", "0.5s")
    assert said.code == 3
    assert f"gave up waiting for run {run_id(0)}, which goes on" in said.err


def test_history_says_which_run_made_up_for_a_missed_slot(nightly: Folder) -> None:
    slot = DAY + timedelta(hours=2, minutes=15)
    record = notice(
        f"{run_id(0)}-missed",
        RunStatus.MISSED,
        "missed: no run came",
        trigger=Trigger("schedule", "nightly"),
        at=slot + timedelta(minutes=45),
        writer="sweep",
        keep_s=1e7,
        scheduled_for=slot,
    )
    ledger = SqliteLedger(Database(nightly.path / "fanfold.db"))
    ledger.create_run(record, ())
    ledger.close()
    assert "made up for" not in nightly.run("history").out

    nightly.run("run", "--slot", f"{day(0)}T02:15Z")
    made, missed = nightly.run("history", "--format", "json").json()
    assert (made["run_id"], made["made_up_by"]) == (run_id(0), None)
    assert (missed["run_id"], missed["made_up_by"]) == (f"{run_id(0)}-missed", run_id(0))
    assert f"made up for by {run_id(0)}" in nightly.run("history").out.splitlines()[1]
