"""The whole: findings, the sentence and the code, from what is known."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.domain.test_standing import nights
from tests.support import START, a_run, after, catalogue, collector, spec

from fanfold.domain.model.collector import Collector, Group
from fanfold.domain.model.states import RunStatus
from fanfold.domain.rules.health import Known, health_of, unanswered_slots
from fanfold.domain.rules.known_schedules import known_now
from fanfold.domain.rules.verdict import Health, Kind

NIGHTLY = catalogue(
    collector("dvf", cron="15 2 * * *"),
    collector("plu", cron="15 2 * * *"),
    collector("old", enabled=False),
    missed_after_s=2700.0,
)
NOW = after(86_400)


def health(dvf: str = "s", plu: str = "s", **changes: Any) -> Health:
    given: dict[str, Any] = {
        "catalogue": NIGHTLY,
        "past": {"dvf": nights(dvf), "plu": nights(plu)},
    }
    return health_of(Known(NOW, **(given | changes)))


def refusal(at: datetime) -> Any:
    return a_run("no", start_time=at, verdict=RunStatus.REJECTED, about="not started: no such tag")


def test_all_is_well_when_each_succeeded_last() -> None:
    seen = health()
    assert (seen.code, seen.findings) == (0, ())
    assert seen.sentence == "all 2 succeeded when last asked"


def test_who_was_never_asked_is_not_called_a_success() -> None:
    assert health(plu="").sentence == "1 of 2 succeeded when last asked; never asked: plu"
    blank = health(dvf="", plu="")
    assert (blank.code, blank.sentence) == (5, "nothing ran yet: no collector was ever asked")
    first = health(dvf="", plu="", open_runs=[a_run(deadline=NOW + timedelta(hours=1))])
    assert (first.code, first.sentence) == (0, "the first run is under way")
    nobody = health(catalogue=catalogue(collector("old", enabled=False)))
    assert (nobody.code, nobody.sentence) == (0, "no collector is enabled")


def test_one_that_failed_last_is_red_whatever_others_did_since() -> None:
    seen = health(dvf="sssf", plu="sffs")
    assert (seen.code, seen.sentence) == (1, "1 of 2 does not succeed: dvf")
    still = health(dvf="ssff", plu="f")
    assert still.sentence == "2 of 2 do not succeed, 1 of them new: dvf (2 slots), plu"
    assert still.findings[0].run_id == "r3"


@pytest.mark.parametrize(
    ("one", "changes", "code"),
    [
        (collector("plu"), {}, 1),
        (Collector(spec("plu", required=False)), {}, 0),
        (collector("plu"), {"tolerated_failures": 1}, 0),
        (collector("plu"), {"tolerated_failures": 0.5, "tolerated_is_fraction": True}, 0),
        (collector("plu"), {"tolerated_failures": 0.4, "tolerated_is_fraction": True}, 1),
    ],
)
def test_what_a_run_tolerates_is_named_and_not_red(
    one: Collector, changes: dict[str, Any], code: int
) -> None:
    seen = health(plu="f", catalogue=catalogue(collector("dvf"), one, **changes))
    assert seen.code == code
    assert "plu" in seen.sentence
    assert [each.collectors for each in seen.findings] == [("plu",)]


def test_an_optional_one_is_not_red_beside_one_that_is() -> None:
    both = catalogue(collector("dvf"), Collector(spec("plu", required=False)))
    seen = health(dvf="f", plu="f", catalogue=both)
    assert {each.collectors: each.code for each in seen.findings} == {("dvf",): 1, ("plu",): 0}
    assert seen.sentence == "1 of 2 does not succeed: dvf"


def test_a_run_past_its_deadline_is_overdue() -> None:
    late = a_run("late", deadline=NOW - timedelta(hours=2))
    seen = health(dvf="f", open_runs=[late])
    assert (seen.code, seen.findings[0].kind) == (4, Kind.STUCK)
    assert seen.sentence == "run late is past its deadline by 2h00m, and nobody ended it"
    in_time = a_run("in-time", deadline=NOW + timedelta(seconds=1))
    assert health(open_runs=[in_time]).code == 0


def test_a_slot_without_a_run_is_overdue() -> None:
    seen = health(plu="f", overdue={START: ["dvf", "plu"]})
    assert seen.code == 4
    assert seen.sentence.startswith("no run came for the slot of Mon 23 Nov 02:15 UTC, 1d00h")
    assert seen.sentence.endswith("(dvf, plu)")


def test_a_collector_whose_last_slot_was_missed_stays_overdue_until_it_is_asked() -> None:
    assert health(plu="sm").code == 4
    assert health(plu="sms").code == 0
    told_once = health(plu="sm", overdue={START: ["plu"]})
    assert [each.kind for each in told_once.findings] == [Kind.OVERDUE]


def test_a_refusal_is_seen_for_a_day() -> None:
    seen = health(refusals=[refusal(NOW - timedelta(hours=24))])
    assert (seen.code, seen.sentence) == (1, "a request was refused: no such tag")
    assert health(refusals=[refusal(NOW - timedelta(hours=24, seconds=1))]).code == 0


def test_who_is_kept_from_its_slots_by_an_earlier_run_is_not_well() -> None:
    assert health(plu="sk").code == 0
    seen = health(plu="skk")
    assert (seen.code, seen.findings[0].kind) == (1, Kind.SKIPPED)
    assert health(plu="skk", asked_now=frozenset({"plu"})).code == 0


def test_the_heaviest_finding_gives_the_code_and_the_sentence() -> None:
    everything: dict[str, Any] = {
        "dvf": "f",
        "refusals": [refusal(NOW)],
        "overdue": {START: ["dvf"]},
        "unreadable": ["config.yaml: no file config.yaml"],
        "absent": "there is no database",
    }
    codes = []
    for left_out in (None, "absent", "unreadable", "overdue", "dvf", "refusals"):
        everything.pop(left_out, None) if left_out else None
        codes.append(health(**everything).code)
    assert codes == [5, 5, 4, 1, 1, 0]


def test_each_collectors_own_last_slot_must_have_been_answered_for() -> None:
    both = catalogue(
        collector("weekly", cron="15 2 * * 1"),  # START is a Monday
        collector("daily", cron="15 3 * * *"),
        collector("new", cron="15 3 * * *"),
        collector("by-hand"),
        missed_after_s=2700.0,
    )
    before = nights("s", by_hand=True)
    week = timedelta(days=7)
    past = {"weekly": before, "daily": nights("ssssssss"), "new": [], "by-hand": before}
    known = known_now(both, None, START - timedelta(days=1))
    now = START + week + timedelta(hours=1)
    seen = unanswered_slots(both, past, frozenset(), now, known)
    assert seen == {START + week: ["weekly"]}
    busy = unanswered_slots(both, past, frozenset({"weekly"}), now, known)
    assert busy == {}
    early = unanswered_slots(both, past, frozenset(), START + week + timedelta(minutes=44), known)
    assert early == {}
    moved = known_now(both, None, START + week + timedelta(seconds=1))
    assert unanswered_slots(both, past, frozenset(), now, moved) == {}


def test_a_failure_that_its_group_tolerates_is_shown_and_is_not_red() -> None:
    for at_least, code in ((1, 0), (2, 1)):
        group = Group("mirrors", at_least)
        members = [collector(name, cron="15 2 * * *", group=group) for name in ("dvf", "plu")]
        seen = health(dvf="ssf", catalogue=catalogue(*members, missed_after_s=2700.0))
        assert seen.code == code
        assert [each.collectors for each in seen.findings] == [("dvf",)]
