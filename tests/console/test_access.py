"""Who may look and who may act: the token, sessions, forms, names and proxies."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.console.conftest import Console

from fanfold.console import attempts
from fanfold.console.sessions import COOKIE, LASTS
from fanfold.domain.model.console_rules import ConsoleRules

BASE = "http://127.0.0.1:8080"
BEARER = {"Authorization": "Bearer the-right-token"}
PAGE = {"Accept": "text/html"}


@pytest.fixture
def locked(console: Console) -> Console:
    """Return a console that asks for its token."""
    console.rules = ConsoleRules()
    return console


def sign_in(console: Console, token: str | None = None) -> int:
    given = {"token": console.token if token is None else token}
    return console.client.post("/sign-in", base_url=BASE, data=given).status_code


def test_without_a_token_nothing_is_shown_and_nothing_done(locked: Console) -> None:
    for path in ("/", "/run", "/runs/latest", "/api/v1/runs", "/nothing"):
        assert locked.client.get(path, base_url=BASE).status_code == 401
    assert locked.client.post("/run", base_url=BASE).status_code == 401
    assert locked.client.post("/api/v1/runs", base_url=BASE).status_code == 401
    assert locked.world.published == []


def test_a_browser_is_sent_to_the_form_and_back_to_where_it_came_from(locked: Console) -> None:
    asked = locked.client.get("/runs/latest?a=1", base_url=BASE, headers=PAGE)
    assert (asked.status_code, asked.location) == (303, "/sign-in?next=%2Fruns%2Flatest%3Fa%3D1")
    assert locked.client.get(asked.location, base_url=BASE).status_code == 200
    given = {"token": "the-right-token", "next": "/runs/latest?a=1"}
    done = locked.client.post("/sign-in", base_url=BASE, data=given)
    assert (done.status_code, done.location) == (303, "/runs/latest?a=1")
    assert locked.client.get("/", base_url=BASE).status_code == 200


@pytest.mark.parametrize("next_", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_the_form_leads_to_no_other_site(locked: Console, next_: str) -> None:
    given = {"token": "the-right-token", "next": next_}
    assert locked.client.post("/sign-in", base_url=BASE, data=given).location == "/"


def test_the_cookie_is_for_this_site_and_no_script(locked: Console) -> None:
    given = {"token": "the-right-token"}
    cookie = locked.client.post("/sign-in", base_url=BASE, data=given).headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert "the-right-token" not in cookie
    for word in ("HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={LASTS.total_seconds():.0f}"):
        assert word in cookie
    assert "Secure" not in cookie
    origin = {"Origin": "https://127.0.0.1:8080"}
    behind = locked.client.post("/sign-in", base_url=BASE, data=given, headers=origin)
    assert "Secure" in behind.headers["Set-Cookie"]


def test_the_header_is_enough_to_look_and_to_act(locked: Console) -> None:
    assert locked.client.get("/", base_url=BASE, headers=BEARER).status_code == 200
    done = locked.client.post("/api/v1/runs", base_url=BASE, headers=BEARER)
    assert done.status_code == 202


def test_a_session_ends_by_itself_and_with_the_token(locked: Console) -> None:
    sign_in(locked)
    locked.world.clock.at += LASTS - timedelta(seconds=1)
    assert locked.client.get("/", base_url=BASE).status_code == 200
    locked.world.clock.at += timedelta(seconds=2)
    assert locked.client.get("/", base_url=BASE).status_code == 401

    sign_in(locked)
    locked.token = "another-token"
    assert locked.client.get("/", base_url=BASE).status_code == 401


def test_a_cookie_that_was_not_made_here_is_none(locked: Console) -> None:
    sign_in(locked)
    cookie = locked.client.get_cookie(COOKIE, "127.0.0.1")
    assert cookie is not None
    payload, _, signature = cookie.value.rpartition(".")
    swapped = f"{payload}.{signature[1:]}{signature[0]}"
    for forged in (swapped, "", "x.y", "WyJhIiw5OTk5OTk5OTk5XQ." + "a" * 27):
        locked.client.set_cookie(COOKIE, forged, domain="127.0.0.1")
        assert locked.client.get("/", base_url=BASE).status_code == 401
    locked.client.set_cookie(COOKIE, cookie.value, domain="127.0.0.1")
    assert locked.client.get("/", base_url=BASE).status_code == 200
    locked.client.post("/sign-out", base_url=BASE, data={"word": word_of(locked)})
    assert locked.client.get("/", base_url=BASE).status_code == 401


def word_of(console: Console) -> str:
    text = console.client.get("/run", base_url=BASE).text
    return text.partition('name="word" value="')[2].partition('"')[0]


@pytest.mark.parametrize("is_open", [False, True])
def test_a_form_without_the_word_of_its_session_does_nothing(
    console: Console, *, is_open: bool
) -> None:
    console.rules = ConsoleRules(open=is_open)
    sign_in(console)
    word = word_of(console)
    for wrong in ("", "0" * 64, word[:-1] + ("0" if word[-1] != "0" else "1")):
        done = console.client.post("/run", base_url=BASE, data={"word": wrong})
        assert done.status_code == 403
    assert console.world.published == []
    assert console.client.post("/run", base_url=BASE, data={"word": word}).status_code == 303
    assert len(console.world.published) == 1


def test_the_word_of_one_session_is_none_of_another(locked: Console) -> None:
    sign_in(locked)
    word = word_of(locked)
    sign_in(locked)
    assert locked.client.post("/run", base_url=BASE, data={"word": word}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_what_comes_from_another_site_does_nothing(
    console: Console, headers: dict[str, str]
) -> None:
    given = {"word": word_of(console)}
    done = console.client.post("/run", base_url=BASE, data=given, headers=headers)
    assert done.status_code == 403
    assert sign_in(console) == 303
    wrong = console.client.post(
        "/sign-in", base_url=BASE, data={"token": console.token}, headers=headers
    )
    assert wrong.status_code == 403


def test_a_form_of_the_own_page_acts(console: Console) -> None:
    own = {"Origin": BASE, "Sec-Fetch-Site": "same-origin"}
    given = {"word": word_of(console)}
    assert console.client.post("/run", base_url=BASE, data=given, headers=own).status_code == 303


def test_a_name_of_another_site_that_leads_here_is_refused_even_with_the_token(
    locked: Console,
) -> None:
    evil = "http://rebound.example:8080"
    assert locked.client.get("/", base_url=evil, headers=BEARER).status_code == 403
    locked.rules = ConsoleRules(hosts=("rebound.example",))
    assert locked.client.get("/", base_url=evil, headers=BEARER).status_code == 200
    assert locked.client.get("/", base_url="http://10.1.2.3", headers=BEARER).status_code == 200


@pytest.mark.parametrize(
    ("listens_on", "is_open", "status"),
    [("127.0.0.1", True, 200), ("127.0.0.1", False, 401), ("10.0.0.1", True, 401), ("", True, 401)],
)
def test_nobody_needs_the_token_only_where_both_say_so(
    console: Console, listens_on: str, status: int, *, is_open: bool
) -> None:
    console.rules = ConsoleRules(open=is_open)
    console.listens_on = listens_on
    console.__post_init__()
    assert console.client.get("/", base_url=BASE).status_code == status


def test_wrong_tokens_are_slowed_and_counted_and_the_right_one_is_not(locked: Console) -> None:
    begun = locked.world.clock.at
    for _ in range(attempts.QUICK):
        assert sign_in(locked, "wrong") == 401
    assert locked.world.clock.at == begun
    wrong = locked.client.get("/", base_url=BASE, headers={"Authorization": "Bearer wrong"})
    assert wrong.status_code == 401
    assert locked.world.clock.at == begun + timedelta(seconds=attempts.WAIT_S)

    locked.access._attempts._waiting.acquire()  # another one waits
    assert sign_in(locked, "wrong") == 429
    assert sign_in(locked) == 303
    assert locked.client.get("/", base_url=BASE, headers=BEARER).status_code == 200
    assert locked.access._attempts.refused == attempts.QUICK + 2
    told = [fields for _, text, fields in locked.world.logged if "wrong token" in text]
    assert [fields["refused"] for fields in told] == [1]
    assert all("wrong" not in str(fields) for fields in told)


def test_only_a_trusted_proxy_says_who_asks(console: Console) -> None:
    given = {"word": word_of(console), "reason": "backfill"}
    mail = {"X-Forwarded-Email": "ann@example.org"}

    def reason(peer: str) -> str | None:
        console.client.post(
            "/run",
            base_url=BASE,
            data=given,
            headers=mail,
            environ_overrides={"REMOTE_ADDR": peer},
        )
        console.world.settle()
        return console.world.ledger.recent_runs(1)[0].trigger.reason

    assert reason("10.0.0.5") == "backfill (by the console)"
    console.rules = ConsoleRules(open=True, trusted_proxies=("10.0.0.0/24",))
    console.world.clock.forward(60)
    assert reason("10.0.0.5") == "backfill (by ann@example.org)"
    console.world.clock.forward(60)
    assert reason("10.0.1.5") == "backfill (by the console)"
