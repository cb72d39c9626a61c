"""The states of a run and of a collector, and the moves between them."""

from __future__ import annotations

import itertools

import pytest

from fanfold.domain.model.states import (
    COLLECTOR_MOVES,
    ENDED,
    NOTICES,
    PHASE_MOVES,
    CollectorState,
    Outcome,
    Phase,
    RunStatus,
    phases_before,
)


@pytest.mark.parametrize(("old", "new"), list(itertools.product(Phase, Phase)))
def test_a_phase_moves_forward_or_not_at_all(old: Phase, new: Phase) -> None:
    order = list(Phase)
    assert (old in phases_before(new)) == (order.index(new) > order.index(old))


def test_every_state_has_its_moves() -> None:
    assert set(PHASE_MOVES) == set(Phase)
    assert set(COLLECTOR_MOVES) == set(CollectorState)


def test_an_outcome_is_the_end() -> None:
    for outcome in Outcome:
        assert COLLECTOR_MOVES[CollectorState(outcome.value)] == frozenset()
    assert COLLECTOR_MOVES[CollectorState.SKIPPED] == frozenset()


def test_every_asked_collector_can_reach_every_outcome() -> None:
    reached = {CollectorState.PENDING}
    for _ in CollectorState:
        reached |= {new for old in reached for new in COLLECTOR_MOVES[old]}

    assert reached == set(CollectorState) - {CollectorState.SKIPPED}


def test_a_notice_has_ended() -> None:
    assert NOTICES < ENDED
    assert frozenset(RunStatus) - {RunStatus.DISPATCHING, RunStatus.RUNNING} == ENDED
