"""The machine's clock: see :class:`fanfold.ports.outside.Clock`."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """Tells the machine's time, and lets it pass."""

    def now(self) -> datetime:
        """See :meth:`fanfold.ports.outside.Clock.now`."""
        return datetime.now(UTC)

    def wait(self, seconds: float) -> None:
        """See :meth:`fanfold.ports.outside.Clock.wait`."""
        time.sleep(seconds)
