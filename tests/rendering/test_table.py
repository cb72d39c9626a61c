"""The report in a terminal."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.rendering.varieties import (
    a_run,
    after,
    an_answer,
    an_entry,
    failed,
    many,
    mixed_night,
    notice,
    revised_night,
    timed_out,
)

from fanfold.domain.model.run import LateAnswer, Skip
from fanfold.domain.model.states import Outcome, RunStatus
from fanfold.domain.report.fold import fold
from fanfold.rendering import table_lines
from fanfold.rendering.columns import cells, cut, in_columns, pad, wrap
from fanfold.rendering.table import MAX_ODD_ROWS, heading
from fanfold.rendering.table_rows import Layout, collector_row


def rows(report: dict[str, Any], width: int) -> list[str]:
    """Return the lines between the heading and the verdict."""
    return table_lines(report, width=width)[len(wrap(heading(report), width)) : -1]


@pytest.mark.parametrize("width", [30, 60, 80, 100, 200])
def test_no_collector_s_line_is_wider_than_the_terminal(width: int) -> None:
    assert all(cells(line) <= width for line in rows(mixed_night(), width))


def test_the_verdict_is_never_cut() -> None:
    assert table_lines(mixed_night(), width=20)[-1].endswith("(expected at least 40)   21m04s")


def test_failures_come_last_below_a_rule_and_skipped_collectors_before_them() -> None:
    lines = [line for line in rows(mixed_night(), 100) if not line.startswith("   ")]
    assert [line.split()[1] for line in lines[:3]] == ["dvf", "sirene", "insee_contours"]
    assert lines[3] == " 1 of 3 did not succeed ".center(100, "═")
    assert lines[4:] == ["", "✗ plu: expected at least 40 records, got 0 · new", "", "─" * 100]


@pytest.mark.parametrize("width", [30, 80, 120, 0])
def test_nothing_of_a_failure_is_cut(width: int) -> None:
    error = "HTTP 500: " + " ".join(f"column_{number}" for number in range(40)) + " x" * 40
    name = "a_very_long_name_" * 3
    report = fold(a_run(1, 1), [an_entry(name)], [failed(name, error, warnings=("w" * 300,))])
    told = rows(report, width)[1:]
    text = "".join(told).replace(" ", "")
    assert f"✗{name}:{error}".replace(" ", "") in text
    assert "w" * 300 in text
    assert all(cells(line) <= width or not width for line in told)


def test_of_many_collectors_those_that_went_well_are_counted() -> None:
    lines = rows(many(500, 60, 30), 100)
    assert lines[0] == "  ✓ 410 succeeded"
    titles = [line.partition(" · ")[0] for line in lines if line.startswith(("✗ ", "◷ "))]
    assert titles == [
        "◷ no answer by the run's deadline: 30 collectors",
        "✗ HTTP 502: bad gateway: 60 collectors",
    ]
    assert len(rows(many(40, 0), 100)) == 40


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a bc defghi", ["  a bc", "  defghi"]),
        ("abcdefghijkl", ["  abcdefgh", "  ijkl"]),
        ("漢字漢字漢字", ["  漢字漢字", "  漢字"]),
        ("", ["  "]),
    ],
)
def test_text_is_wrapped_between_words_and_long_words_where_they_must(
    text: str, lines: list[str]
) -> None:
    assert wrap(text, 10, "  ") == lines


def test_a_narrow_terminal_loses_the_size_first() -> None:
    assert "4.1 MB" in rows(mixed_night(), 80)[0]
    assert "4.1 MB" not in rows(mixed_night(), 55)[0]


def test_colour_only_adds_to_what_the_marks_say() -> None:
    plain = table_lines(mixed_night())
    coloured = table_lines(mixed_night(), colour=True)
    assert "\x1b[31m✗ 2 of 3" in coloured[-1]
    assert [re.sub("\x1b\\[\\d+m", "", line) for line in coloured] == plain
    assert not any("\x1b" in line for line in plain)


def test_statuses_that_share_a_mark_are_told_in_words() -> None:
    stopped = an_answer("b", Outcome.CANCELLED, start=None)
    manifest = [an_entry("a"), an_entry("b"), an_entry("c", skip=Skip("disabled"))]
    lines = rows(fold(a_run(3, 2), manifest, [timed_out("a"), stopped]), 100)
    assert [line.split()[0] for line in lines[:2]] == ["\u2013", "\u2013"]
    assert lines[0].endswith("cancelled")
    assert lines[1].endswith("disabled")
    assert lines[4].startswith("◷ a: no answer")


@pytest.mark.parametrize("status", [RunStatus.REJECTED, RunStatus.MISSED, RunStatus.PLANNED])
def test_a_notice_is_its_sentence(status: RunStatus) -> None:
    lines = table_lines(notice(status, "what happened"))
    assert len(lines) == 2
    assert lines[-1].endswith(" what happened")


def test_late_answers_are_told() -> None:
    assert "  late: plu answered 1h59m late" in table_lines(revised_night())[-3]
    late = LateAnswer(failed("a"), after(60))
    first = fold(a_run(1, 1), [an_entry("a")], [an_answer("a")], [late])
    assert table_lines(first)[-2] == "  late: a failed, 19s after its answer was fixed"


def test_one_line_can_be_printed_as_its_collector_ends() -> None:
    one = mixed_night()["collectors"]["dvf"]
    line = collector_row("dvf", one, layout=Layout(5, 0))
    assert line.startswith("  ✓ dvf    ")
    assert line.endswith("unchanged since 2026-10-14")


@pytest.mark.parametrize("width", [40, 80, 120, 0])
def test_names_of_any_length_keep_their_columns(width: int) -> None:
    names = ["a", "b" * 31, "c" * 63]
    report = fold(
        a_run(3, 3), [an_entry(n) for n in names], [an_answer(n, records=1000) for n in names]
    )
    lines = rows(report, width)
    assert all(f"✓ {name}" in "".join(lines).replace("    ", "") for name in names)
    figures = [line.index("1\u202f000 records") for line in lines if "1\u202f000 records" in line]
    assert len(figures) == 3
    assert len(set(figures)) == 1
    assert all(cells(line) <= width or not width for line in lines)


def test_of_a_note_nothing_is_cut() -> None:
    one = an_answer("dvf", unchanged=True, revision="r" * 60)
    text = "".join(rows(fold(a_run(1, 1), [an_entry("dvf")], [one]), 60))
    assert "unchangedsince" + "r" * 60 in text.replace(" ", "")


def test_of_many_with_a_warning_a_few_have_a_row_and_the_others_are_counted() -> None:
    names = [f"c{number}" for number in range(60)]
    answers = [an_answer(name, warnings=("odd",)) for name in names]
    lines = rows(fold(a_run(60, 60), [an_entry(name) for name in names], answers), 100)
    assert len(lines) == MAX_ODD_ROWS + 1
    assert lines[-1] == f"  ! {60 - MAX_ODD_ROWS} more succeeded with a warning"


def test_texts_stand_side_by_side_and_none_is_lost() -> None:
    assert in_columns(["a", "bbb", "漢字", "d"], 11, " ") == [" a     bbb", " 漢字  d"]
    assert in_columns(["a", "b" * 30], 10, "  ") == ["  a", "  " + "b" * 30]
    assert in_columns(["a", "b"], 0, "  ") == ["  a  b"]
    assert in_columns([], 10) == []
    assert pad("漢", 4) == "漢  "


def test_no_line_begins_with_the_dot_that_parts_two_things() -> None:
    assert wrap("one · two · three", 8) == ["one ·", "two ·", "three"]


def test_wide_characters_count_twice() -> None:
    assert (cells("漢字"), cells("e\u0301"), cells("abc")) == (4, 1, 3)
    assert (cells("🚀"), cells("न\u0947"), cells("❤\ufe0f")) == (2, 1, 1)
    assert cut("漢字漢字", 5) == "漢字…"
    assert cut("whole", 5) == "whole"


def test_the_last_lines_of_a_log_stand_under_the_cause_and_share_the_room() -> None:
    lines = tuple(f"line {number} {'w' * 100}" for number in range(20))
    names = ["a", "b"]
    answers = [failed(name, f"HTTP 500: {name}", log=lines) for name in names]
    report = fold(a_run(2, 2), [an_entry(name) for name in names], answers)
    told = table_lines(report, width=60)
    shown = [line for line in told if line.startswith("    | line")]
    assert [line[:13] for line in shown] == [f"    | line {n}" for n in (16, 17, 18, 19)] * 2
    assert all(len(line) <= 60 for line in shown)
    assert told.count("    last lines of a:") == 1
