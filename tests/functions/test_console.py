"""The console as a Cloud Run function: loaded from its folder, behind IAM or IAP."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from tests.functions.conftest import ClientOf
from tests.support import World

from fanfold.console.behind_google import BEHIND, IAP_USER

BASE = "https://fanfold-console-1.europe-west9.run.app"
IDENTITY = {IAP_USER: "accounts.google.com:ann@example.org"}


@pytest.fixture
def console(client_of: ClientOf) -> FlaskClient:
    return client_of("console")


def word_of(console: FlaskClient) -> dict[str, str]:
    text = console.get("/run", base_url=BASE, headers=IDENTITY).text
    found = re.search(r'name="word" value="([0-9a-f]+)"', text)
    assert found is not None
    return {"word": found[1]}


def test_it_shows_what_is_there(world: World, console: FlaskClient) -> None:
    world.ask()
    world.settle()
    assert "2 succeeded" in console.get("/runs/r1", base_url=BASE).text
    assert console.get("/", base_url=BASE).status_code == 200


@pytest.mark.parametrize(("behind", "who"), [("iap", "ann@example.org"), ("iam", "somebody whom")])
def test_a_run_says_who_asked_if_iap_does(
    world: World, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch, behind: str, who: str
) -> None:
    monkeypatch.setenv(BEHIND, behind)
    console = client_of("console")
    given = word_of(console) | {"run_id": "mine", "reason": "backfill"}
    console.post("/run", base_url=BASE, data=given, headers=IDENTITY)
    world.settle()
    assert (world.run("mine").trigger.reason or "").startswith(f"backfill (by {who}")


def test_a_form_of_another_site_or_without_its_word_does_nothing(
    world: World, console: FlaskClient
) -> None:
    word = word_of(console)
    other = {"Sec-Fetch-Site": "cross-site"}
    for given, headers in (({}, {}), ({"word": "0" * 64}, {}), (word, other)):
        done = console.post("/run", base_url=BASE, data=given, headers={**IDENTITY, **headers})
        assert done.status_code == 403
    assert world.published == []


@pytest.mark.parametrize(
    "site", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.test"}]
)
def test_a_form_of_another_site_does_nothing_by_a_proxy_that_adds_a_token(
    world: World, console: FlaskClient, site: dict[str, str]
) -> None:
    """``gcloud run services proxy`` adds its token to whatever reaches it on this machine."""
    by_proxy = {"Authorization": "Bearer of-the-proxy", **site}
    for path in ("/run", "/api/v1/runs"):
        assert console.post(path, base_url=BASE, headers=by_proxy).status_code == 403
    assert world.published == []
    own = {
        **by_proxy,
        "Sec-Fetch-Site": "same-origin",
        "Origin": "http://127.0.0.1:8080",
        **IDENTITY,
    }
    done = console.post("/run", base_url=BASE, data=word_of(console), headers=own)
    assert done.status_code == 303


def test_a_program_with_a_token_needs_no_word(world: World, console: FlaskClient) -> None:
    program = {"Authorization": "Bearer of-a-program"}
    assert console.post("/api/v1/runs", base_url=BASE, headers=program).status_code == 202
    assert len(world.published) == 1


def test_it_writes_nothing(world: World, console: FlaskClient) -> None:
    world.ask()
    world.deliver()
    word = word_of(console)
    for path, form in (
        ("/runs/r1/cancel", {}),
        ("/pause", {"collector": "plu"}),
        ("/resume", {"collector": "plu"}),
    ):
        done = console.post(path, base_url=BASE, data=word | form, headers=IDENTITY)
        assert done.status_code == 409
        assert "type it where you may write" in done.text
    assert not world.ledger.pauses()
    assert world.outcomes() == {}
