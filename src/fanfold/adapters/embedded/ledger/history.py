"""The embedded ledger's memory of collectors: see :class:`fanfold.ports.ledger.History`."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache

from fanfold.adapters.damage import of_past
from fanfold.adapters.embedded.ledger.rows import OnDatabase
from fanfold.adapters.embedded.micros import micros
from fanfold.domain.model.collector import CollectorHistory
from fanfold.domain.model.run import PastRun, RunFigures
from fanfold.domain.rules.history import KEPT_RUNS, MOST_KEPT, history_of, kept_of
from fanfold.messages import records

#: Figures that are kept as they were made of their text: the memory of 500 collectors, all of
#: which is read for each look at how everything stands.
KEPT_FIGURES = 16_384


@lru_cache(maxsize=KEPT_FIGURES)
def _figures(document: str) -> RunFigures:
    return records.decode(RunFigures, document)


class SqliteHistory(OnDatabase):
    """See :class:`fanfold.ports.ledger.History`."""

    def histories(self, collectors: Sequence[str]) -> Mapping[str, CollectorHistory]:
        """See :meth:`fanfold.ports.ledger.History.histories`."""
        return {
            name: history_of([each.figures for each in past])
            for name, past in self.past_runs(collectors).items()
        }

    def past_runs(self, collectors: Sequence[str]) -> Mapping[str, Sequence[PastRun]]:
        """See :meth:`fanfold.ports.ledger.History.past_runs`."""
        known: dict[str, Sequence[PastRun]] = {}
        with self.database.reading() as connection:
            for collector in collectors:
                past = self._past(connection, collector, MOST_KEPT)
                if past:
                    known[collector] = past
        return known

    def _past(
        self, connection: sqlite3.Connection, collector: str, limit: int
    ) -> Sequence[PastRun]:
        """Return the newest runs that the collector remembers, at most *limit*, oldest first."""
        rows = connection.execute(
            "SELECT run_id, document FROM history WHERE collector = ? "
            "ORDER BY end_time DESC, run_id DESC LIMIT ?",
            (collector, limit),
        ).fetchall()
        return [run for row in reversed(rows) if (run := self._past_run(collector, row))]

    def _past_run(self, collector: str, row: tuple[str, str]) -> PastRun | None:
        """Return what is remembered in *row*, None if it cannot be read."""
        run_id, document = row
        return self.damage.read(
            of_past(f"{collector} in run {run_id}"),
            lambda: PastRun(run_id, _figures(document)),
            lambda _: None,
        )

    def remember(self, run_id: str, figures: Sequence[RunFigures]) -> None:
        """See :meth:`fanfold.ports.ledger.History.remember`."""
        rows = [
            (each.collector, micros(each.end_time), run_id, records.encode(each))
            for each in figures
        ]

        def add(connection: sqlite3.Connection) -> None:
            connection.executemany("INSERT OR IGNORE INTO history VALUES (?, ?, ?, ?)", rows)
            for collector in {row[0] for row in rows}:
                self._forget(connection, collector)

        self.database.write(add)

    def _forget(self, connection: sqlite3.Connection, collector: str) -> None:
        """Delete what the collector need not remember any more."""
        query = "SELECT count(*) FROM history WHERE collector = ?"
        if connection.execute(query, (collector,)).fetchone()[0] <= KEPT_RUNS:
            return
        past = self._past(connection, collector, -1)
        kept = {each.run_id for each in kept_of(past)}
        connection.executemany(
            "DELETE FROM history WHERE collector = ? AND run_id = ?",
            [(collector, each.run_id) for each in past if each.run_id not in kept],
        )
