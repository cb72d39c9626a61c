"""The page: one well-formed file that needs nothing else, and says what the report says."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys

import pytest
from tests.rendering.pages import Page
from tests.rendering.test_schema import VARIETIES
from tests.rendering.varieties import (
    a_run,
    an_answer,
    an_entry,
    many,
    mixed_night,
    notice,
    revised_night,
)

from fanfold.domain.model.states import RunStatus
from fanfold.domain.report.fold import fold
from fanfold.rendering import render, to_html


@pytest.mark.parametrize("variety", VARIETIES)
def test_every_page_is_well_formed_and_loads_nothing(variety: str) -> None:
    html = to_html(VARIETIES[variety]())
    page = Page(html)
    links = [tag.get("href", "") for _, tag in page.tags if "href" in tag]
    assert all(re.fullmatch(r"data:,|report(\.r\d+)?\.json", link) for link in links)
    assert not {"script", "img", "iframe", "object", "form", "base"} & {t for t, _ in page.tags}
    assert not any(
        name.startswith("on") or name in {"style", "src"} for _, a in page.tags for name in a
    )
    assert "url(" not in html
    assert "@import" not in html


def test_the_title_is_the_mark_and_the_sentence() -> None:
    page = Page(to_html(mixed_night()))
    sentence = "✗ 2 of 3 succeeded: plu returned 0 records (expected at least 40)"
    assert page.text("h1") == sentence
    assert page.texts["title"][0] == sentence


def test_search_engines_are_sent_away() -> None:
    robots = [m for m in Page(to_html(mixed_night())).named("meta") if m.get("name") == "robots"]
    assert "noindex" in robots[0]["content"]


def test_the_policy_allows_this_style_sheet_and_nothing_else() -> None:
    page = Page(to_html(mixed_night()))
    digest = base64.b64encode(hashlib.sha256(page.text("style").encode()).digest()).decode()
    policy = next(m["content"] for m in page.named("meta") if "http-equiv" in m)
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")


def test_a_failure_has_a_card_with_commands_to_paste() -> None:
    page = Page(to_html(mixed_night()))
    assert "fanfold retry 2026-11-23T0215Z-nightly " in page.text("pre")
    assert "fanfold run plu" not in page.text("pre")  # a retry asks just it
    assert "fanfold report 2026-11-23T0215Z-nightly --format json" in page.text("pre")
    assert "Attempt 1 (1m01s): HTTP 503: upstream is busy, tried again 30s later" in page.text(
        "div"
    )
    assert "DU_243500139" in page.text("div")


def test_where_failures_differ_each_card_has_the_command_for_its_own() -> None:
    commands = Page(to_html(many(4, broken=1, hung=1))).text("pre")
    assert commands.count("fanfold retry ") == 2
    assert commands.count("asks only this collector again") == 2


def test_times_are_those_of_the_run_s_zone() -> None:
    assert "Mon 23 Nov 2026, 03:15:00 → 03:36:04 Europe/Paris · 21m04s" in to_html(mixed_night())
    unknown = to_html({**mixed_night(), "timezone": "Mars/Olympus"})
    assert "02:15:00 → 02:36:04 UTC" in unknown


def test_every_status_is_a_word_and_not_only_a_colour() -> None:
    page = Page(to_html(mixed_night()))
    assert {"✗ failed", "✓ succeeded", "\u2013 skipped"} <= set(page.texts["span"])
    assert any(
        text.startswith("plu: failed after 2m29s; queued 41s") for text in page.texts["title"]
    )


def test_a_revision_says_what_changed_and_links_its_own_json() -> None:
    documents = render(revised_night())
    assert list(documents) == ["report.r2.html", "report.r2.json"]
    html = documents["report.r2.html"].decode()
    assert "plu answered 1h59m late" in html
    assert 'href="report.r2.json"' in html
    assert next(iter(render(mixed_night()))) == "report.html"


def test_the_first_run_shows_no_past() -> None:
    first = to_html(fold(a_run(1, 1), [an_entry("a")], [an_answer("a")]))
    assert "Last 30 slots" not in first
    assert "Last 30 slots" in to_html(mixed_night())


def test_a_notice_is_a_page_of_its_sentence() -> None:
    page = Page(to_html(notice(RunStatus.MISSED, "no run came at 03:15")))
    assert page.text("h1") == "✗ no run came at 03:15"
    assert not page.named("table")


def test_many_failures_share_a_card_for_each_cause_and_the_table_is_complete() -> None:
    page = Page(to_html(many(500, 60, 30)))
    cards = [tag for tag in page.named("section") if tag.get("class") == "card"]
    assert len(cards) == 2
    assert len([tag for tag in page.named("span") if "pill" in tag.get("class", "")]) == 500
    assert page.texts["b"].count("c500") == 1
    assert "others are not drawn" in to_html(many(500, 60, 30))


def test_ten_thousand_collectors_are_still_a_page() -> None:
    assert len(to_html(many(10_000, 2000, 100)).encode()) < 6_000_000


def test_the_template_library_is_loaded_by_the_first_page_only() -> None:
    code = "import fanfold.rendering, sys; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
