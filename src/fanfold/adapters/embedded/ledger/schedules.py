"""The embedded ledger's memory of schedules: see :class:`fanfold.ports.ledger.Schedules`."""

from __future__ import annotations

from fanfold.adapters.damage import of_schedules
from fanfold.adapters.embedded.ledger.rows import OnDatabase
from fanfold.domain.model.known_schedules import KnownSchedules
from fanfold.messages import records

#: The row of the table ``meta`` that holds it.
_ROW = "schedules"


class SqliteSchedules(OnDatabase):
    """See :class:`fanfold.ports.ledger.Schedules`."""

    def known_schedules(self) -> KnownSchedules | None:
        """See :meth:`fanfold.ports.ledger.Schedules.known_schedules`."""
        row = self.database.row("SELECT value FROM meta WHERE name = ?", (_ROW,))
        if row is None:
            return None
        return self.damage.read(
            of_schedules(), lambda: records.decode(KnownSchedules, row[0]), lambda _: None
        )

    def note_schedules(self, known: KnownSchedules) -> None:
        """See :meth:`fanfold.ports.ledger.Schedules.note_schedules`."""
        self.database.note(_ROW, records.encode(known))
