"""The embedded ledger: :class:`fanfold.ports.ledger.Ledger` on SQLite, from its parts."""

from __future__ import annotations

from collections.abc import Sequence

from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.ledger.answers import SqliteAnswers
from fanfold.adapters.embedded.ledger.dead_letters import SqliteDeadLetters
from fanfold.adapters.embedded.ledger.history import SqliteHistory
from fanfold.adapters.embedded.ledger.jobs import SqliteJobs
from fanfold.adapters.embedded.ledger.pauses import SqlitePauses
from fanfold.adapters.embedded.ledger.runs import SqliteRuns
from fanfold.adapters.embedded.ledger.schedules import SqliteSchedules
from fanfold.adapters.embedded.ledger.told import SqliteTold
from fanfold.adapters.embedded.ledger.upstreams import SqliteUpstreams


class SqliteLedger(
    SqliteRuns,
    SqliteJobs,
    SqliteAnswers,
    SqliteHistory,
    SqliteDeadLetters,
    SqliteTold,
    SqliteSchedules,
    SqlitePauses,
    SqliteUpstreams,
):
    """See :class:`fanfold.ports.ledger.Ledger`. Any number may be open on one file."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def unreadable(self) -> Sequence[str]:
        """See :meth:`fanfold.ports.ledger.Ledger.unreadable`."""
        return self.damage.sentences()

    def close(self) -> None:
        """See :meth:`fanfold.ports.ledger.Ledger.close`."""
        self.database.close()
