"""The machine's clock: see :class:`fanfold.ports.outside.Clock`."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """Tells the machine's time."""

    def now(self) -> datetime:
        """See :meth:`fanfold.ports.outside.Clock.now`."""
        return datetime.now(UTC)
