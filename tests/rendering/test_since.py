"""What changed since the slot before, and equal causes together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.rendering.varieties import (
    a_run,
    an_answer,
    an_entry,
    failed,
    mixed_night,
    nightly,
    retried_night,
    timed_out,
)

from fanfold.domain.model.collector import CollectorHistory
from fanfold.domain.report.fold import fold
from fanfold.rendering.causes import Cause, causes
from fanfold.rendering.rows import problems
from fanfold.rendering.since import ordinal, since, standing


def a_night(outcomes: str, *, good: bool, **run: Any) -> dict[str, Any]:
    past = nightly(CollectorHistory((100,) * 3, (9.0,), outcomes))
    answer = an_answer("a", records=100) if good else failed("a")
    return fold(a_run(1, 1, **run), [an_entry("a", past=past)], [answer])


def told(report: dict[str, Any]) -> list[tuple[str, str]]:
    made = since(report)
    assert made is not None
    return [(f"{line.bold}{line.rest}", line.more) for line in made.lines]


@pytest.mark.parametrize(
    ("outcomes", "good", "lines"),
    [
        ("sss", True, [("nothing new failed", "")]),
        ("sss", False, [("1 new failure", "a")]),
        ("sff", False, [("1 still failing", "a (3rd slot)"), ("nothing new failed", "")]),
        ("sft", True, [("1 recovered", "a after 2 failed slots"), ("nothing new failed", "")]),
        ("smk", False, [("1 new failure", "a")]),
        ("sfk", True, [("1 recovered", "a after 1 failed slot"), ("nothing new failed", "")]),
    ],
)
def test_what_a_run_changed(outcomes: str, good: bool, lines: list[tuple[str, str]]) -> None:
    assert told(a_night(outcomes, good=good)) == lines


def test_the_title_is_the_slot_before() -> None:
    made = since(mixed_night())
    assert made is not None
    assert made.title == "Since Sun 22 Nov 03:15"


def test_the_first_run_changed_nothing() -> None:
    assert since(fold(a_run(1, 1), [an_entry("a")], [failed("a")])) is None


def test_a_count_that_moved_by_a_fifth_is_told_the_most_first() -> None:
    past = nightly(CollectorHistory((100,), (9.0,), "s"))
    names = {"up": 130, "down": 37, "same": 119, "none": None}
    report = fold(
        a_run(4, 4),
        [an_entry(name, past=past) for name in names],
        [an_answer(name, records=number) for name, number in names.items()],
    )
    assert told(report)[:2] == [
        ("down records \N{MINUS SIGN}63 %", "37 after 100"),
        ("up records +30 %", "130 after 100"),
    ]


def test_a_retry_tells_of_whom_it_asked_alone() -> None:
    assert all("sirene" not in more for _, more in told(retried_night()))


def test_a_second_try_that_succeeded_is_a_recovery() -> None:
    assert ("1 recovered", "plu at the second try") in told(retried_night())


def test_a_run_by_hand_is_no_slot_more() -> None:
    report = a_night("sff", good=False, scheduled_for=None)
    assert standing(report["collectors"]["a"], report).words == "failing, 2nd slot"
    report = a_night("sf", good=False, scheduled_for=None)
    assert standing(report["collectors"]["a"], report).words == "failing, 2nd run"


@pytest.mark.parametrize(
    ("number", "word"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"),
                         (12, "12th"), (13, "13th"), (21, "21st"), (102, "102nd"), (111, "111th")]
)  # fmt: skip
def test_ordinals(number: int, word: str) -> None:
    assert ordinal(number) == word


def causes_of(*answers: Any, **entry: Any) -> list[Cause]:
    manifest = [an_entry(answer.collector, **entry) for answer in answers]
    report = fold(a_run(len(answers), len(answers)), manifest, answers)
    return causes(problems(report), report)


def test_failures_of_one_source_are_one_cause_though_their_texts_differ() -> None:
    texts = ("HTTP 503: try in 3600 s", "HTTP 503: request 77a1", "HTTP 503")
    answers = [failed(f"c{number}", text) for number, text in enumerate(texts)]
    made = causes_of(*answers, failed("z", "HTTP 500"), upstream="api.insee.fr")
    assert [each.title for each in made] == ["api.insee.fr answered 503: 3 collectors", "HTTP 500"]
    assert made[0].names == ("c0", "c1", "c2")


@pytest.mark.parametrize(
    ("upstream", "text", "title"),
    [
        ("https://api.insee.fr/x", "HTTP 429: slow down", "api.insee.fr answered 429"),
        (None, "HTTP 503 from Api.Insee.fr", "api.insee.fr answered 503"),
        ("other.fr", "HTTP 502: GET https://api.insee.fr/v3 failed", "api.insee.fr answered 502"),
        ("api.insee.fr", "HTTP 403: token expired", "HTTP 403: token expired"),
        ("api.insee.fr", "no answer in 15m", "no answer in 15m"),
    ],
)
def test_what_a_cause_is_called(upstream: str | None, text: str, title: str) -> None:
    assert causes_of(failed("a", text), upstream=upstream)[0].title == title


def test_the_host_that_several_are_called_at_is_their_source() -> None:
    def at(*hosts: str) -> list[str]:
        manifest = [
            replace(
                each := an_entry(f"c{number}"), spec=replace(each.spec, url=f"https://{host}/x")
            )
            for number, host in enumerate(hosts)
        ]
        answers = [failed(entry.name, "HTTP 503: busy") for entry in manifest]
        report = fold(a_run(len(hosts), len(hosts)), manifest, answers)
        return [each.title for each in causes(problems(report), report)]

    assert at("one.fr", "one.fr:8443") == ["HTTP 503: busy: 2 collectors"]
    assert at("one.fr", "one.fr:443") == ["one.fr answered 503: 2 collectors"]
    assert at("one.fr", "one.fr", "two.fr") == [
        "one.fr answered 503: 2 collectors", "HTTP 503: busy",
    ]  # fmt: skip


def test_the_host_that_failures_share_is_told() -> None:
    made = causes_of(failed("a", "no answer"), failed("b", "no answer"), upstream="api.insee.fr")
    assert "all at api.insee.fr" in made[0].facts


def test_one_that_timed_out_is_not_put_with_those_that_failed() -> None:
    made = causes_of(timed_out("a"), failed("b", "no answer by the run's deadline"))
    assert [each.icon for each in made] == ["late", "bad"]
