"""News: what a run changed for a collector, and when people hear of it again."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import timedelta

import pytest
from tests.support import START

from fanfold.domain.model.run import PastRun, RunFigures
from fanfold.domain.rules.history import KEPT_RUNS
from fanfold.domain.rules.news import Change, News, Remind, change_of

DAY = timedelta(days=1)


def nights(outcomes: str, first: int = 0) -> list[PastRun]:
    """Return one run a night, a letter each; a capital letter is a run by hand that noon."""
    past, night = [], first - 1
    for number, letter in enumerate(outcomes):
        by_hand = letter.isupper()
        night += not by_hand
        slot = None if by_hand else START + night * DAY
        end_time = START + night * DAY + timedelta(hours=10 if by_hand else 0, minutes=number)
        past.append(PastRun(f"r{number}", RunFigures("dvf", letter.lower(), end_time, slot=slot)))
    return past


def change(outcomes: str, **remind: int) -> Change | None:
    past = nights(outcomes)
    rule = Remind(remind.get("after", 3), timedelta(days=remind.get("every_days", 7)))
    return change_of(past[-1].run_id, past, rule)


def heard(outcomes: str) -> str:
    """Return a letter for each night: what people hear of it, a dot for silence."""
    found = [change(outcomes[: number + 1]) for number in range(len(outcomes))]
    return "".join("." if each is None else each.news[0] for each in found)


@pytest.mark.parametrize(
    ("outcomes", "news"),
    [
        ("s", "."),
        ("ssss", "...."),
        ("f", "n"),
        ("t", "n"),
        ("sfffs", ".n.sr"),
        ("sft", ".n."),
        ("sffffffffffffffffffffs", ".n.s......s......s...r"),
        ("sfkmfcf", ".n....s"),  # skipped, missed and cancelled say nothing about the collector
        ("sfS", ".nr"),  # a run by hand recovers it
        ("sF", ".n"),
        ("sfFFF", ".n..."),  # runs by hand are no slots
        ("sfsf", ".nrn"),
        ("cks", "..."),
    ],
)
def test_people_hear_of_changes_and_not_of_nights(outcomes: str, news: str) -> None:
    assert heard(outcomes) == news


def test_a_retry_of_the_third_slot_that_fails_too_is_not_told_again() -> None:
    past = nights("sfff")
    again = RunFigures("dvf", "f", past[-1].figures.end_time + DAY / 4, slot=past[-1].figures.slot)
    past.append(PastRun("retry", again))

    assert change_of("retry", past, Remind()) is None


def test_a_retry_of_the_slot_recovers_it() -> None:
    past = nights("sff")
    again = RunFigures("dvf", "s", past[-1].figures.end_time + DAY / 4, slot=past[-1].figures.slot)
    past.append(PastRun("retry", again))

    found = change_of("retry", past, Remind())
    assert found is not None
    assert (found.news, found.slots, found.since) == (News.RECOVERED, 2, START + DAY)


def test_a_failure_that_the_memory_does_not_reach_back_to_is_told_once_a_week() -> None:
    told = [
        number
        for number in range(60)
        if change_of("r29", _window(nights("f" * KEPT_RUNS, number)), Remind()) is not None
    ]

    assert len(told) in (8, 9)
    assert {after - before for before, after in itertools.pairwise(told)} == {7}


def _window(past: Sequence[PastRun]) -> Sequence[PastRun]:
    return past[-KEPT_RUNS:]


def test_the_change_says_since_when_how_often_and_what_was_good_last() -> None:
    found = change("sfff")

    assert found is not None
    assert (found.news, found.slots, found.since) == (News.STILL, 3, START + DAY)
    assert found.last_good == nights("s")[0].figures


def test_the_first_reminder_and_the_time_between_two_can_be_chosen() -> None:
    assert change("sff", after=2) is not None
    assert change("sfff", after=2, every_days=2) is None
    assert change("sffff", after=2, every_days=2) is not None


def test_a_run_that_is_not_remembered_changes_nothing() -> None:
    assert change_of("another", nights("sf"), Remind()) is None
