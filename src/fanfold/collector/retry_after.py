"""How long a source asks to be left alone."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime

#: Longest wait that is believed, in seconds.
MAX_WAIT_S = 86_400.0


def retry_after_s(header: str | None, *, now: datetime) -> float | None:
    """Return the wait that a ``Retry-After`` header asks for, in seconds from *now* (aware).

    Both of its forms are read, seconds and an HTTP date; anything else gives None.
    """
    if header is None:
        return None
    if header.strip().isdecimal():
        return min(float(header), MAX_WAIT_S)
    try:
        instant = parsedate_to_datetime(header)
    except ValueError:
        return None
    if instant.tzinfo is None:
        return None
    return min(max(0.0, (instant - now).total_seconds()), MAX_WAIT_S)
