"""The machine's clock: see :class:`fanfold.ports.Clock`."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """Tells the machine's time."""

    def now(self) -> datetime:
        """See :meth:`fanfold.ports.Clock.now`."""
        return datetime.now(UTC)
