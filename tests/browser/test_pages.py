"""Every page in a real browser: nothing overlaps, axe finds nothing, and nothing hostile runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.browser.conftest import Seen
from tests.console.conftest import FIRST, Console, nightly
from tests.rendering.test_hostile import HOSTILE, a_hostile_report
from tests.rendering.varieties import many, mixed_night, retried_night
from tests.support import broken, ok

from fanfold.ports.ledger import DeadLetter
from fanfold.rendering import to_html

pytestmark = pytest.mark.needs("chromium")

REPORTS: dict[str, Callable[[], dict[str, Any]]] = {
    "4": mixed_night,
    "300": lambda: many(300, 16, 1),
    "retried": retried_night,
}

Serve = Callable[..., tuple[Console, str]]


def opened(seen: Seen, folder: Path, report: dict[str, Any]) -> Seen:
    file = folder / "report.html"
    file.write_bytes(to_html(report).encode("utf-8", "replace"))
    seen.page.goto(file.as_uri())
    return seen


@pytest.mark.parametrize("which", REPORTS)
def test_the_report_s_page_fits_every_window_and_breaks_no_rule_of_axe(
    seen: Seen, tmp_path: Path, which: str
) -> None:
    opened(seen, tmp_path, REPORTS[which]())
    assert seen.looks() == {}
    assert seen.violations() == {}
    assert seen.trouble == []


def test_nothing_hostile_runs_in_the_report_s_page(seen: Seen, tmp_path: Path) -> None:
    asked: list[str] = []
    seen.page.on("request", lambda request: asked.append(request.url))
    for text in HOSTILE.values():
        opened(seen, tmp_path, a_hostile_report(text))
        assert seen.page.locator("script, iframe, img, object, embed").count() == 0
        assert seen.page.locator("h1").is_visible()
        assert seen.looks(375) == {}, text[:40]
    assert seen.trouble == []
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}


def test_what_is_folded_in_the_report_opens_by_the_keyboard(seen: Seen, tmp_path: Path) -> None:
    opened(seen, tmp_path, many(300, 16, 1))
    summary = seen.page.locator("details > summary").last
    summary.focus()
    before = seen.page.locator("details[open]").count()
    seen.page.keyboard.press("Enter")
    assert seen.page.locator("details[open]").count() == before + 1


def test_the_console_fits_every_window_and_breaks_no_rule_of_axe(seen: Seen, served: Serve) -> None:
    hostile = HOSTILE["script"]
    console, address = served(nightly("plu", "sirene", "d" * 63))
    console.nights(3)
    run_id = console.night(plu=lambda _: broken(500, kind=hostile), sirene=lambda _: ok(0))
    letter = DeadLetter("L1", "run-requests", hostile, hostile.encode(), {"a": hostile}, FIRST)
    console.world.ledger.park(letter)
    paths = ("/", f"/runs/{run_id}", "/runs", "/collectors", "/collectors/plu", "/dead-letters")
    for path in (*paths, "/dead-letters/L1", "/nowhere"):
        seen.page.goto(address + path)
        assert seen.page.locator("img").count() == 0
        assert seen.looks() == {}, path
        assert seen.violations() == {}, path
    assert [each for each in seen.trouble if "404" not in each] == []


def test_the_console_is_used_with_the_keyboard_alone(seen: Seen, served: Serve) -> None:
    console, address = served(nightly("plu", "sirene"))
    run_id = console.night(plu=lambda _: broken(500))
    seen.page.goto(address)
    for _ in range(100):
        seen.page.keyboard.press("Tab")
        if run_id in (seen.page.evaluate("document.activeElement.href") or ""):
            break
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_url(f"**/runs/{run_id}*")
    assert "plu" in (seen.page.text_content("body") or "")
