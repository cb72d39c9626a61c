"""``fanfold retry``: only what did not succeed, said before it is done."""

from __future__ import annotations

from datetime import UTC, datetime

from tests import support
from tests.cli.conftest import Folder

from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.domain.model.states import Phase, RunStatus


def _one_failed(folder: Folder) -> str:
    """Run three collectors of which one fails and one is not due; return the run's id."""
    address = folder.collectors.address("ok")
    folder.configure(
        {
            "dvf": "ok",
            "plu": "fail",
            "sirene": "ok",
            "insee": {"url": address, "tags": ["rare"], "enabled": False},
        }
    )
    said = folder.run("run", "--format", "json")
    assert said.code == 1
    folder.collectors.calls.clear()
    run_id: str = said.json()["run_id"]
    return run_id


def _asked(folder: Folder) -> list[str]:
    return sorted(call["collector"] for call in folder.collectors.calls)


def test_only_what_failed_is_asked_again_as_a_run_of_its_own(folder: Folder) -> None:
    first = _one_failed(folder)
    folder.configure({"dvf": "ok", "plu": "ok", "sirene": "ok"})
    said = folder.run("retry", "--format", "json")
    assert said.code == 0, said.err
    report = said.json()
    assert _asked(folder) == ["plu"]
    assert report["run_id"] != first
    assert (report["retry_of"], report["trigger"]["kind"]) == (first, "retry")
    assert report["run_id"] == f"{first}-try2"
    assert report["about"].startswith("all 3 succeeded, plu at the second try, ")
    one = report["collectors"]["dvf"]
    assert (one["status"], one["kept"], one["answered_in"]) == ("succeeded", True, first)
    plu = report["collectors"]["plu"]
    assert (plu["kept"], plu["answered_in"]) == (False, f"{first}-try2")
    assert [(each["run_id"], each["status"]) for each in plu["earlier"]] == [(first, "failed")]
    assert plu["earlier"][0]["error"]


def test_it_says_first_which_and_why_not_the_others(folder: Folder) -> None:
    first = _one_failed(folder)
    said = folder.run("retry")
    assert said.code == 1
    assert said.err.splitlines()[0] == (
        f"retry of {first}: plu   (dvf, sirene succeeded; insee was disabled)"
    )
    again = folder.run("retry", "--dry-run")
    assert again.err.splitlines()[0] == (
        f"retry of {first}-try2: plu   (dvf, sirene succeeded; insee was disabled)"
    )


def test_an_optional_collector_that_failed_is_asked_again_too(folder: Folder) -> None:
    address = folder.collectors.address("fail")
    folder.configure({"dvf": "ok", "plu": {"url": address, "criticality": "optional"}})
    assert folder.run("run").code == 0
    folder.collectors.calls.clear()
    folder.run("retry")
    assert _asked(folder) == ["plu"]


def test_what_was_cancelled_is_asked_again(folder: Folder) -> None:
    # Its attempt times out and waits for the next one, so the run is open when it is cancelled.
    folder.configure({"dvf": "ok", "hangs": "slow/5"}, defaults={"timeout": "1s", "auth": "none"})
    assert folder.run("run", "--wait-timeout", "500ms", "--run-id", "cut").code == 3
    assert folder.run("cancel", "cut").code == 0
    assert "next    fanfold retry cut   # hangs only" in folder.run("run", "--run-id", "cut").out
    folder.collectors.calls.clear()
    folder.configure({"dvf": "ok", "hangs": "ok"})
    assert folder.run("retry", "cut").code == 0
    assert _asked(folder) == ["hangs"]
    assert folder.run("retry").out == "Nothing to retry: all 2 succeeded.\n"


def test_the_parameters_of_the_run_go_along(folder: Folder) -> None:
    address = folder.collectors.address("fail")
    folder.configure({"plu": {"url": address, "params": {"years": [2023], "deep": True}}})
    assert folder.run("run", "plu", "--param", "years=[2024]").code == 1
    folder.collectors.calls.clear()
    assert folder.run("retry").code == 1
    assert folder.run("retry").code == 1  # and of the retry's retry
    assert [call["params"] for call in folder.collectors.calls] == [
        {"years": [2024], "deep": True}
    ] * 2


def test_nothing_to_retry_exits_0_and_asks_nobody(folder: Folder) -> None:
    folder.run("run")
    folder.collectors.calls.clear()
    said = folder.run("retry")
    assert (said.code, said.out) == (0, "Nothing to retry: all 2 succeeded.\n")
    as_json = folder.run("retry", "--format", "json")
    assert (as_json.code, as_json.out) == (0, "")
    assert folder.collectors.calls == []


def test_a_dry_run_asks_nobody_and_makes_no_run(folder: Folder) -> None:
    first = _one_failed(folder)
    said = folder.run("retry", "--dry-run")
    assert said.code == 0
    assert "would run plu" in said.out
    assert folder.collectors.calls == []
    assert folder.run("status", "latest", "--format", "json").json()["run_id"] == first


def test_without_waiting_stdout_is_the_id_alone(folder: Folder) -> None:
    first = _one_failed(folder)
    said = folder.run("retry", first, "--no-wait")
    assert said.code == 0
    (run_id,) = said.out.split()
    assert run_id != first
    assert folder.run("retry", "--no-wait", "--wait-timeout", "1s").code == 2


def test_a_run_under_way_is_not_retried(folder: Folder) -> None:
    folder.configure({"dvf": "slow/1.5"})
    assert folder.run("run", "--wait-timeout", "300ms", "--run-id", "slow").code == 3
    said = folder.run("retry", "slow")
    assert said.code == 2
    assert "still running" in said.err
    assert "next: fanfold status slow" in said.err
    assert folder.run("run", "--run-id", "slow").code == 0


def test_a_notice_is_not_retried(folder: Folder) -> None:
    folder.run("run")
    ledger = SqliteLedger(Database(folder.path / "fanfold.db"))
    never = support.a_run("never", phase=Phase.FINAL, verdict=RunStatus.MISSED, about="no run came")
    assert ledger.create_run(never, ())
    ledger.close()
    said = folder.run("retry", "never")
    assert said.code == 2
    assert "never never ran: no run came" in said.err
    assert "next: fanfold run" in said.err


def test_what_cannot_be_asked_any_more_is_said(folder: Folder) -> None:
    _one_failed(folder)
    folder.configure({"dvf": "ok"})
    said = folder.run("retry")
    assert said.code == 2
    assert "plu is not in the configuration any more" in said.err
    folder.configure({"plu": {"url": folder.collectors.address("ok"), "enabled": False}})
    said = folder.run("retry")
    assert said.code == 2
    assert "plu is disabled now" in said.err
    assert folder.collectors.calls == []


def test_without_any_run_there_is_nothing_to_retry(folder: Folder) -> None:
    said = folder.run("retry")
    assert said.code == 2
    assert "no runs yet" in said.err


def test_without_a_run_it_asks_whoever_failed_when_last_asked_in_whichever_run(
    folder: Folder,
) -> None:
    folder.configure({"a": "fail", "b": "fail", "c": "fail", "d": "ok"})
    folder.run("run", "--run-id", "night")
    folder.run("run", "b", "--param", "year=7", "--run-id", "by-hand")
    folder.configure({"a": "ok", "b": "ok", "c": "ok", "d": "ok"})
    folder.run("run", "c")
    folder.collectors.calls.clear()

    said = folder.run("retry", "--format", "json")
    assert said.code == 0, said.err
    assert _asked(folder) == ["a", "b"]
    assert said.json()["retry_of"] == "by-hand"
    params = {call["collector"]: call["params"] for call in folder.collectors.calls}
    assert params == {"a": {}, "b": {"year": 7}}
    assert "Nothing to retry" in folder.run("retry").out


def test_without_a_run_a_refusal_in_between_changes_nothing(folder: Folder) -> None:
    first = _one_failed(folder)
    database = Database(folder.path / "fanfold.db")
    refused = support.a_run(
        "no-rejected", start_time=datetime.now(UTC), phase=Phase.FINAL, verdict=RunStatus.REJECTED
    )
    SqliteLedger(database).create_run(refused, ())
    database.close()
    said = folder.run("retry", "--dry-run")
    assert said.err.splitlines()[0].startswith(f"retry of {first}: plu ")


def test_two_who_retry_at_once_make_one_run_and_the_second_is_told(folder: Folder) -> None:
    first = _one_failed(folder)
    folder.configure({"dvf": "ok", "plu": "slow/1.5", "sirene": "ok"})
    begun = folder.run("retry", first, "--wait-timeout", "300ms")
    assert begun.code == 3
    assert f"next: fanfold retry {first}" in begun.err
    for words in (["retry", first, "--no-wait"], ["retry", "--no-wait"]):
        second = folder.run(*words)
        assert (second.code, second.out.strip()) == (0, f"{first}-try2")
        assert f"run {first}-try2, a retry of {first}, is under way: it asks plu" in second.err
    other = folder.run("retry", first, "--collector", "dvf")
    assert other.code == 2
    assert "is under way: it asks plu, and not dvf" in other.err
    assert folder.run("retry", first, "--dry-run").code == 0
    assert folder.run("retry", first).code == 0
    assert _asked(folder) == ["plu"]


def test_a_run_that_was_retried_is_tried_again_by_its_last_retry(folder: Folder) -> None:
    first = _one_failed(folder)
    folder.run("retry", first)
    folder.configure({"dvf": "ok", "plu": "ok", "sirene": "ok"})
    said = folder.run("retry", first, "--format", "json")
    assert said.code == 0
    assert (said.json()["run_id"], said.json()["retry_of"]) == (f"{first}-try3", f"{first}-try2")
    assert [each["run_id"] for each in said.json()["collectors"]["plu"]["earlier"]] == [
        first,
        f"{first}-try2",
    ]
    again = folder.run("retry", first)
    assert (again.code, again.out) == (0, "Nothing to retry: all 3 succeeded.\n")


def test_one_that_is_named_is_asked_however_it_ended_and_no_other(folder: Folder) -> None:
    first = _one_failed(folder)
    said = folder.run("retry", first, "--collector", "dvf", "--format", "json")
    assert said.code == 1  # plu still is what it was
    assert _asked(folder) == ["dvf"]
    collectors = said.json()["collectors"]
    assert (collectors["plu"]["status"], collectors["plu"]["kept"]) == ("failed", True)
    assert collectors["dvf"]["earlier"][0]["status"] == "succeeded"
    wrong = folder.run("retry", first, "--collector", "plo")
    assert wrong.code == 2
    assert "did you mean 'plu'" in wrong.err


def test_after_a_retry_that_made_all_good_status_is_green_and_names_it(folder: Folder) -> None:
    _one_failed(folder)
    assert folder.run("status").code == 1
    folder.configure({"dvf": "ok", "plu": "ok", "sirene": "ok"})
    folder.run("retry")
    said = folder.run("status")
    assert said.code == 0
    assert said.out.splitlines()[0] == "✓ all 3 succeeded when last asked, plu at the second try"


def test_the_report_of_a_retry_outlives_the_record_of_the_first_run(folder: Folder) -> None:
    first = _one_failed(folder)
    folder.configure({"dvf": "ok", "plu": "ok", "sirene": "ok"})
    folder.run("retry", first)
    before = folder.run("report", f"{first}-try2", "--format", "json").out
    database = Database(folder.path / "fanfold.db")
    database._writer.execute("DELETE FROM run WHERE run_id = ?", (first,))
    database._writer.execute("DELETE FROM manifest WHERE run_id = ?", (first,))
    database._writer.execute("DELETE FROM answer WHERE run_id = ?", (first,))
    database.close()
    assert folder.run("report", f"{first}-try2", "--format", "json").out == before
    # The id of the first is the start of that of its retry, which is the run that is meant.
    assert folder.run("retry", first).out == "Nothing to retry: all 3 succeeded.\n"


def test_a_failure_in_a_run_that_is_not_kept_any_more_is_asked_anew(folder: Folder) -> None:
    first = _one_failed(folder)
    database = Database(folder.path / "fanfold.db")
    database._writer.execute("DELETE FROM run WHERE run_id = ?", (first,))
    database.close()
    folder.run("run", "dvf")
    said = folder.run("retry")
    assert said.code == 2
    assert "plu did not succeed in a run that is not kept any more" in said.err
    assert "next: fanfold run plu" in said.err


def test_a_record_that_cannot_be_read_stops_no_other_retry(folder: Folder) -> None:
    first = _one_failed(folder)
    folder.configure({"dvf": "fail", "plu": "fail", "sirene": "ok"})
    folder.run("run", "dvf", "--run-id", "broken")
    database = Database(folder.path / "fanfold.db")
    database._writer.execute("UPDATE run SET document = '{' WHERE run_id = 'broken'")
    database.close()
    named = folder.run("retry", "broken")
    assert named.code == 2
    assert "run broken cannot be retried, for it cannot be read" in named.err
    folder.configure({"dvf": "ok", "plu": "ok", "sirene": "ok"})
    said = folder.run("retry", "--format", "json")
    assert (said.code, said.json()["retry_of"]) == (0, first)
    again = folder.run("retry")
    assert again.code == 2
    assert "dvf did not succeed in a run that is not kept any more, or unreadable" in again.err
    assert "next: fanfold run dvf" in again.err


def test_a_run_whose_record_cannot_be_read_is_refused(folder: Folder) -> None:
    first = _one_failed(folder)
    database = Database(folder.path / "fanfold.db")
    database._writer.execute("DELETE FROM manifest WHERE run_id = ? AND position = 0", (first,))
    database.close()
    said = folder.run("retry", first)
    assert said.code == 2
    assert "cannot be read: a part of its record is gone" in said.err


def test_the_chain_is_shown_both_ways_and_the_first_report_stays_as_it_was(folder: Folder) -> None:
    first = _one_failed(folder)
    before = folder.run("report", first, "--format", "json").out
    page = folder.path / "reports" / first / "report.html"
    stored = page.read_bytes()
    folder.run("retry", first)
    assert folder.run("report", first, "--format", "json").out == before
    assert page.read_bytes() == stored
    assert folder.run("status", first, "--format", "json").json()["retried_by"] == f"{first}-try2"
    for words in (["status", first], ["report", first], ["report", first, "--format", "html"]):
        assert f"retried by {first}-try2" in folder.run(*words).out
    for words in (["status"], ["report"]):
        said = folder.run(*words, f"{first}-try2")
        assert f"a retry of {first}" in said.out
        assert "retried by" not in said.out
    said = folder.run("status")
    assert f"retry of {first}   " in said.out
    assert folder.run("status", "--format", "json").json()["latest"]["retry_of"] == first
    assert f"a retry of {first}" in (page.parent.parent / f"{first}-try2" / page.name).read_text()
