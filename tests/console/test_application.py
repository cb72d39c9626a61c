"""What holds for every page: headers, escaping, errors, who may look."""

from __future__ import annotations

import pytest
from tests.console.conftest import Console, nightly
from tests.support import broken

from fanfold.domain.model.errors import StoreUnavailable
from fanfold.domain.model.run import Failure
from fanfold.domain.protocol.contract import Reply

HOSTILE = "<script>alert(1)</script>\"'><b>"


def test_a_page_may_load_nothing_but_its_own_style_and_script(console: Console) -> None:
    headers = console.get("/").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


def test_no_page_has_a_style_or_a_script_of_its_own(console: Console) -> None:
    run_id = console.night(plu=broken(500))
    for path in ("/", f"/runs/{run_id}", "/nothing"):
        page = console.page(path, 404 if path == "/nothing" else 200)
        assert not [tag for tag, _ in page.tags if tag == "style"]
        assert not [attrs for _, attrs in page.tags if "style" in attrs]
        assert all("src" in attrs for tag, attrs in page.tags if tag == "script")
        assert not [key for _, attrs in page.tags for key in attrs if key.startswith("on")]


def test_the_style_sheet_is_kept_by_the_browser_under_a_name_of_its_content(
    console: Console,
) -> None:
    page = console.page("/")
    (path,) = [attrs["href"] for tag, attrs in page.tags if attrs.get("rel") == "stylesheet"]
    style = console.get(path)
    assert style.content_type == "text/css; charset=utf-8"
    assert "immutable" in style.headers["Cache-Control"]
    console.get(path.replace("/assets/", "/assets/0"), 404)


def test_what_a_collector_says_breaks_out_of_no_page(console: Console) -> None:
    console.night()
    hostile = Reply(500, failure=Failure("http", HOSTILE, retryable=False))
    run_id = console.night(plu=hostile)
    for path in ("/", f"/runs/{run_id}"):
        page = console.page(path)
        assert HOSTILE in page.text
        assert "script" not in [tag for tag, attrs in page.tags if "src" not in attrs]


def test_a_run_that_is_not_there_is_a_404_with_what_is_near(console: Console) -> None:
    run_id = console.night()
    page = console.page("/runs/%3Cb%3Enothing", 404)
    assert "there is no run '<b>nothing'" in page.text
    assert f"/runs/{run_id}" in page.links()
    assert console.get("/runs/2026-10-29", 302).headers["Location"] == f"/runs/{run_id}"
    assert console.get("/runs/latest", 302).headers["Location"] == f"/runs/{run_id}"


def test_a_path_that_is_no_page_is_a_404_that_names_it(console: Console) -> None:
    page = console.page("/nothing/at%20%3Call", 404)
    assert "there is no page /nothing/at <all" in page.text
    assert "/" in page.links()


def test_a_ledger_that_cannot_be_read_now_is_a_503(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise StoreUnavailable("here.db is locked")

    monkeypatch.setattr(console.world.parts.ledger, "recent_runs", busy)
    assert "here.db is locked" in console.page("/", 503).text


def test_a_bug_is_a_500_that_the_log_has(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object) -> None:
        raise ZeroDivisionError("of course")

    monkeypatch.setattr(console.world.parts.ledger, "recent_runs", break_down)
    page = console.page("/", 500)
    assert "ZeroDivisionError" in page.text
    assert "of course" not in page.text
    assert any("of course" in message for _, message, _ in console.world.logged)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example"])
def test_another_name_for_this_machine_is_refused(console: Console, host: str) -> None:
    assert console.client.get("/", base_url=f"http://{host}").status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080", "localhost:1"])
def test_this_machine_by_its_own_name_may_look(console: Console, host: str) -> None:
    assert console.client.get("/", base_url=f"http://{host}").status_code == 200


def test_a_hostile_name_in_the_configuration_is_shown_as_text(console: Console) -> None:
    console.world.configured = nightly(HOSTILE)
    assert HOSTILE in console.page("/").text


def test_no_page_tells_the_browser_to_hide_where_a_form_is_from(console: Console) -> None:
    """With ``no-referrer`` a browser posts ``Origin: null``, and every form is refused."""
    run_id = console.night()
    for path in ("/", "/run", f"/runs/{run_id}", "/sign-in", "/pause?collector=plu"):
        names = [attrs.get("name") for tag, attrs in console.page(path).tags if tag == "meta"]
        assert "referrer" not in names, path
    assert console.get("/").headers["Referrer-Policy"] == "same-origin"
