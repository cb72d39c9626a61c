"""How long to wait before trying again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanfold.domain.rules.backoff import backoff_s, wait_s


@pytest.mark.parametrize(
    ("attempt", "jitter", "wait_s"),
    [
        pytest.param(1, 0.5, 1.0, id="the first retry waits within the base"),
        pytest.param(3, 0.5, 4.0, id="the bound doubles"),
        pytest.param(9, 0.5, 30.0, id="never beyond the cap"),
        pytest.param(3, 0.0, 0.0, id="jitter may take all of it away"),
        pytest.param(5_000, 0.5, 30.0, id="huge attempts do not overflow"),
    ],
)
def test_backoff(attempt: int, jitter: float, wait_s: float) -> None:
    assert backoff_s(attempt, base_s=2, cap_s=60, jitter=jitter) == wait_s


@given(
    st.integers(1, 10_000),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.floats(0, 1, exclude_max=True),
)
def test_a_wait_lies_between_nothing_and_the_cap(
    attempt: int, one: float, other: float, jitter: float
) -> None:
    base_s, cap_s = sorted((one, other))
    assert 0 <= backoff_s(attempt, base_s=base_s, cap_s=cap_s, jitter=jitter) <= cap_s


@pytest.mark.parametrize(
    ("attempt", "base_s", "cap_s", "jitter"),
    [(0, 1, 2, 0.5), (1, -1, 2, 0.5), (1, 3, 2, 0.5), (1, 1, 2, 1.0), (1, 1, 2, -0.1)],
)
def test_what_lies_outside_its_range_is_refused(
    attempt: int, base_s: float, cap_s: float, jitter: float
) -> None:
    with pytest.raises(ValueError, match="got"):
        backoff_s(attempt, base_s=base_s, cap_s=cap_s, jitter=jitter)


WAITS = st.floats(0, 1e9)


@given(st.one_of(st.none(), st.floats(-1e9, 1e18)), WAITS, WAITS)
def test_a_stated_wait_never_shortens_the_backoff_and_nothing_passes_the_cap(
    stated_s: float | None, own_s: float, cap_s: float
) -> None:
    waited_s = wait_s(stated_s, own_s, cap_s=cap_s)

    assert min(own_s, cap_s) <= waited_s <= cap_s
    if stated_s is not None and own_s <= stated_s <= cap_s:
        assert waited_s == stated_s
