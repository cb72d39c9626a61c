"""Which slots a timer starts: those that passed since it last looked and are not overdue."""

from __future__ import annotations

import pytest
from tests.support import START, after, catalogue, collector

from fanfold.domain.rules.overdue import slots_to_start

NIGHTLY = catalogue(collector("dvf", cron="15 2 * * *"), missed_after_s=2700.0)


@pytest.mark.parametrize(
    ("since_s", "now_s", "starts"),
    [
        pytest.param(-1, 0, True, id="at the slot"),
        pytest.param(-1, 2699, True, id="slept, but not too long"),
        pytest.param(-1, 2700, False, id="overdue from the very instant at which it is missed"),
        pytest.param(0, 1, False, id="the slot was looked at"),
        pytest.param(100, 50, True, id="the clock was set back over the slot"),
        pytest.param(400 * 86_400, 1, True, id="the clock was set ahead by more than a year"),
        pytest.param(400 * 86_400, 2700, False, id="set ahead until the slot was overdue"),
    ],
)
def test_a_slot_is_started_once_it_passed_and_before_it_is_overdue(
    since_s: float, now_s: float, *, starts: bool
) -> None:
    slots = slots_to_start(NIGHTLY, after(since_s), after(now_s))
    assert slots == ({START: "15 2 * * *"} if starts else {})
