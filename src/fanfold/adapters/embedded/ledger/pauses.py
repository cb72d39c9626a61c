"""The embedded ledger's pauses: see :class:`fanfold.ports.ledger.Pauses`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial

from fanfold.adapters.damage import of_pauses
from fanfold.adapters.embedded.ledger.rows import OnDatabase
from fanfold.domain.model.pause import Pause
from fanfold.messages import records

_READ = "SELECT document FROM pause ORDER BY position"


class SqlitePauses(OnDatabase):
    """See :class:`fanfold.ports.ledger.Pauses`."""

    def pauses(self) -> Sequence[Pause]:
        """See :meth:`fanfold.ports.ledger.Pauses.pauses`."""
        if self.database.file.is_read_only and not self.database.rows(
            "SELECT 1 FROM sqlite_master WHERE name = 'pause'"
        ):
            return ()  # a file of an older version, which nobody may bring to the newest
        return self._pauses_of(self.database.rows(_READ))

    def change_pauses(
        self, change: Callable[[Sequence[Pause]], Sequence[Pause]]
    ) -> Sequence[Pause]:
        """See :meth:`fanfold.ports.ledger.Pauses.change_pauses`."""

        def replace(connection: sqlite3.Connection) -> Sequence[Pause]:
            changed = change(self._pauses_of(connection.execute(_READ).fetchall()))
            connection.execute("DELETE FROM pause")
            rows = [(records.encode(each),) for each in changed]
            connection.executemany("INSERT INTO pause (document) VALUES (?)", rows)
            return changed

        return self.database.write(replace)

    def _pauses_of(self, rows: Sequence[tuple[str]]) -> Sequence[Pause]:
        found = (
            self.damage.read(of_pauses(), partial(records.decode, Pause, text), lambda _: None)
            for (text,) in rows
        )
        return tuple(each for each in found if each is not None)
