"""Every problem is told at once, at its place, with the line, a caret and the fix."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.config.cases import NOW, of_dvf, refused

from fanfold.config import ConfigError, Level, Problem, load, render_problems
from fanfold.domain.model.errors import Permanent

HERE = Path(__file__).parent / "golden"


def test_all_problems_of_a_bad_file_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        load(HERE / "bad.yaml", {}, now=NOW)
    rendered = caught.value.render().replace(str(HERE / "bad.yaml"), "bad.yaml") + "\n"
    assert rendered == (HERE / "bad.txt").read_text(encoding="utf-8")


def test_a_problem_is_shown_as_a_compiler_would() -> None:
    assert refused(of_dvf("{enabeld: true}")).render() == (
        "error: scheduler.collectors.dvf.enabeld: unknown key 'enabeld'\n"
        "  --> config.yaml:5:11\n"
        "   |\n"
        "  5|     dvf: {enabeld: true}\n"
        "   |           ^^^^^^^  did you mean 'enabled'?\n"
        "\n"
        "config.yaml: 1 error, 0 warnings"
    )


def test_problems_stand_in_the_order_of_their_lines() -> None:
    lines = [each.line for each in refused((HERE / "bad.yaml").read_bytes(), {}).problems]
    assert lines == sorted(lines)
    assert len(lines) > 10


def test_the_error_is_permanent_and_its_text_is_one_line() -> None:
    error = refused(of_dvf("{a: 1, b: 2, c: 3, d: 4}"))
    assert isinstance(error, Permanent)
    assert "\n" not in str(error)
    assert str(error).startswith("config.yaml: line 5: scheduler.collectors.dvf.a: unknown key")
    assert str(error).endswith("and 1 more")


def test_a_default_that_is_wrong_for_many_is_told_once() -> None:
    text = (
        "version: 2\nscheduler:\n  defaults: {retries: {backoff: 20m}}\n  collectors: {a: , b: }\n"
    )
    env = {"A_COLLECTOR_URL": "https://a", "B_COLLECTOR_URL": "https://b"}
    (only,) = refused(text, env).problems
    assert only.sentence == "scheduler.defaults.retries.backoff: longer than max_backoff"
    assert only.line == 3


def test_a_long_line_is_cut_around_its_caret() -> None:
    error = refused(of_dvf("{" + "tags: [" + "a, " * 500 + "a], enabeld: 1}"))
    line, carets = error.render().splitlines()[3:5]
    assert len(line) < 140
    assert line[carets.index("^") :].startswith("enabeld")


def test_a_caret_stands_under_its_word_behind_wide_characters() -> None:
    problem = Problem("", "what", line=1, column=5, width=3, text="日本: abc")
    line, carets = problem.render("x").splitlines()[3:5]
    assert line.endswith("日本: abc")
    assert carets == "   |       ^^^"


def test_what_a_terminal_would_obey_is_never_printed() -> None:
    problem = Problem("a\x1b[31m", "b\u202e", "c\x07", line=1, column=1, text="d\x9b\te")
    shown = problem.render("x")
    assert all(each.isprintable() or each == "\n" for each in shown)


def test_nothing_is_said_in_words_too() -> None:
    assert render_problems((), "x") == "x: 0 errors, 0 warnings"
    one = Problem("k", "w", level=Level.WARNING)
    assert render_problems((one,), "x").endswith("x: 0 errors, 1 warning")
