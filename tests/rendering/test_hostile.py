"""Whatever a collector says, it stays text: in the page, in Markdown, in a terminal, in JSON."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from markdown_it import MarkdownIt
from tests.rendering.pages import Page
from tests.rendering.varieties import a_run, after, an_answer, an_entry, drawn

from fanfold.domain.model.run import Attempt, Failure, LateAnswer
from fanfold.domain.model.states import Outcome
from fanfold.domain.report.fold import fold
from fanfold.rendering import table_lines, to_html, to_markdown

HOSTILE = {
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "attribute": "\"'><svg onload=alert(1)> javascript:alert(1)",
    "style": "</style></title><style>*{display:none}</style>",
    "template": "{{ 7*7 }}{% raw %}${7*7}",
    "override": "safe\u202egnp.exe\u2066\u200b",
    "control": "a\x00b\x1b[31mc\r\nd\u2028e\x85f",
    "long": "w" * 10_240,
    "table": "| a | b |\n|---|\n| x |",
    "markdown": "# h\n- [x](javascript:alert(1)) ![i](http://e.example/x) **b** `c` ~~d~~",
    "mention": "@octocat, see #1 and www.example.com",
    "heading": "# h",
    "list": "1. - + * x",
    "rule": "---",
    "fence": "```\n</details>\n```",
    "surrogate": "\ud800lone",
    "wide": "漢字" * 300,
}


def a_hostile_report(text: str) -> dict[str, Any]:
    error = Failure("kind " + text, text)
    answer = an_answer(
        "plu",
        Outcome.FAILED,
        records=1,
        error=error,
        attempts=(Attempt(1, after(2), after(9), "failed", 500, error),),
        warnings=(text,) * 3,
        artifacts=(text,),
        metrics={text: text},
        revision=text,
    )
    good = an_answer("dvf", unchanged=True, revision=text, warnings=(text,), records=3)
    entries = [
        an_entry("plu", tags=(text,), upstream=text),
        an_entry("dvf", upstream=text),
    ]
    late = LateAnswer(answer, after(9000))
    return fold(a_run(2, 2), entries, [answer, good], [late], revision=2)


@pytest.fixture(params=HOSTILE)
def report(request: pytest.FixtureRequest) -> dict[str, Any]:
    return a_hostile_report(HOSTILE[request.param])


def test_the_page_has_the_same_tags_as_with_harmless_text(report: dict[str, Any]) -> None:
    harmless = Page(to_html(a_hostile_report("harmless")))
    page = Page(to_html(report))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in harmless.tags]
    assert [sorted(a) for _, a in page.tags] == [sorted(a) for _, a in harmless.tags]


def test_nothing_reorders_or_controls_the_page(report: dict[str, Any]) -> None:
    html = to_html(report)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2066-\u2069]", html)


def test_nothing_breaks_a_line_of_the_terminal(report: dict[str, Any]) -> None:
    lines = table_lines(report, width=80)
    harmless = table_lines(a_hostile_report("harmless"), width=0)
    assert len(table_lines(report, width=0)) == len(harmless)
    assert all("\n" not in line and "\x1b" not in line and "\u202e" not in line for line in lines)


def test_markdown_keeps_its_table_and_gets_no_markup(report: dict[str, Any]) -> None:
    parser = MarkdownIt("gfm-like", {"linkify": False, "html": True})
    tokens = parser.parse(to_markdown(report))
    kinds = [token.type for token in tokens]
    assert kinds.count("table_open") == kinds.count("heading_open") - 1 == 1
    assert kinds.count("tr_open") == 3
    assert kinds.count("td_open") == 16
    rows = [line for line in to_markdown(report).splitlines() if line.startswith("|")]
    assert [row.count("|") for row in rows] == [9] * 4
    assert not {"html_block", "fence", "code_block", "blockquote_open", "hr"} & set(kinds)
    inline = {child.type for token in tokens for child in token.children or []}
    assert inline <= {"text", "text_special", "strong_open", "strong_close", "softbreak"}
    assert "@octocat" not in to_markdown(report)


def test_every_document_is_utf8_and_the_json_is_json(report: dict[str, Any]) -> None:
    documents = drawn(report)
    texts = [document.decode("utf-8") for document in documents.values()]
    assert json.loads(texts[1])["run_id"] == report["run_id"]
