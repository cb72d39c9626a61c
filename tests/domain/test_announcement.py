"""Messages to people: within what services take, and nothing in them marks up or addresses."""

from __future__ import annotations

import pytest
from tests.support import START, a_run

from fanfold.domain.model.run import RunFigures
from fanfold.domain.report.announcement import announce_changes, announce_sentence
from fanfold.domain.rules.news import Change, News

GOOD = RunFigures("x", "s", START, records=48)


def changes(number: int, news: News = News.NEW) -> list[Change]:
    return [Change(f"collector_{each:03}", news, 1, START, GOOD) for each in range(number)]


@pytest.mark.parametrize("causes", [1, 3, 300])
def test_three_hundred_failures_are_one_message_that_every_service_takes(causes: int) -> None:
    failing = [*changes(300), *changes(200, News.STILL), *changes(100, News.RECOVERED)]
    why = {
        each.collector: f"cause {number % causes} " + "x" * 900
        for number, each in enumerate(changes(300))
    }
    said = announce_changes(a_run(), failing, why, "https://reports.example/r1/report.html")

    assert len(said.title) <= 160
    assert said.title.startswith("✗ 300 new failures: cause 0")
    assert len(said.title) + len(said.body) <= 2000
    assert said.body.index("NEW: 300") > 0
    assert "fanfold retry" in said.body
    assert said.body.endswith("Report: https://reports.example/r1/report.html")
    assert " more" in said.body


def test_how_many_are_left_out_is_said() -> None:
    why = {each.collector: f"cause {each.collector} " + "x" * 250 for each in changes(30)}
    body = announce_changes(a_run(), changes(30), why, "").body
    shown = body.count("✗ cause")

    assert 0 < shown < 30
    assert f"… and {30 - shown} more, in the report" in body


def test_equal_causes_name_as_many_collectors_as_there_is_room_for() -> None:
    body = announce_changes(a_run(), changes(300), {}, "").body
    (names,) = [line for line in body.splitlines() if "collector_000" in line]
    listed = names.split("  and ")[0].split()

    assert all(len(name) == len("collector_000") for name in listed)
    assert f"and {300 - len(listed)} more" in names


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("<!channel> <@U1> @here @everyone", "(!channel) ((at)U1) (at)here (at)everyone"),
        ("**bold** `code` ~~gone~~ ||spoiler||", "··bold·· 'code' --gone-- //spoiler//"),
        ("[click](https://evil.example)", "(click)(https://evil.example)"),
        ("<b>x</b><script>", "(b)x(/b)(script)"),
        ("a\u202eb\u200bc\u2066d", "abcd"),
        ("line\nbreak\x1b[31m\x00", "line break (31m"),
        ("🔥 é 漢", "🔥 é 漢"),
    ],
)
def test_what_a_collector_says_marks_up_and_addresses_nothing(said: str, shown: str) -> None:
    assert announce_sentence("✗", said).title == f"✗ {shown}"
    one = changes(1)
    told = announce_changes(a_run(), one, {one[0].collector: said}, "")
    assert told.title == f"✗ collector_000 failed: {shown}"
    assert f"✗ {shown}\n" in told.body
