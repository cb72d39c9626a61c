"""The embedded ledger's jobs: see :class:`fanfold.ports.ledger.Jobs`."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from fanfold.adapters.embedded.ledger.rows import (
    SELECT_JOB,
    OnDatabase,
    as_json,
    job_of,
    read_snapshots,
)
from fanfold.adapters.embedded.micros import micros, micros_or_none
from fanfold.domain.model.run import Attempt, Job, Lease
from fanfold.domain.model.upstream import Wait
from fanfold.domain.protocol.contract import Progress
from fanfold.domain.rules.claim import Claim, Granted, JobSnapshot, decide
from fanfold.messages import records

_HELD = "run_id = ? AND collector = ? AND fence = ? AND holder IS NOT NULL AND answered = 0"


class SqliteJobs(OnDatabase):
    """See :class:`fanfold.ports.ledger.Jobs`."""

    def create_jobs(self, run_id: str, jobs: Sequence[Job]) -> None:
        """See :meth:`fanfold.ports.ledger.Jobs.create_jobs`."""
        rows = [
            (run_id, job.collector, micros(job.published_at), micros(job.deadline)) for job in jobs
        ]

        def create(connection: sqlite3.Connection) -> None:
            connection.executemany(
                # A cancel may have answered for a job before its record was made.
                "INSERT INTO job (run_id, collector, published_at, deadline, answered) "
                "VALUES (?1, ?2, ?3, ?4, EXISTS "
                "(SELECT 1 FROM answer WHERE run_id = ?1 AND collector = ?2)) "
                "ON CONFLICT DO NOTHING",
                rows,
            )

        self.database.write(create)

    def snapshot(self, run_id: str, collector: str) -> JobSnapshot:
        """See :meth:`fanfold.ports.ledger.Jobs.snapshot`."""
        with self.database.reading() as connection:
            return read_snapshots(connection, run_id, [collector], self.damage)[collector]

    def claim(self, run_id: str, collector: str, *, holder: str, now: datetime) -> Claim:
        """See :meth:`fanfold.ports.ledger.Jobs.claim`."""
        return self.claim_all([(run_id, collector)], holder=holder, now=now)[0]

    def claim_all(
        self, keys: Sequence[tuple[str, str]], *, holder: str, now: datetime
    ) -> Sequence[Claim]:
        """See :meth:`fanfold.ports.ledger.Jobs.claim_all`. All of it is one commit."""

        def take(connection: sqlite3.Connection) -> Sequence[Claim]:
            wanted: dict[str, list[str]] = {}
            for run_id, collector in keys:
                wanted.setdefault(run_id, []).append(collector)
            stored = {
                run_id: read_snapshots(connection, run_id, collectors, self.damage)
                for run_id, collectors in wanted.items()
            }
            claims: list[Claim] = []
            granted: list[Granted] = []
            for run_id, collector in keys:
                snapshot = stored[run_id][collector]
                claimed = decide(snapshot, holder=holder, now=now)
                if isinstance(claimed, Granted):
                    granted.append(claimed)
                    # There may be a second message for the same job.
                    stored[run_id][collector] = replace(snapshot, job=claimed.job)
                claims.append(claimed)
            connection.executemany(_STORE_LEASE, map(_lease_row, granted))
            for each in granted:
                if each.job.wait is not None:
                    _end_wait(connection, each.job, each.job.wait)
            return claims

        return self.database.write(take)

    def check(self, lease: Lease, *, now: datetime) -> bool:
        """See :meth:`fanfold.ports.ledger.Jobs.check`."""
        row = self.database.row(
            f"SELECT 1 FROM job WHERE {_HELD} AND leased_until > ?",
            (lease.run_id, lease.collector, lease.fence, micros(now)),
        )
        return row is not None

    def release(self, lease: Lease, attempt: Attempt, *, not_before: datetime) -> bool:
        """See :meth:`fanfold.ports.ledger.Jobs.release`."""
        return self._end_lease(lease, attempt, "not_before = ?", not_before)

    def accept(self, lease: Lease, attempt: Attempt, *, until: datetime) -> bool:
        """See :meth:`fanfold.ports.ledger.Jobs.accept`."""
        return self._end_lease(lease, attempt, "accepted_until = ?", until)

    def wait(self, lease: Lease, wait: Wait | None) -> bool:
        """See :meth:`fanfold.ports.ledger.Jobs.wait`."""
        held = (lease.run_id, lease.collector, lease.fence)
        changes = "" if wait is None else ", wait = ?, waits_for = ?"
        values = () if wait is None else (records.encode(wait), wait.upstream)

        def free(connection: sqlite3.Connection) -> bool:
            cursor = connection.execute(
                "UPDATE job SET holder = NULL, taken_at = NULL, leased_until = NULL, "
                f"started = started - 1{changes} WHERE {_HELD}",
                (*values, *held),
            )
            return cursor.rowcount > 0

        return self.database.write(free)

    def waiting_for(
        self,
        upstream: str,
        *,
        run_id: str,  # noqa: ARG002 - all runs are in this file
        limit: int,
    ) -> Sequence[tuple[str, str]]:
        """See :meth:`fanfold.ports.ledger.Jobs.waiting_for`. They are those of all runs."""
        return self.database.rows(
            "SELECT run_id, collector FROM job WHERE waits_for = ? AND answered = 0 "
            "ORDER BY json_extract(wait, '$.first_at') LIMIT ?",
            (upstream, limit),
        )

    def note_progress(self, run_id: str, collector: str, progress: Progress, at: datetime) -> None:
        """See :meth:`fanfold.ports.ledger.Jobs.note_progress`."""
        said = as_json(
            {
                "fraction": progress.fraction,
                "message": progress.message,
                "at": records.instant_text(at),
            }
        )

        def note(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE job SET progress = ? WHERE run_id = ? AND collector = ?",
                (said, run_id, collector),
            )

        self.database.write(note)

    def republished(self, run_id: str, collectors: Sequence[str], at: datetime) -> None:
        """See :meth:`fanfold.ports.ledger.Jobs.republished`."""
        rows = [(micros(at), run_id, collector) for collector in collectors]

        def note(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "UPDATE job SET published_at = ? WHERE run_id = ? AND collector = ?", rows
            )

        self.database.write(note)

    def jobs(self, run_id: str) -> Sequence[Job]:
        """See :meth:`fanfold.ports.ledger.Jobs.jobs`."""
        rows = self.database.rows(SELECT_JOB + "WHERE run_id = ? ORDER BY collector", (run_id,))
        return [job_of(row, self.damage) for row in rows]

    def busy(self, collectors: Sequence[str]) -> Mapping[str, str]:
        """See :meth:`fanfold.ports.ledger.Jobs.busy`."""
        wanted = set(collectors)
        rows = self.database.rows(
            "SELECT job.collector, job.run_id FROM job JOIN run USING (run_id) "
            "WHERE job.answered = 0 AND run.phase <> 'final' ORDER BY run.start_time"
        )
        return {collector: run_id for collector, run_id in rows if collector in wanted}

    def _end_lease(self, lease: Lease, attempt: Attempt, then: str, at: datetime) -> bool:
        ended = records.encode(attempt)

        def end(connection: sqlite3.Connection) -> bool:
            cursor = connection.execute(
                "UPDATE job SET holder = NULL, taken_at = NULL, leased_until = NULL, "
                f"attempts = json_insert(attempts, '$[#]', json(?)), {then} WHERE {_HELD}",
                (ended, micros(at), lease.run_id, lease.collector, lease.fence),
            )
            return cursor.rowcount > 0

        return self.database.write(end)


_STORE_LEASE = (
    "INSERT INTO job (run_id, collector, published_at, deadline, fence, started, holder, "
    "taken_at, leased_until, not_before) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET fence = excluded.fence, started = excluded.started, "
    "holder = excluded.holder, taken_at = excluded.taken_at, "
    "leased_until = excluded.leased_until, not_before = excluded.not_before"
)


def _lease_row(granted: Granted) -> tuple[Any, ...]:
    job, lease = granted.job, granted.lease
    return (
        job.run_id,
        job.collector,
        micros(job.published_at),
        micros(job.deadline),
        lease.fence,
        job.started,
        lease.holder,
        micros(lease.taken_at),
        micros(lease.until),
        micros_or_none(job.not_before),
    )


def _end_wait(connection: sqlite3.Connection, job: Job, wait: Wait) -> None:
    connection.execute(
        "UPDATE job SET wait = ?, waits_for = NULL WHERE run_id = ? AND collector = ?",
        (records.encode(wait), job.run_id, job.collector),
    )
