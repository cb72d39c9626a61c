"""The embedded ledger: :class:`fanfold.ports.Ledger` on SQLite, put together from its parts."""

from __future__ import annotations

from fanfold.adapters.embedded.answers import SqliteAnswers
from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.history import SqliteHistory
from fanfold.adapters.embedded.jobs import SqliteJobs
from fanfold.adapters.embedded.letters import SqliteDeadLetters
from fanfold.adapters.embedded.runs import SqliteRuns


class SqliteLedger(SqliteRuns, SqliteJobs, SqliteAnswers, SqliteHistory, SqliteDeadLetters):
    """See :class:`fanfold.ports.Ledger`. Any number may be open on one file."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def close(self) -> None:
        """See :meth:`fanfold.ports.Ledger.close`."""
        self.database.close()
