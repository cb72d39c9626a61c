"""Groups of mirrors: whose failure is tolerated, and what the report says of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.rendering.varieties import a_run, after, an_answer, an_entry, failed

from fanfold.domain.model.collector import Group
from fanfold.domain.model.run import Failure, Skip
from fanfold.domain.model.states import Outcome
from fanfold.domain.report.fold import fold, fold_so_far
from fanfold.domain.rules.groups import tolerated
from fanfold.rendering import table_lines, to_html, to_markdown

SIRENE = Group("sirene", 1)


def report(*good: str, at_least: int = 1, skipped: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the report of sirene_a, sirene_b and dvf, of which *good* succeeded."""
    group = replace(SIRENE, at_least=at_least)
    manifest = [
        an_entry("sirene_a", group=group, skip=Skip("disabled") if "sirene_a" in skipped else None),
        an_entry("sirene_b", group=group),
        an_entry("dvf"),
    ]
    asked = [entry.name for entry in manifest if entry.skip is None]
    answers = [an_answer(name) if name in good else failed(name, "HTTP 503") for name in asked]
    return fold(a_run(3, len(asked)), manifest, answers)


def test_a_group_that_is_satisfied_tolerates_the_others() -> None:
    made = report("sirene_a", "dvf")
    assert made["status"] == "succeeded"
    assert made["about"] == (
        "2 of 3 succeeded: sirene_b failed, tolerated by group sirene (HTTP 503)"
    )
    assert made["collectors"]["sirene_b"]["group"] == {"name": "sirene", "at_least": 1}
    assert made["groups"] == {
        "sirene": {
            "at_least": 1,
            "members": ["sirene_a", "sirene_b"],
            "succeeded": 1,
            "satisfied": True,
            "tolerates": ["sirene_b"],
            "about": "expected at least 1 of sirene_a, sirene_b;"
            " 1 succeeded (sirene_a), 1 failed (sirene_b)",
        }
    }


def test_one_that_is_not_tolerates_nobody() -> None:
    for made in (report("dvf"), report("sirene_a", "dvf", at_least=2)):
        assert made["status"] == "failed"
        assert made["groups"]["sirene"]["satisfied"] is False
        assert made["groups"]["sirene"]["tolerates"] == []


def test_it_tolerates_its_members_and_nobody_else() -> None:
    made = report("sirene_a")
    assert made["status"] == "failed"
    assert made["groups"]["sirene"]["tolerates"] == ["sirene_b"]


def test_a_member_that_is_not_asked_helps_nobody() -> None:
    made = report("dvf", skipped=("sirene_a",))
    assert made["status"] == "failed"
    assert "1 skipped (sirene_a)" in made["groups"]["sirene"]["about"]
    assert report("dvf", "sirene_b", skipped=("sirene_a",))["status"] == "succeeded"


def test_a_timeout_is_tolerated_and_a_cancel_stays_one() -> None:
    manifest = [an_entry("a", group=SIRENE), an_entry("b", group=SIRENE)]
    late = an_answer("b", Outcome.TIMED_OUT, error=Failure("timeout", "no answer"))
    assert fold(a_run(2, 2), manifest, [an_answer("a"), late])["status"] == "succeeded"
    stopped = an_answer("b", Outcome.CANCELLED, error=Failure("cancelled", "stopped"))
    made = fold(a_run(2, 2), manifest, [an_answer("a"), stopped])
    assert made["status"] == "cancelled"
    assert made["groups"]["sirene"]["tolerates"] == []


def test_many_failures_are_told_apart() -> None:
    names = [f"m{number}" for number in range(4)]
    manifest = [an_entry(name, group=SIRENE) for name in names]
    answers = [an_answer("m0"), *(failed(name, "HTTP 503") for name in names[1:])]
    made = fold(a_run(4, 4), manifest, answers)
    assert made["about"] == "1 of 4 succeeded: 3 tolerated (m1, m2, m3)"


def test_a_group_is_open_while_it_may_still_be_satisfied() -> None:
    manifest = [an_entry("a", group=SIRENE), an_entry("b", group=SIRENE)]
    made = fold_so_far(a_run(2, 2), manifest, [], [failed("a", "HTTP 503")], after(60))
    assert made["groups"]["sirene"]["satisfied"] is None
    assert made["groups"]["sirene"]["about"].endswith("0 succeeded, 1 failed (a), 1 pending (b)")


def test_every_form_has_its_line() -> None:
    made = report("sirene_a", "dvf")
    line = "group sirene: expected at least 1 of sirene_a, sirene_b"
    assert f"✓ {line}" in to_html(made)
    assert any(each.startswith(f"  ✓ {line}") for each in table_lines(made, width=200))
    assert "group sirene: expected at least 1 of sirene\\_a" in to_markdown(made) or line in (
        to_markdown(made)
    )
    assert "group" not in " ".join(table_lines(fold(a_run(0, 0), [], [])))


@pytest.mark.parametrize(
    ("succeeded", "expected"),
    [((), {}), (("a",), {}), (("a", "b"), {"c": "g"}), (("a", "b", "c"), {}), (("x",), {})],
)
def test_at_least_two_of_three(succeeded: tuple[str, ...], expected: dict[str, str]) -> None:
    group = Group("g", 2)
    groups = {"a": group, "b": group, "c": group, "x": None}
    assert tolerated(groups, succeeded) == expected
