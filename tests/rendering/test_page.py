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
    drawn,
    failed,
    many,
    mixed_night,
    notice,
    revised_night,
)

from fanfold.domain.model.states import RunStatus
from fanfold.domain.report.fold import fold
from fanfold.rendering import short_rows, to_html
from fanfold.rendering.picks import Picks


@pytest.mark.parametrize("variety", VARIETIES)
def test_every_page_is_well_formed_and_loads_nothing(variety: str) -> None:
    html = to_html(VARIETIES[variety]())
    page = Page(html)
    links = [tag.get("href", "") for _, tag in page.tags if "href" in tag]
    signs = {f"#{symbol['id']}" for symbol in page.named("symbol")}
    assert all(
        re.fullmatch(r"data:,|report(\.r\d+)?\.json", link) or link in signs for link in links
    )
    assert not {"script", "img", "iframe", "object", "form", "base"} & {t for t, _ in page.tags}
    assert not any(
        name.startswith("on") or name in {"style", "src"} for _, a in page.tags for name in a
    )
    assert "url(" not in html
    assert "@import" not in html


def test_the_title_is_the_mark_and_the_sentence() -> None:
    page = Page(to_html(mixed_night()))
    sentence = "✗ 2 of 3 succeeded: plu returned 0 records (expected at least 40)"
    assert page.text("h1") == sentence.removeprefix("✗ ")
    assert page.texts["title"][0] == sentence


def test_the_last_lines_of_a_log_stand_under_the_cause() -> None:
    lines = ("05:02:13 asked: <14>", "05:03:10 done: 0 records")
    plu = failed("plu", "expected at least 40 records, got 0", log=lines)
    dvf = failed("dvf", "HTTP 500: no log")
    report = fold(a_run(2, 2), [an_entry("plu"), an_entry("dvf")], [plu, dvf])
    page = Page(to_html(report))
    told = [tag for tag in page.named("pre") if tag.get("class") == "log"]
    assert [tag["aria-label"] for tag in told] == ["Last lines of plu"]
    assert "05:02:13 asked: &lt;14&gt;" in to_html(report)


def test_search_engines_are_sent_away() -> None:
    robots = [m for m in Page(to_html(mixed_night())).named("meta") if m.get("name") == "robots"]
    assert "noindex" in robots[0]["content"]


def test_the_policy_allows_this_style_sheet_and_nothing_else() -> None:
    page = Page(to_html(mixed_night()))
    digest = base64.b64encode(hashlib.sha256(page.text("style").encode()).digest()).decode()
    policy = next(m["content"] for m in page.named("meta") if "http-equiv" in m)
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")


def test_a_failure_is_told_with_its_attempts_and_what_it_said() -> None:
    page = Page(to_html(mixed_night()))
    assert page.texts["h3"] == ["expected at least 40 records, got 0"]
    cells = page.texts["td"]
    assert {"HTTP 503: upstream is busy; tried again 30s later", "03:15:41", "1m01s"} <= set(cells)
    assert "412 records last time · usually 1m06s" in page.text("p")
    assert any("DU_243500139" in text for text in page.texts["span"])


@pytest.mark.parametrize("broken", [1, 60])
def test_there_is_one_block_of_commands(broken: int) -> None:
    page = Page(to_html(many(100, broken=broken, hung=1)))
    blocks = page.named("pre")
    assert len(blocks) == 1
    assert page.text("pre").count("fanfold retry 2026-11-23T0215Z-nightly") == 1
    assert page.text("pre").count("fanfold run c001") == 1


def test_the_zone_is_named_once_and_its_clock_is_shown() -> None:
    html = to_html(mixed_night())
    assert "Mon 23 Nov 03:15:00 <small>Europe/Paris</small>" in html
    assert "03:36:04 <small>deadline 05:15</small>" in html
    unknown = to_html({**mixed_night(), "timezone": "Mars/Olympus"})
    assert "Mon 23 Nov 02:15:00 <small>UTC</small>" in unknown


def test_every_status_is_a_word_and_not_only_a_colour() -> None:
    page = Page(to_html(mixed_night()))
    assert {" failed", " succeeded", " skipped"} <= set(page.texts["span"])
    lines = [svg["aria-label"] for svg in page.named("svg") if svg.get("role") == "img"]
    assert any(text.startswith("plu: failed after 2m29s; queued 41s") for text in lines)


def test_a_revision_says_what_changed_and_links_its_own_json() -> None:
    documents = drawn(revised_night())
    assert list(documents) == ["report.r2.html", "report.r2.json"]
    html = documents["report.r2.html"].decode()
    page = Page(html)
    assert "plu answered 1h59m late" in page.text("li")
    assert "plu answered 1h59m late: succeeded (412 records)" in page.text("h1")
    assert "plu answered 1h59m late" in page.texts["title"][0]
    assert 'href="report.r2.json"' in html
    assert next(iter(drawn(mixed_night()))) == "report.html"


def test_the_first_run_shows_no_past() -> None:
    first = to_html(fold(a_run(1, 1), [an_entry("a")], [an_answer("a")]))
    assert "Last slots" not in first
    assert "Last slots" in to_html(mixed_night())


def test_a_notice_is_a_page_of_its_sentence() -> None:
    page = Page(to_html(notice(RunStatus.MISSED, "no run came at 03:15")))
    assert page.texts["title"][0] == "✗ no run came at 03:15"
    assert page.text("h1") == "no run came at 03:15"
    assert not page.named("table")


def test_many_failures_share_a_cause_and_the_table_is_complete() -> None:
    html = to_html(many(500, 60, 30))
    page = Page(html)
    assert page.texts["h3"] == [
        "HTTP 502: bad gateway: 60 collectors",
        "no answer by the run's deadline: 30 collectors",
    ]
    assert len(page.classes("span", "st")) == 90 + 10 + 5
    short = re.findall(r"<tr><th>(c\d+)</th>", html)
    assert len(set(short)) == len(short) == 395
    assert len(page.classes("span", "st")) + len(short) == 500
    summaries = page.texts["summary"]
    assert summaries == ["Succeeded: 395"]  # without the 10 that ran late and the 5 slowest
    assert "the first 40 of 90 that did not succeed" in page.text("span")


def test_no_name_is_cut_and_a_phone_may_break_it_after_its_underscores() -> None:
    name = "a_" + "very_long_name_" * 4
    assert len(name) <= 63
    html = to_html(fold(a_run(1, 1), [an_entry(name)], [failed(name)]))
    whole = name.replace("_", "_<wbr>")
    assert html.count(whole) == 3  # its cause, its lane and its row
    assert f'title="{name}"' in html


def test_a_single_warning_stands_under_its_collector_and_is_not_listed_again() -> None:
    odd = an_answer("a", warnings=("3 communes without a price",))
    html = to_html(fold(a_run(1, 1), [an_entry("a")], [odd]))
    assert html.count("3 communes without a price") == 1
    assert "Warnings of the collectors" not in html


def test_ten_thousand_collectors_are_still_a_page() -> None:
    html = to_html(many(10_000, 2000, 100))
    assert len(html.encode()) < 1_500_000
    page = Page(html)
    assert page.texts["h3"] == [
        "HTTP 502: bad gateway: 2\u202f000 collectors",
        "no answer by the run's deadline: 100 collectors",
    ]
    assert page.texts["summary"][0] == "More that did not succeed: 1\u202f899"
    assert "fanfold retry 2026-11-23T0215Z-nightly" in page.text("pre")
    assert "ask again what did not succeed: 2\u202f100 collectors" in page.text("span")


def test_a_cause_that_comes_after_hundreds_of_others_is_told_with_its_number() -> None:
    names = [f"c{number:04}" for number in range(1000)]
    answers = [failed(name, "early" if name < "c0400" else "late") for name in names]
    html = to_html(fold(a_run(1000, 1000), [an_entry(name) for name in names], answers))
    assert Page(html).texts["h3"] == ["late: 600 collectors", "early: 400 collectors"]
    assert "1000 collectors did not succeed, for 2 reasons" in html


def test_a_page_holds_no_more_of_ten_thousand_collectors_than_of_a_thousand() -> None:
    """What is told whole does not grow; a short row takes some bytes, compressed."""
    one = many(100, 10)["collectors"]["c050"]
    bad = one | {"status": "failed", "error": "HTTP 500"}
    held = []
    for number in (1000, 10_000):
        picks = Picks(mixed_night())
        for place in range(number):
            picks.add(f"c{place:05}", dict(bad if place % 2 else one))
        held.append(len(picks.told) + len(picks.to_draw()))
    assert held[0] == held[1] < 600


def test_of_more_than_ten_thousand_the_page_says_where_the_others_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(short_rows, "MAX_ROWS", 100)
    html = to_html(many(500, 0))
    assert html.count("<tr><th>") <= 100
    assert "and 400 more: they are in the JSON." in html


def test_the_template_library_is_loaded_by_the_first_page_only() -> None:
    code = "import fanfold.rendering, sys; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
