"""How one collector stands, by its own memory alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support import START, after

from fanfold.domain.model.run import PastRun, RunFigures
from fanfold.domain.rules.history import KEPT_RUNS
from fanfold.domain.rules.standing import State, answers_slot, standing_of

DAY = timedelta(days=1)


def nights(letters: str, *, by_hand: bool = False) -> list[PastRun]:
    """Return a past with a letter for each night, the slot at START first."""
    return [
        PastRun(
            f"r{number}",
            RunFigures(
                "dvf",
                letter,
                START + number * DAY + timedelta(minutes=5),
                records=number if letter == "s" else None,
                slot=None if by_hand else START + number * DAY,
            ),
        )
        for number, letter in enumerate(letters)
    ]


@pytest.mark.parametrize(
    ("letters", "state", "slots", "outcome"),
    [
        ("", State.NEVER, 0, None),
        ("s", State.GOOD, 0, "succeeded"),
        ("f", State.NEW, 1, "failed"),
        ("sssf", State.NEW, 1, "failed"),
        ("ssft", State.STILL, 2, "timed_out"),
        ("sfmc", State.STILL, 3, "cancelled"),
        ("ssm", State.NEW, 1, "missed"),
        ("ffs", State.RECOVERED, 0, "succeeded"),
        ("ffss", State.GOOD, 0, "succeeded"),
        ("ffk", State.STILL, 2, "failed"),
        ("sfk", State.NEW, 1, "failed"),
    ],
)
def test_the_last_outcome_of_its_own_makes_the_state(
    letters: str, state: State, slots: int, outcome: str | None
) -> None:
    one = standing_of(nights(letters))
    assert (one.state, one.slots, one.outcome) == (state, slots, outcome)


def test_it_tells_since_when_and_the_last_good_one() -> None:
    one = standing_of(nights("sssff"))
    assert one.since == START + 3 * DAY + timedelta(minutes=5)
    assert (one.last_good, one.last_records) == (START + 2 * DAY + timedelta(minutes=5), 2)
    assert (one.run_id, one.length) == ("r4", "2 slots")


def test_a_collector_is_missing_since_the_slot_and_not_since_somebody_noticed() -> None:
    past = nights("smm")
    late = [replace(each, figures=replace(each.figures, end_time=after(900_000))) for each in past]
    assert standing_of([past[0], *late[1:]]).since == START + DAY


def test_a_slot_that_was_tried_twice_is_one() -> None:
    past = nights("sf")
    retry = RunFigures("dvf", "f", after(90_000), slot=past[1].figures.slot)
    one = standing_of([*past, PastRun("retry", retry)])
    assert (one.state, one.slots, one.runs) == (State.NEW, 1, 2)


@pytest.mark.parametrize(("letter", "state"), [("s", State.GOOD), ("f", State.NEW)])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_missed_slot_that_a_run_made_up_for_gives_way(
    letter: str, state: State, *, is_first: bool
) -> None:
    *before, missed = nights("ssm")
    run = PastRun("made-up", replace(missed.figures, outcome=letter, records=9))
    one = standing_of([*before, *([run, missed] if is_first else [missed, run])])
    assert (one.state, one.run_id, one.runs) == (state, "made-up", letter != "s")


def test_runs_by_hand_count_as_runs_where_no_slot_is_among_them() -> None:
    one = standing_of(nights("sff", by_hand=True))
    assert (one.state, one.length) == (State.STILL, "2 runs")


@pytest.mark.parametrize(("number", "longer"), [(KEPT_RUNS - 1, False), (KEPT_RUNS, True)])
def test_what_was_bad_as_far_as_is_remembered_may_be_bad_for_longer(
    number: int, *, longer: bool
) -> None:
    assert standing_of(nights("f" * number)).is_longer is longer
    assert not standing_of(nights("s" + "f" * number)).is_longer


def test_slots_in_which_an_earlier_run_was_busy_are_counted_since_it_was_asked() -> None:
    assert standing_of(nights("kskk")).skipped == 2
    assert standing_of(nights("kks")).skipped == 0
    assert standing_of(nights("kk", by_hand=True)).skipped == 0  # what older versions stored


@pytest.mark.parametrize(
    ("letters", "answered"),
    [("s", False), ("ss", True), ("sf", True), ("sk", True), ("sm", False), ("", False)],
)
def test_only_a_run_answers_for_a_slot(letters: str, *, answered: bool) -> None:
    assert answers_slot(nights(letters), START + DAY) is answered


def test_a_run_by_hand_answers_for_a_slot_if_it_ended_after_it() -> None:
    past = nights("s", by_hand=True)
    assert answers_slot(past, START)
    assert not answers_slot(past, START + timedelta(minutes=6))
