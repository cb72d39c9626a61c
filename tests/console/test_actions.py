"""What people do in the console: run, retry, cancel, pause, resume, replay; and what cannot be."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
from tests.console.conftest import Console
from tests.support import broken
from werkzeug.test import TestResponse

from fanfold.console.openapi import document
from fanfold.domain.model.console_rules import ConsoleRules
from fanfold.ports.ledger import DeadLetter

BASE = "http://127.0.0.1:8080"


@pytest.fixture
def working(console: Console, monkeypatch: pytest.MonkeyPatch) -> Console:
    """Return a console beside functions that work while it waits."""
    waited = console.world.clock.wait

    def wait(seconds: float) -> None:
        waited(seconds)
        console.world.settle()

    monkeypatch.setattr(console.world.clock, "wait", wait)
    return console


def api(console: Console, path: str, **said: Any) -> TestResponse:
    bearer = {"Authorization": f"Bearer {console.token}"}
    done = console.client.post(f"/api/v1{path}", base_url=BASE, json=said, headers=bearer)
    _is_described(f"/api/v1{path}", done)
    return done


def _is_described(path: str, done: TestResponse) -> None:
    """Fail unless the OpenAPI document says of a POST to *path* what was *done*."""
    made = json.loads(json.dumps(document()))
    [operations] = [
        each
        for template, each in made["paths"].items()
        if "post" in each and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
    ]
    described = operations["post"]["responses"][str(done.status_code)]
    if "$ref" in described:
        described = made["components"]["responses"][str(done.status_code)]
    schema = described["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator({**schema, "components": made["components"]}).validate(
        done.json
    )


def test_run_now_leads_to_the_run(working: Console) -> None:
    done = working.post("/run", collector=["plu"], reason="the source is back")
    run_id = done.location.removeprefix("/runs/")
    run = working.world.run(run_id)
    assert run.trigger.reason == "the source is back (by the console)"
    asked = [each.name for each in working.world.ledger.manifest(run_id) if each.skip is None]
    assert asked == ["plu"]


def test_the_same_form_twice_is_one_run(working: Console) -> None:
    first = working.post("/run", run_id="mine")
    second = working.post("/run", run_id="mine")
    assert first.location == second.location == "/runs/mine"
    assert len(working.world.ledger.recent_runs(9)) == 1


def test_what_cannot_start_is_refused_with_its_sentence(working: Console) -> None:
    assert "unknown collector" in working.post("/run", 400, collector=["plv"]).text


def test_two_people_who_retry_at_once_make_one_run(console: Console) -> None:
    run_id = console.night(plu=broken(500, retryable=False))
    assert "plu" in console.page(f"/runs/{run_id}/retry").text
    for _ in range(2):  # nobody takes up the first request before the second one comes
        assert console.post(f"/runs/{run_id}/retry").location == "/"
    console.world.settle()
    runs = [run.run_id for run in console.world.ledger.recent_runs(99)]
    assert runs == [f"{run_id}-try2", run_id]


def test_an_old_tab_that_retries_what_was_retried_is_led_there(working: Console) -> None:
    run_id = working.night(plu=broken(500, retryable=False))
    assert f'name="of" value="{run_id}"' in working.get(f"/runs/{run_id}/retry").text
    for _ in range(2):  # the second one comes when the first one's retry is over, and failed
        done = working.post(f"/runs/{run_id}/retry", of=run_id)
        assert done.location == f"/runs/{run_id}-try2"
    assert f'value="{run_id}-try2"' in working.get(f"/runs/{run_id}/retry").text
    assert len(working.world.ledger.recent_runs(9)) == 2


def test_a_retry_that_is_under_way_is_shown(console: Console) -> None:
    run_id = console.night(plu=broken(500, retryable=False))
    console.world.ask(run_id=None, retry_of=run_id)
    console.world.deliver()  # the retry begins, and nobody works on it
    for _ in range(2):
        assert console.post(f"/runs/{run_id}/retry").location == f"/runs/{run_id}-try2"
    assert len(console.world.waiting("run-requests")) == 0


def test_there_is_nothing_to_retry_where_all_succeeded(working: Console) -> None:
    run_id = working.night()
    assert "whatever it asked succeeded" in working.post(f"/runs/{run_id}/retry", 409).text
    assert "whatever it asked succeeded" in working.page(f"/runs/{run_id}/retry", 409).text


def test_a_collector_and_then_the_run_is_cancelled(console: Console) -> None:
    console.world.ask()
    console.world.deliver()
    console.post("/runs/r1/cancel", collector=["plu"], reason="too slow")
    assert console.world.outcomes() == {"plu": "cancelled"}
    assert console.world.run().verdict is None
    assert "answered already" in console.post("/runs/r1/cancel", 409, collector=["plu"]).text
    assert "did not ask" in console.post("/runs/r1/cancel", 404, collector=["plv"]).text
    console.post("/runs/r1/cancel")
    assert console.world.run().verdict is not None


def test_a_stale_tab_that_cancels_what_is_over_is_told_so(working: Console) -> None:
    run_id = working.night()
    text = working.post(f"/runs/{run_id}/cancel", 409).text
    assert "is over, so nothing was cancelled" in text


def test_what_is_unknown_is_a_404(working: Console) -> None:
    for path in ("/runs/nothing/retry", "/runs/nothing/cancel", "/dead-letters/x/replay"):
        working.post(path, 404)
        working.get(path, 404)
    assert "did you mean &#39;plu&#39;" in working.post("/pause", 404, collector=["plv"]).text


def test_a_pause_and_its_end(working: Console) -> None:
    assert "/pause?collector=plu" in working.page("/collectors/plu").links()
    assert "Pause plu" in working.page("/pause?collector=plu").text
    done = working.post("/pause", 303, collector=["plu"], reason="no source", **{"for": "3d"})
    assert done.location == "/"
    (pause,) = working.world.ledger.pauses()
    assert (pause.name, pause.reason, pause.by) == ("plu", "no source", "the console")
    assert pause.until is not None
    working.post("/resume", collector=["plu"])
    assert "not paused" in working.post("/resume", 409, collector=["plu"]).text
    assert "for how long" in working.post("/pause", 400, collector=["plu"], **{"for": "long"}).text
    working.post("/pause", 400)
    working.post("/pause", all="1")
    assert working.world.ledger.pauses()[-1].kind == "all"


def test_a_dead_letter_is_published_again_once(working: Console) -> None:
    world = working.world
    data = json.dumps({"collectors": ["plu"], "run_id": "again"}).encode()
    letter = DeadLetter("L1", "run-requests", "nobody could", data, {}, world.clock.now())
    world.ledger.park(letter)
    stranger = DeadLetter("L2", "of-another", "nobody could", data, {}, world.clock.now())
    world.ledger.park(stranger)
    assert "/dead-letters/L1/replay" in working.page("/dead-letters/L1").links()
    assert "nobody could" in working.page("/dead-letters/L1/replay").text
    working.post("/dead-letters/L1/replay")
    world.settle()
    assert world.run("again").asked == 1
    assert "already" in working.post("/dead-letters/L1/replay", 409).text
    assert "no subscription" in working.post("/dead-letters/L2/replay", 409).text


def test_the_api_does_the_same(working: Console) -> None:
    asked = api(working, "/runs", collectors=["plu"], run_id="mine")
    assert (asked.status_code, asked.json["run_id"]) == (202, "mine")  # type: ignore[index]
    working.world.client.says("plu", broken(500, retryable=False))
    working.world.settle()
    again = api(working, "/runs/mine/retry", reason="once more")
    assert (again.status_code, again.json["run_id"]) == (202, "mine-try2")  # type: ignore[index]
    over = api(working, "/runs/mine/cancel")
    assert (over.status_code, "is over" in over.json["error"]) == (409, True)  # type: ignore[index]
    paused = api(working, "/pauses", collectors=["plu"], **{"for": "1h"})
    assert [each["name"] for each in paused.json["pauses"]] == ["plu"]  # type: ignore[index]
    assert api(working, "/pauses/resume", collectors=["plu"]).status_code == 200
    assert api(working, "/dead-letters/nothing/replay").status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/pauses", b"["),
        ("/pauses", b"[]"),
        ("/pauses", b'{"colectors": ["plu"]}'),
        ("/pauses", b'{"collectors": "plu"}'),
        ("/pauses", b'{"collectors": [1]}'),
        ("/pauses", b'{"all": "yes"}'),
        ("/pauses", b'{"collectors": ["plu"], "for": 3}'),
        ("/pauses", b"\xff"),
        ("/runs", b'{"collectors": ["plv"]}'),
    ],
)
def test_what_the_api_cannot_read_is_a_400_with_its_reason(
    working: Console, path: str, body: bytes
) -> None:
    bearer = {"Authorization": f"Bearer {working.token}"}
    done = working.client.post(f"/api/v1{path}", base_url=BASE, data=body, headers=bearer)
    assert done.status_code == 400
    assert done.json is not None
    assert done.json["error"]
    assert not working.world.ledger.pauses()


def test_a_page_that_asks_first_is_laid_out_as_the_others(working: Console) -> None:
    """A verdict begins with its sign, and no form stands in a paragraph, which would end it."""
    run_id = working.night(plu=broken(500, retryable=False))
    working.post("/pause", all="1")
    for path in ("/", "/run", "/pause?collector=plu", f"/runs/{run_id}/retry", "/sign-in"):
        text = working.get(path).text
        assert re.search(r'class="verdict">\s*<svg', text), path
        assert not re.search(r"<p(?: [^>]*)?>(?:(?!</p>).)*<form", text, re.DOTALL), path


def test_a_page_that_asks_first_has_the_head_of_every_page(console: Console) -> None:
    now = console.world.clock.now()
    console.world.ledger.park(DeadLetter("L1", "run-requests", "nobody could", b"{", {}, now))
    paths = ("/collectors/plu", "/pause?collector=plu", "/run", "/dead-letters/L1/replay")
    heads = {head_of(console, path).replace(' aria-current="page"', "") for path in paths}
    assert len(heads) == 1
    assert '<span class="count">1</span>' in heads.pop()
    console.rules = ConsoleRules()  # a stranger is told nothing of what is stored
    assert '<span class="count">' not in head_of(console, "/sign-in")


def head_of(console: Console, path: str) -> str:
    return console.get(path).text.partition("<header")[2].partition("</header>")[0]
