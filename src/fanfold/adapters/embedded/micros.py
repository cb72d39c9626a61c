"""How the tables hold an instant: as whole microseconds since 1970 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """Return *at* as microseconds since 1970 UTC."""
    return (at - _EPOCH) // _MICROSECOND


def micros_or_none(at: datetime | None) -> int | None:
    """Return *at* as microseconds since 1970 UTC, or None for None."""
    return None if at is None else micros(at)


def from_micros(stored: int) -> datetime:
    """Return the instant that :func:`micros` stored."""
    return _EPOCH + timedelta(microseconds=stored)


def from_micros_or_none(stored: int | None) -> datetime | None:
    """Return the instant that :func:`micros_or_none` stored."""
    return None if stored is None else from_micros(stored)


def from_micros_near(stored: int) -> datetime:
    """Return the instant that is stored, or the calendar's nearest if it lies outside."""
    return from_micros(min(max(stored, _FIRST), _LAST))


_FIRST = micros(datetime.min.replace(tzinfo=UTC))
_LAST = micros(datetime.max.replace(tzinfo=UTC))
