"""The model of push: its rules, and what it says of a night."""

from __future__ import annotations

import pytest

from fanfold.domain.model.collector import Transport
from fanfold.domain.rules.push import (
    CAUTIOUS,
    HOPEFUL,
    WIDE,
    Assumptions,
    PushWindow,
    night,
)

PUSH = Transport.PUBSUB


def end_s(lengths: list[float], places: int, assumed: Assumptions, **how: object) -> float:
    made = night(lengths, places=places, transport=PUSH, assumed=assumed, **how)  # type: ignore[arg-type]
    return round(made.end_s, 1)


def test_the_window_doubles_with_each_round_that_succeeds() -> None:
    window = PushWindow(HOPEFUL)
    for _ in range(9):
        window.acknowledged()

    assert window.takes(17, 0.0)
    assert not window.takes(18, 0.0)


def test_a_refusal_shrinks_the_window_and_closes_it_for_longer_each_time() -> None:
    window = PushWindow(CAUTIOUS)
    window.size = 80.0
    window.refused(10.0)
    assert (window.size, window.closed_until_s) == (1.0, 10.1)
    for _ in range(20):
        window.refused(20.0)

    assert window.closed_until_s == 80.0
    assert not window.takes(0, 79.9)
    assert window.takes(0, 80.0)


def test_eighty_collectors_of_nine_minutes_meet_the_slow_start() -> None:
    # From three: 3, 6, 12, 24, 35 in five rounds of 9 minutes.
    three = Assumptions(first=3, kept_after_refusal=0.5, pause_s=(0.1, 60.0), cold_start_s=0.0)

    assert end_s([540.0] * 80, 80, three) == 5 * 540.0


def test_where_push_begins_wide_pacing_spares_every_refusal() -> None:
    lengths = [60.0] * 500
    unpaced = night(
        lengths, places=80, transport=PUSH, assumed=WIDE, paced=False, backoff_s=(10.0, 600.0)
    )
    paced = night(lengths, places=80, transport=PUSH, assumed=WIDE)

    assert unpaced.refusals > 1000
    assert unpaced.end_s > 4 * paced.end_s
    assert (paced.refusals, paced.most_refusals) == (0, 0)
    assert paced.end_s == pytest.approx(7 * 60 + WIDE.cold_start_s)


@pytest.mark.parametrize("assumed", [WIDE, HOPEFUL, CAUTIOUS])
@pytest.mark.parametrize("places", [1, 4, 80])
def test_a_paced_night_is_never_refused(assumed: Assumptions, places: int) -> None:
    lengths = [float(2 + 7 * (n % 13)) for n in range(120)]

    made = night(lengths, places=places, transport=PUSH, assumed=assumed)

    assert made.refusals == 0
    assert made.end_s >= sum(lengths) / places


def test_cloud_tasks_fills_every_place_at_once() -> None:
    made = night([60.0] * 9, places=4, transport=Transport.CLOUD_TASKS, assumed=CAUTIOUS)

    assert made.end_s == 3 * 60 + CAUTIOUS.cold_start_s


def test_a_night_of_nobody_ends_at_once() -> None:
    for transport in Transport:
        assert night([], places=4, transport=transport, assumed=HOPEFUL).end_s == 0.0
