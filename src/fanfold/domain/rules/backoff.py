"""How long to wait before trying again."""

from __future__ import annotations


def backoff_s(attempt: int, *, base_s: float, cap_s: float, jitter: float) -> float:
    """Return how long to wait before retry number *attempt*, in seconds, with full jitter.

    The bound doubles with each retry from *base_s* up to *cap_s*, and *jitter* draws the wait
    evenly from ``[0, bound)``, so that collectors which failed together do not come back together
    (Brooker, "Exponential backoff and jitter", AWS Architecture Blog, 2015).

    Args:
        attempt: Which retry this wait precedes, counted from 1.
        base_s: Bound of the first wait, in seconds. At least 0.
        cap_s: Largest bound, in seconds. At least *base_s*.
        jitter: A draw from ``[0, 1)``.

    Raises:
        ValueError: An argument lies outside the range given above.
    """
    if attempt < 1:
        raise ValueError(f"attempt counts from 1, got {attempt}")
    if not 0 <= base_s <= cap_s:
        raise ValueError(f"need 0 <= base_s <= cap_s, got base_s={base_s} cap_s={cap_s}")
    if not 0 <= jitter < 1:
        raise ValueError(f"jitter must lie in [0, 1), got {jitter}")
    # A float overflows at 2.0 ** 1024; doubling 64 times reaches any cap in use.
    return min(cap_s, base_s * 2.0 ** min(attempt - 1, 64)) * jitter


def wait_s(stated_s: float | None, own_s: float, *, cap_s: float) -> float:
    """Return how long to wait, in seconds, where a collector may have asked for *stated_s*.

    A stated wait makes *own_s*, the backoff, longer and never shorter: a ``Retry-After: 0``, or a
    date that is past by a slow clock, must not send every attempt at once. *cap_s* bounds both.
    """
    return min(max(own_s, stated_s or 0.0), cap_s)
