"""Pauses: what they keep from being asked, and how they begin, change and end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support import START, after, catalogue, collector

from fanfold.domain.model.errors import SchedulePaused
from fanfold.domain.model.pause import EVERY_SCHEDULE, Pause, PauseKind, Target
from fanfold.domain.model.request import Arrival, RunRequest
from fanfold.domain.rules import pauses
from fanfold.domain.rules.plan import plan

EARLY, NIGHT = "15 1 * * *", "15 2 * * *"
CATALOGUE = catalogue(
    collector("dvf", cron=NIGHT),
    collector("plu", cron=NIGHT),
    collector("early", cron=EARLY),
    collector("byhand"),
)
PLU = Pause(PauseKind.COLLECTOR, "plu", after(-3600), "ann", "no source")
NIGHTLY = Pause(PauseKind.SCHEDULE, NIGHT, after(-3600), "ann")
ALL = Pause(PauseKind.ALL, "", after(-3600), "bob", until=after(3600))


def fates(*paused: Pause, **asked: object) -> dict[str, str]:
    request = RunRequest(**asked)  # type: ignore[arg-type]
    manifest = plan(request, Arrival("m", START), CATALOGUE, histories={}, busy={}, paused=paused)
    return {each.name: each.skip.reason if each.skip else "asked" for each in manifest}


def test_a_pause_lasts_from_its_begin_until_its_end_which_is_outside() -> None:
    lasting = replace(PLU, until=after(60))
    seen = [lasting.covers(after(at)) for at in (-3600.1, -3600, 59.9, 60)]
    assert seen == [False, True, True, False]
    assert not replace(lasting, resumed_at=after(10)).covers(after(10))


@pytest.mark.parametrize("asked", [{}, {"schedule": "nightly"}, {"due": True}])
def test_a_paused_collector_is_skipped_and_the_others_are_asked(asked: dict[str, object]) -> None:
    found = fates(PLU, **asked)
    assert (found["dvf"], found["plu"]) == ("asked", "paused")


def test_who_names_a_paused_collector_means_it() -> None:
    assert fates(PLU, collectors=("plu",))["plu"] == "asked"
    assert fates(PLU, collectors=("dvf",))["plu"] == "not_selected"


def test_the_skip_says_who_since_when_and_why() -> None:
    manifest = plan(
        RunRequest(), Arrival("m", START), CATALOGUE, histories={}, busy={}, paused=[PLU]
    )
    skip = manifest[1].skip
    assert skip is not None
    assert skip.note == "paused since Mon 23 Nov 01:15 by ann: no source"


@pytest.mark.parametrize("paused", [NIGHTLY, ALL])
def test_the_tick_of_a_paused_schedule_makes_no_run(paused: Pause) -> None:
    with pytest.raises(SchedulePaused, match=r"no run: .* is paused since Mon 23 Nov 01:15 by"):
        fates(paused, schedule="nightly")
    assert fates(paused)["dvf"] == "asked"  # by hand
    assert fates(paused, slot=START)["dvf"] == "asked"
    assert fates(paused, due=True)["dvf"] == "paused"


def test_of_two_schedules_in_one_slot_only_the_paused_one_is_skipped() -> None:
    both = catalogue(collector("dvf", cron=NIGHT), collector("weekly", cron="15 2 * * 1"))
    manifest = plan(
        RunRequest(schedule="nightly"),
        Arrival("m", START),
        both,
        histories={},
        busy={},
        paused=[NIGHTLY],
    )
    assert [each.skip.reason if each.skip else None for each in manifest] == ["paused", None]


def test_a_slot_from_before_the_pause_is_one_and_so_is_the_next_after_it() -> None:
    short = replace(NIGHTLY, until=after(3600))
    assert pauses.of_slot([short], CATALOGUE, START) == short
    assert pauses.of_slot([short], CATALOGUE, after(86_400)) is None
    assert pauses.last_fire([short], NIGHT, "UTC", after(7200)) == after(-86_400)
    assert pauses.next_slot([short], CATALOGUE, after(-1800)) == after(23 * 3600)
    assert pauses.next_slot([ALL], CATALOGUE, after(-1800)) == after(23 * 3600)
    assert pauses.next_slot([replace(ALL, until=None)], CATALOGUE, START) is None


def test_to_pause_again_keeps_since_when_and_changes_why() -> None:
    again = Pause(PauseKind.COLLECTOR, "plu", START, "bob", "still", after(60))
    (one,) = pauses.begun([PLU], [again])
    assert (one.since, one.by, one.reason, one.until) == (PLU.since, "bob", "still", after(60))
    assert pauses.begun([one], [again]) == (one,)


def test_a_pause_that_is_over_is_remembered_and_a_new_one_begins() -> None:
    ended = pauses.ended([PLU], [PLU.target], START, "bob")
    assert (ended[0].resumed_at, ended[0].resumed_by) == (START, "bob")
    assert pauses.ended(ended, [PLU.target], after(9), "eve") == ended
    both = pauses.begun(ended, [replace(PLU, since=after(60))])
    assert [each.since for each in both] == [PLU.since, after(60)]
    late = pauses.begun(ended, [replace(ALL, since=START + timedelta(days=91), until=None)])
    assert [each.kind for each in late] == [PauseKind.ALL]


def test_no_more_are_remembered_than_a_document_holds() -> None:
    over = [
        Pause(PauseKind.COLLECTOR, "plu", after(at), "ann", until=after(at + 1))
        for at in range(400)
    ]
    kept = pauses.begun(over, [replace(PLU, since=after(500))])
    assert len(kept) == pauses.MOST_KEPT
    assert kept[-1].since == after(500)
    assert kept[0].since == after(101)


def test_what_is_unknown_is_refused_with_what_is_near() -> None:
    with pytest.raises(ValueError, match="unknown collector 'plv': did you mean 'plu'") as caught:
        pauses.targets_of(CATALOGUE, (), names=["plv", "dvf"], crons=["0 9 * * *"])
    assert "no collector has the schedule '0 9 * * *'" in str(caught.value)
    gone = replace(PLU, name="gone")
    for configured in (CATALOGUE, None):
        with pytest.raises(ValueError, match="is empty"):
            pauses.targets_of(configured, (), names=[" "])
        with pytest.raises(ValueError, match="is empty"):
            pauses.targets_of(configured, (), crons=[""])
    known = pauses.targets_of(CATALOGUE, [gone], names=["gone", "plu", "plu"])
    assert known == (gone.target, PLU.target)
    assert pauses.targets_of(CATALOGUE, (), crons=["15  2 * * *"]) == (NIGHTLY.target,)
    assert pauses.targets_of(CATALOGUE, (), crons=["nightly"]) == (EVERY_SCHEDULE,)
    assert pauses.targets_of(None, (), names=["x"]) == (Target(PauseKind.COLLECTOR, "x"),)


@pytest.mark.parametrize("length_s", [0.0, 1e12])
def test_a_pause_of_no_time_or_without_an_end_in_the_calendar_is_refused(length_s: float) -> None:
    assert pauses.end_of(90.0, after(0)) == after(90)
    with pytest.raises(ValueError, match="a pause"):
        pauses.end_of(length_s, after(0))
