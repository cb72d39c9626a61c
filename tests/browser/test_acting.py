"""What people do in the console, with a real browser: sign in, retry, pause, resume, look on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.browser.conftest import Seen
from tests.console.conftest import Console, nightly
from tests.support import broken, ok

from fanfold.domain.model.console_rules import ConsoleRules

pytestmark = pytest.mark.needs("chromium")

Serve = Callable[..., tuple[Console, str]]


def test_somebody_signs_in_and_comes_to_where_the_link_led(seen: Seen, served: Serve) -> None:
    console, address = served(nightly("plu", "sirene"))
    run_id = console.night()
    console.rules = ConsoleRules()
    seen.page.goto(f"{address}/runs/{run_id}")
    assert seen.looks() == {}
    assert seen.violations() == {}
    seen.page.fill("#token", "wrong")
    seen.page.keyboard.press("Enter")
    seen.page.get_by_role("alert").wait_for()
    seen.page.fill("#token", console.token)
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_url(f"**/runs/{run_id}")
    assert "all 2 succeeded" in seen.page.inner_text("h1")


def test_a_failure_is_retried_from_its_page_and_is_green(seen: Seen, served: Serve) -> None:
    console, address = served(nightly("plu", "sirene"))
    run_id = console.night(plu=broken(500, retryable=False))
    seen.page.goto(f"{address}/runs/{run_id}")
    assert "1 of 2 succeeded" in seen.page.inner_text("h1")
    console.world.client.says("plu", ok(10))
    seen.page.locator(f"a[href$='{run_id}/retry']").first.click()
    assert "plu" in seen.page.inner_text(".list")
    assert seen.looks() == {}
    seen.page.get_by_label("Why, for the others (optional)").fill("the source is back")
    seen.page.locator("form.form button").click()
    seen.page.wait_for_url(f"**/runs/{run_id}-try2")
    assert "all 2 succeeded, plu at the second try" in seen.page.inner_text("h1")
    assert seen.trouble == []


def test_a_collector_is_paused_and_resumed(seen: Seen, served: Serve) -> None:
    console, address = served(nightly("plu", "sirene"))
    console.night()
    seen.page.goto(f"{address}/pause?collector=plu")
    assert seen.looks() == {}
    assert seen.violations() == {}
    seen.page.locator("form.form button").first.click()
    seen.page.wait_for_url(f"{address}/")
    assert [pause.name for pause in console.world.ledger.pauses()] == ["plu"]
    assert "plu" in seen.page.inner_text(".note.bar")
    seen.page.get_by_role("button", name="Resume plu").click()
    seen.page.wait_for_load_state()
    assert not seen.page.get_by_role("button", name="Resume plu").is_visible()
    assert seen.trouble == []


def test_an_open_page_follows_its_run_to_the_end_and_says_when_nobody_answers(
    seen: Seen, served: Serve
) -> None:
    console, address = served(nightly("plu", "sirene"))
    console.night()
    console.world.ask(run_id="now")
    console.world.deliver()
    with seen.page.expect_response("**/api/v1/changes") as first:
        seen.page.goto(f"{address}/runs/now")
    assert first.value.ok
    assert "all 2 succeeded" not in seen.page.inner_text("h1")
    seen.page.evaluate("window.isTheSame = true")
    console.world.settle()
    seen.page.get_by_role("heading", name="all 2 succeeded").wait_for()
    assert seen.page.evaluate("window.isTheSame"), "the page was loaded again"
    assert seen.trouble == []

    seen.page.context.set_offline(True)
    seen.page.get_by_text("No answer since").wait_for()
    assert "all 2 succeeded" in seen.page.inner_text("h1")
    seen.page.context.set_offline(False)
    seen.page.get_by_text("No answer since").wait_for(state="hidden")
