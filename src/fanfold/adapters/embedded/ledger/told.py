"""The embedded ledger's marks of told events: see :class:`fanfold.ports.ledger.Told`.

Each mark is a row of ``meta``, kept for :data:`KEPT_DAYS`.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from fanfold.adapters.embedded.ledger.rows import OnDatabase
from fanfold.messages.records import instant_text

#: How long a mark is kept, in days: an event can be delivered again for less than that.
KEPT_DAYS = 90

#: What the names of marks begin with in the table ``meta``. ``0`` is the character after ``/``.
_PREFIX, _AFTER = "told/", "told0"


class SqliteTold(OnDatabase):
    """See :class:`fanfold.ports.ledger.Told`."""

    def is_told(self, run_id: str, mark: str) -> bool:
        """See :meth:`fanfold.ports.ledger.Told.is_told`."""
        name = f"{_PREFIX}{run_id}/{mark}"
        return bool(self.database.rows("SELECT 1 FROM meta WHERE name = ?", (name,)))

    def mark_told(self, run_id: str, mark: str, at: datetime) -> None:
        """See :meth:`fanfold.ports.ledger.Told.mark_told`."""
        row = f"{_PREFIX}{run_id}/{mark}", instant_text(at)
        oldest = instant_text(at - timedelta(days=KEPT_DAYS))

        def insert(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", row)
            connection.execute(
                "DELETE FROM meta WHERE name >= ? AND name < ? AND value < ?",
                (_PREFIX, _AFTER, oldest),
            )

        self.database.write(insert)
