"""What a report keeps of late answers, and what a run leaves in the memory of its collectors."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from tests.rendering.varieties import (
    a_run,
    after,
    an_entry,
    failed,
    mixed_night,
    night_answers,
    night_manifest,
    remembered,
    revised_night,
)

from fanfold.domain.model.collector import CollectorHistory
from fanfold.domain.model.run import LateAnswer, RunFigures, Skip
from fanfold.domain.model.states import RunStatus
from fanfold.domain.report.figures import missed_figures
from fanfold.domain.report.fold import fold


def test_a_late_answer_is_evidence_and_changes_no_outcome() -> None:
    first, second = mixed_night(), revised_night()
    assert second["revision"] == 2
    assert second["late"][0]["instead_of"] == "failed"
    assert second["late"][0]["late_seconds"] == 7111.0
    assert second["changes"] == [
        "plu answered 1h59m late: succeeded (412 records); it stays failed"
    ]
    same: tuple[dict[str, Any], ...] = (
        {**first, "revision": 2, "late": [], "changes": []},
        {**second, "late": [], "changes": [], "summary": {**second["summary"], "late": 0}},
    )
    assert json.dumps(same[0]) == json.dumps(same[1])


def test_a_first_report_lists_evidence_without_calling_it_a_change() -> None:
    late = LateAnswer(failed("dvf"), after(60))
    report = fold(a_run(4, 3), night_manifest(), night_answers(), [late])
    assert (len(report["late"]), report["changes"], report["summary"]["late"]) == (1, [], 1)


def test_figures_are_one_letter_a_collector_and_numbers_of_successes_only() -> None:
    made = {
        one.collector: one for one in remembered(a_run(4, 3), night_manifest(), night_answers())
    }
    assert {name: one.outcome for name, one in made.items()} == {
        "dvf": "s", "sirene": "s", "plu": "f",
    }  # fmt: skip
    slot = a_run(4, 3).scheduled_for
    assert made["dvf"] == RunFigures("dvf", "s", after(41), 31_874, 39.0, "2026-10-14", slot)
    assert made["plu"].records is None


def test_a_missed_tick_marks_whom_it_would_have_asked() -> None:
    manifest = [an_entry("a"), an_entry("b", skip=Skip("disabled"))]
    missed = missed_figures(a_run(2, 1, verdict=RunStatus.MISSED), manifest)
    slot = a_run(2, 1).scheduled_for
    assert [(one.collector, one.outcome, one.slot) for one in missed] == [("a", "m", slot)]


@pytest.mark.parametrize(
    ("reason", "slot", "letters"),
    [
        ("overlap", after(0), ["k"]),
        ("overlap", None, []),
        *((reason, after(0), []) for reason in ("not_due", "disabled", "excluded", "not_selected")),
    ],
)
def test_a_run_leaves_nothing_in_the_memory_of_those_whom_it_was_not_for(
    reason: str, slot: datetime | None, letters: list[str]
) -> None:
    manifest = [an_entry("a", skip=Skip(reason)), an_entry("b")]
    run = a_run(2, 1, scheduled_for=slot)
    made = remembered(run, manifest, [failed("b")])
    assert [one.outcome for one in made if one.collector == "a"] == letters
    assert [one.slot for one in made if one.collector == "b"] == [slot]


def test_a_planned_run_says_who_would_run() -> None:
    run = a_run(1, 1, verdict=RunStatus.PLANNED, about="would ask 1")
    report = fold(run, [an_entry("a", past=CollectorHistory(records=(3,)))], [])
    assert (report["status"], report["about"]) == ("planned", "would ask 1")
    assert report["collectors"]["a"]["reason"] == "dry_run"


def test_the_past_that_a_report_shows_is_bounded() -> None:
    past = CollectorHistory(
        records=tuple(range(40)), outcomes="s" * 99 + "f", seconds=(1.0, 900.0) * 9
    )
    one = fold(a_run(1, 0), [an_entry("a", skip=Skip("not_due"), past=past)], [])["collectors"]["a"]
    assert one["history"] == {
        "records": list(range(26, 40)),
        "outcomes": "s" * 29 + "f",
        "times": [],
        "kinds": "",
    }
    assert (one["median_seconds"], one["records_previous"]) == (900.0, 39)
