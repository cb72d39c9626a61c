"""The embedded ledger's runs: see :class:`fanfold.ports.ledger.Runs`."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from fanfold.adapters.embedded.ledger.rows import (
    SELECT_RUN,
    OnDatabase,
    as_json,
    entry_of,
    read_run,
    run_of,
)
from fanfold.adapters.embedded.micros import from_micros_near, micros, micros_or_none
from fanfold.domain.model.run import Entry, Run, Verdict, summary_with
from fanfold.domain.model.states import Phase, phases_before
from fanfold.messages import records

#: Before and after every instant that is stored.
_FIRST, _LAST = -(2**63), 2**63 - 1


class SqliteRuns(OnDatabase):
    """See :class:`fanfold.ports.ledger.Runs`."""

    def create_run(self, run: Run, manifest: Sequence[Entry]) -> bool:
        """See :meth:`fanfold.ports.ledger.Runs.create_run`."""
        # What moves has columns of its own; the document keeps what is fixed.
        fixed = records.encode(replace(run, verdict=None, about="", summary=None))
        entries = [
            (run.run_id, entry.name, position, entry.skip is None, records.encode(entry))
            for position, entry in enumerate(manifest)
        ]

        def create(connection: sqlite3.Connection) -> bool:
            row = connection.execute(
                "SELECT writer FROM run WHERE run_id = ?", (run.run_id,)
            ).fetchone()
            if row is not None:
                return bool(row[0] == run.writer)
            connection.execute(
                "INSERT INTO run (run_id, writer, start_time, deadline, document, phase, "
                "dispatched_at, announced_at, verdict, about, end_time, expires_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    run.run_id,
                    run.writer,
                    micros(run.start_time),
                    micros(run.deadline),
                    fixed,
                    run.phase.value,
                    micros_or_none(run.dispatched_at),
                    micros_or_none(run.announced_at),
                    None if run.verdict is None else run.verdict.value,
                    run.about,
                    micros_or_none(run.end_time),
                    micros(run.expires_at),
                ),
            )
            connection.executemany("INSERT INTO manifest VALUES (?, ?, ?, ?, ?)", entries)
            return True

        return self.database.write(create)

    def run(self, run_id: str) -> Run | None:
        """See :meth:`fanfold.ports.ledger.Runs.run`."""
        row = self.database.row(SELECT_RUN + "WHERE run_id = ?", (run_id,))
        return None if row is None else run_of(row, self.damage)

    def run_lately(self, run_id: str) -> Run | None:
        """See :meth:`fanfold.ports.ledger.Runs.run_lately`. To look now costs next to nothing."""
        return self.run(run_id)

    def manifest(self, run_id: str) -> Sequence[Entry]:
        """See :meth:`fanfold.ports.ledger.Runs.manifest`."""
        rows = self.database.rows(
            "SELECT run_id, collector, asked, document FROM manifest WHERE run_id = ? "
            "ORDER BY position",
            (run_id,),
        )
        return [entry_of(row, self.damage) for row in rows]

    def open_run(self, run_id: str) -> None:
        """See :meth:`fanfold.ports.ledger.Runs.open_run`."""
        self._update(
            f"UPDATE run SET phase = ? WHERE run_id = ? AND {_may_become(Phase.OPEN)}",
            (Phase.OPEN.value, run_id),
        )

    def mark_dispatched(self, run_id: str, at: datetime) -> None:
        """See :meth:`fanfold.ports.ledger.Runs.mark_dispatched`."""
        self._update(
            "UPDATE run SET dispatched_at = ? WHERE run_id = ? AND dispatched_at IS NULL",
            (micros(at), run_id),
        )

    def finalize_run(self, run_id: str, verdict: Verdict) -> bool:
        """See :meth:`fanfold.ports.ledger.Runs.finalize_run`."""
        return self._update(
            "UPDATE run SET phase = ?, verdict = ?, about = ?, summary = ?, end_time = ? "
            "WHERE run_id = ? AND " + _may_become(Phase.FINAL),
            (
                Phase.FINAL.value,
                verdict.verdict.value,
                verdict.about,
                as_json(dict(verdict.summary)),
                micros(verdict.end_time),
                run_id,
            ),
        )

    def mark_announced(
        self,
        run_id: str,
        *,
        revision: int,
        report: str,
        at: datetime,
        late_listed: int = 0,
        remarks: Sequence[str] = (),
        verdict: Verdict | None = None,
    ) -> None:
        """See :meth:`fanfold.ports.ledger.Runs.mark_announced`."""

        def mark(connection: sqlite3.Connection) -> None:
            run = read_run(connection, run_id, self.damage)
            if run is None or run.revision >= revision:
                return
            if verdict is not None:
                connection.execute(
                    "UPDATE run SET verdict = ?, about = ?, end_time = ? WHERE run_id = ?",
                    (verdict.verdict.value, verdict.about, micros(verdict.end_time), run_id),
                )
            summary = run.summary if verdict is None else verdict.summary
            summary = summary_with(
                summary, revision=revision, late_listed=late_listed, remarks=remarks
            )
            connection.execute(
                "UPDATE run SET announced_at = coalesce(announced_at, ?), revision = ?, "
                "report = ?, summary = ? WHERE run_id = ?",
                (micros(at), revision, report, _json_or_none(summary), run_id),
            )

        self.database.write(mark)

    def unannounced(self) -> Sequence[Run]:
        """See :meth:`fanfold.ports.ledger.Runs.unannounced`."""
        rows = self.database.rows(SELECT_RUN + "WHERE announced_at IS NULL ORDER BY start_time")
        return [run_of(row, self.damage) for row in rows]

    def unlisted(self) -> Sequence[Run]:
        """See :meth:`fanfold.ports.ledger.Runs.unlisted`."""
        # Few runs have late evidence; only those are looked at.
        kept = dict(self.database.rows("SELECT run_id, count(*) FROM late GROUP BY run_id"))
        runs = (self.run(run_id) for run_id in kept)
        found = [run for run in runs if run is not None and run.announced_at is not None]
        return [run for run in found if kept[run.run_id] > run.late_listed]

    def recent_runs(self, limit: int) -> Sequence[Run]:
        """See :meth:`fanfold.ports.ledger.Runs.recent_runs`."""
        return self.runs_between(None, None, limit)

    def runs_between(
        self, since: datetime | None, until: datetime | None, limit: int
    ) -> Sequence[Run]:
        """See :meth:`fanfold.ports.ledger.Runs.runs_between`."""
        rows = self.database.rows(
            SELECT_RUN + "WHERE start_time >= ? AND start_time < ? "
            "ORDER BY start_time DESC, run_id DESC LIMIT ?",
            (
                _FIRST if since is None else micros(since),
                _LAST if until is None else micros(until),
                limit,
            ),
        )
        return [run_of(row, self.damage) for row in rows]

    def oldest_run_start(self) -> datetime | None:
        """See :meth:`fanfold.ports.ledger.Runs.oldest_run_start`."""
        row = self.database.row("SELECT min(start_time) FROM run")
        return None if row is None or row[0] is None else from_micros_near(row[0])

    def next_due(self) -> datetime | None:
        """Return the next instant at which a sweep has something to close, if there is one."""
        row = self.database.row(
            "SELECT min(due) FROM (SELECT min(deadline) AS due FROM run WHERE announced_at IS NULL "
            "UNION ALL SELECT min(accepted_until) FROM job WHERE answered = 0)"
        )
        return None if row[0] is None else from_micros_near(row[0])

    def forget_expired(self, now: datetime) -> int:
        """Delete every ended run whose time is up, with all that is its; return how many.

        Each is a commit of its own: the work that waits for the file goes on between two of them.
        """
        expired = self.database.rows(
            "SELECT run_id FROM run WHERE expires_at <= ? AND announced_at IS NOT NULL",
            (micros(now),),
        )
        for row in expired:
            self.database.write(partial(_delete_run, row))
        return len(expired)

    def find_runs(self, prefix: str, limit: int) -> Sequence[Run]:
        """See :meth:`fanfold.ports.ledger.Runs.find_runs`."""
        rows = self.database.rows(
            SELECT_RUN
            + "WHERE substr(run_id, 1, ?) = ? ORDER BY start_time DESC, run_id DESC LIMIT ?",
            (len(prefix), prefix, limit),
        )
        return [run_of(row, self.damage) for row in rows]

    def _update(self, statement: str, parameters: tuple[object, ...]) -> bool:
        """Return whether *statement* changed a row, once it is stored."""

        def update(connection: sqlite3.Connection) -> bool:
            return connection.execute(statement, parameters).rowcount > 0

        return self.database.write(update)


def _delete_run(row: tuple[str], connection: sqlite3.Connection) -> None:
    for table in ("answer", "late", "job", "manifest", "run"):
        connection.execute(f"DELETE FROM {table} WHERE run_id = ?", row)


def _json_or_none(summary: Mapping[str, Any] | None) -> str | None:
    return None if summary is None else as_json(dict(summary))


def _may_become(new: Phase) -> str:
    """Return the condition under which a run's row may move to *new*.

    The end is open to a phase that cannot be read, too: such a run ends as well.
    """
    if new is Phase.FINAL:
        return f"phase <> {new.value!r}"
    return f"phase IN ({', '.join(repr(old.value) for old in phases_before(new))})"
