"""Every page beside home: what it says, and what it says of what is not there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from tests.console.conftest import FIRST, Console, nightly
from tests.support import broken, ok

from fanfold.domain.model.names import retry_run_id
from fanfold.domain.model.run import Failure
from fanfold.domain.protocol.contract import Reply
from fanfold.ports.ledger import DeadLetter

NO_RECORDS = Reply(200, failure=Failure("expectation", "expected at least 40 records, got 0"))


def a_letter(letter_id: str = "letter-1", **changes: object) -> DeadLetter:
    return DeadLetter(
        letter_id=letter_id,
        subscription="dispatcher.run-requests",
        reason="it is no JSON",
        data=b'{"token": "eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl", "a": 1}',
        attributes={"ce-id": "x"},
        received_at=FIRST,
    )


def test_a_collector_says_for_how_long_it_fails_and_with_what(console: Console) -> None:
    console.nights(4, plu=ok(48))
    runs = console.nights(2, plu=NO_RECORDS)
    page = console.page("/collectors/plu")
    assert "plu: failing for 2 slots, expected at least 40 records, got 0" in page.text
    assert "Last good Sun 1 Nov 05:00" in page.text
    assert "Next due Wed 4 Nov 05:00" in page.text
    assert "Succeeded 4 of 6" in page.text
    assert "Usually 48 records" in page.text
    assert "expected at least 40 records, got 0 2 Mon 2 Nov Tue 3 Nov still failing" in page.text
    assert {f"/runs/{run_id}" for run_id in runs} <= set(page.links())
    assert page.titles().count("Mon 2 Nov 05:00: failed") == 1


def test_a_failure_that_is_over_says_how_it_ended(console: Console) -> None:
    console.nights(2)
    console.night(plu=broken(500, retryable=False))
    console.night(plu=ok(12))
    assert "the next slot succeeded" in console.page("/collectors/plu").text


def test_a_collector_shows_slots_from_before_its_memory(console_of: Callable[..., Console]) -> None:
    console = console_of(nightly("plu"))
    console.night(plu=broken(500, retryable=False))
    console.nights(34, plu=ok(10))
    page = console.page("/collectors/plu")
    assert "Last 35 slots" in page.text
    assert page.titles().count("Thu 29 Oct 05:00: failed") == 1


def test_a_collector_that_was_never_asked_has_a_page(console: Console) -> None:
    assert "It was never asked" in console.page("/collectors/plu").text


def test_the_list_is_filtered_by_name_by_state_and_by_family(console: Console) -> None:
    console.world.configured = nightly("plu", *(f"sirene_{number:02}" for number in range(60)))
    console.night()
    console.night(plu=broken(500, retryable=False))
    assert "sirene_" not in console.page("/collectors?q=pl").text
    failing = console.page("/collectors?only=failing")
    assert "/collectors/plu" in failing.links()
    assert "/collectors/sirene_01" not in failing.links()
    family = console.page("/collectors?family=sirene")
    assert "1 to 50 of 60" in family.text
    assert "/collectors?family=sirene&page=2" in family.links()
    assert "51 to 60 of 60" in console.page("/collectors?family=sirene&page=2").text


@pytest.mark.parametrize(
    ("path", "said", "near"),
    [
        ("/collectors/plo", "no collector 'plo': did you mean 'plu'?", "/collectors/plu"),
        ("/collectors?page=7", "there is no page 7: the last one is 1", "/collectors"),
        ("/collectors?page=seven", "there is no page 'seven'", "/collectors"),
        ("/runs?page=9", "there is no page 9", "/runs"),
        ("/runs/2031", "there is no run '2031'", "/runs/2026-10-29T0400Z-nightly"),
        ("/dead-letters/letter", "no dead letter 'letter'", "/dead-letters/letter-1"),
        ("/dead-letters?page=0", "there is no page '0'", "/dead-letters"),
    ],
)
def test_what_is_not_there_is_a_404_with_what_is_near(
    console: Console, path: str, said: str, near: str
) -> None:
    console.night()
    console.world.ledger.park(a_letter())
    page = console.page(path, 404)
    assert said in page.text
    assert near in page.links()
    if not path.startswith("/collectors?"):  # the API gives them all at once
        assert said in console.get("/api/v1" + path, 404).get_json()["error"]


def test_history_lists_runs_with_their_chain_and_filters_them(console: Console) -> None:
    first = console.night()
    second = console.night(plu=broken(500, retryable=False))
    console.world.client.says("plu", ok(3))
    console.world.ask(run_id="by-hand", collectors=("plu",))
    console.world.live(120)
    page = console.page("/runs")
    assert page.text.index("by-hand") < page.text.index(second) < page.text.index(first)
    assert first not in console.page("/runs?outcome=failed").text
    by_hand = console.page("/runs?trigger=ad_hoc")
    assert "by-hand" in by_hand.text
    assert second not in by_hand.text
    assert "/runs/by-hand" not in console.page("/runs?to=2026-10-29").links()
    assert first not in console.page("/runs?from=2026-10-30").text
    assert "/runs/by-hand" not in console.page("/runs?collector=dvf").links()
    assert "is no day such as" in console.page("/runs?from=yesterday", 400).text
    assert "is none of" in console.page("/runs?outcome=well", 400).text


def test_history_has_pages(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fanfold.console.pages.history.ROWS", 2)
    first, second, third = console.nights(3)
    page = console.page("/runs")
    assert "/runs?page=2" in page.links()
    assert f"/runs/{first}" not in page.links()
    assert f"/runs/{first}" in console.page("/runs?page=2").links()
    assert {f"/runs/{second}", f"/runs/{third}"} <= set(page.links())


def test_a_run_leads_to_its_retry_and_back(console: Console) -> None:
    first = console.night(plu=broken(500, retryable=False))
    console.world.client.says("plu", ok(3))
    retry = retry_run_id(first)
    console.world.ask(run_id=retry, retry_of=first)
    console.world.live(120)
    assert f"/runs/{retry}" in console.page(f"/runs/{first}").links()
    assert f"/runs/{first}" in console.page(f"/runs/{retry}").links()


def test_a_run_under_way_shows_how_far_it_is(console: Console) -> None:
    console.night()
    console.world.ask(run_id="now")
    console.world.deliver()
    assert "0 of 3 done" in console.page("/runs/now").text


@pytest.mark.parametrize("request_", [{"collectors": ("nobody",)}])
def test_a_refused_request_has_a_page(console: Console, request_: dict[str, object]) -> None:
    console.world.ask(run_id="wrong", **request_)
    console.world.settle()
    refused = next(run.run_id for run in console.world.ledger.recent_runs(5))
    page = console.page(f"/runs/{refused}")
    assert "nobody" in page.text
    assert "nobody" in console.page("/runs?outcome=rejected").text


def test_a_missed_slot_has_a_page(console: Console) -> None:
    console.night()
    console.world.clock.at += timedelta(days=1, hours=2)
    console.world.tick()
    missed = next(run for run in console.world.ledger.recent_runs(5) if run.status == "missed")
    assert "missed" in console.page(f"/runs/{missed.run_id}").text
    assert f"/runs/{missed.run_id}" in console.page("/runs?outcome=missed").links()


def test_a_dead_letter_is_shown_with_its_tokens_masked(console: Console) -> None:
    console.world.ledger.park(a_letter())
    listed = console.page("/dead-letters")
    assert "it is no JSON" in listed.text
    assert "Dead letters 1" in listed.text
    page = console.page("/dead-letters/letter-1")
    assert "dispatcher.run-requests" in page.text
    assert "c2lnbmF0dXJl" not in page.source
    assert '"a": 1' in page.text


def test_the_lists_say_when_they_are_empty(console: Console) -> None:
    assert "No runs yet" in console.page("/runs").text
    assert "No dead letters" in console.page("/dead-letters").text
    assert "nothing ran yet" in console.page("/").text


def test_the_report_itself_is_served_with_its_own_policy(console: Console) -> None:
    run_id = console.night()
    page = console.page(f"/runs/{run_id}/report.html")
    assert [tag for tag, _ in page.tags if tag == "style"]
    assert console.get(f"/api/v1/runs/{run_id}/report").data == console.world.report(run_id)


def test_no_configuration_at_all_is_said_and_no_page_breaks(console: Console) -> None:
    run_id = console.night()
    console.unknown = ("config.yaml is not there",)
    console.has_configuration = False
    for path in ("/", "/runs", f"/runs/{run_id}", "/collectors", "/dead-letters"):
        console.page(path)


def test_hostile_words_break_out_of_no_page(console: Console) -> None:
    hostile = "<img src=x onerror=alert(1)>\"'"
    console.world.configured = nightly("plu")
    run_id = console.night(
        plu=Reply(500, failure=Failure("http", hostile)),
    )
    letter = DeadLetter(
        hostile, hostile, hostile, hostile.encode(), {hostile: hostile}, datetime.now(FIRST.tzinfo)
    )
    console.world.ledger.park(letter)
    paths = ["/", "/runs", f"/runs/{run_id}", "/collectors", "/collectors/plu", "/dead-letters"]
    listed = console.page("/dead-letters")
    paths += [path for path in listed.links() if path.startswith("/dead-letters/")]
    paths += [f"{path}/replay" for path in paths if path.startswith("/dead-letters/")]
    paths += ["/run", f"/runs/{run_id}/retry", "/pause?collector=plu&next=%22%3E%3Cimg%3E"]
    paths += ["/sign-in?next=/%22%3E%3Cimg%3E"]
    for path in [*paths, "/collectors?q=%3Cimg%20src=x%3E&family=%22%3E%3Cimg%3E"]:
        page = console.page(path)
        assert "img" not in [tag for tag, _ in page.tags], path
    for path in ("/collectors/", "/runs/", "/dead-letters/", "/pause?collector="):
        page = console.page(f"{path}%3Cimg%3E", 404)
        assert "img" not in [tag for tag, _ in page.tags], path


@pytest.mark.parametrize("elsewhere", ["javascript:alert(1)", "https://evil.test", "//evil.test"])
def test_a_page_that_asks_first_leads_back_to_no_other_site(
    console: Console, elsewhere: str
) -> None:
    for path in ("/pause?collector=plu&next=", "/sign-in?next="):
        assert elsewhere not in console.get(path + elsewhere).text
