"""Rows to values: what the parts of the embedded ledger share."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from functools import lru_cache
from typing import Any

from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.micros import from_micros, from_micros_or_none
from fanfold.domain.model.errors import UnknownCollector, UnknownRun
from fanfold.domain.model.run import Answer, Attempt, Entry, Job, Lease, Run
from fanfold.domain.model.states import Phase, RunStatus
from fanfold.domain.rules.claim import JobSnapshot
from fanfold.messages import records

#: What :func:`run_of` reads, in its order.
RUN_COLUMNS = (
    "document",
    "phase",
    "dispatched_at",
    "announced_at",
    "verdict",
    "about",
    "summary",
    "end_time",
    "revision",
    "report",
)

#: What :func:`job_of` reads, in its order.
JOB_COLUMNS = (
    "run_id",
    "collector",
    "published_at",
    "deadline",
    "fence",
    "started",
    "attempts",
    "holder",
    "taken_at",
    "leased_until",
    "not_before",
    "accepted_until",
    "progress",
    "answered",
)


def _select(columns: tuple[str, ...], table: str) -> str:
    return ", ".join(f"{table}.{column}" for column in columns)


#: Selects runs, selects jobs; both to be followed by a WHERE.
SELECT_RUN = f"SELECT {_select(RUN_COLUMNS, 'run')} FROM run "
SELECT_JOB = f"SELECT {_select(JOB_COLUMNS, 'job')} FROM job "

_STANDING = (
    f"SELECT manifest.document, answer.document, {_select(RUN_COLUMNS, 'run')}, "
    f"{_select(JOB_COLUMNS, 'job')} FROM manifest LEFT JOIN run USING (run_id) "
    "LEFT JOIN job USING (run_id, collector) LEFT JOIN answer USING (run_id, collector) "
    "WHERE manifest.run_id = ? AND manifest.collector = ?"
)


class OnDatabase:
    """A part of the ledger: it works on ``database``."""

    database: Database


def as_json(value: Any) -> str:
    """Return *value* as the JSON text that the tables hold."""
    return records.json_bytes(value).decode()


def read_run(connection: sqlite3.Connection, run_id: str) -> Run | None:
    """Return the run as it stands on *connection*."""
    row = connection.execute(SELECT_RUN + "WHERE run_id = ?", (run_id,)).fetchone()
    return None if row is None else run_of(row)


def run_of(row: tuple[Any, ...]) -> Run:
    """Return the run in *row*, selected as :data:`RUN_COLUMNS`."""
    fixed = _fixed_run(row[0])
    return replace(
        fixed,
        phase=Phase(row[1]),
        dispatched_at=from_micros_or_none(row[2]),
        announced_at=from_micros_or_none(row[3]),
        verdict=None if row[4] is None else RunStatus(row[4]),
        about=row[5],
        summary=None if row[6] is None else json.loads(row[6]),
        end_time=from_micros_or_none(row[7]),
        revision=row[8],
        report=row[9],
    )


@lru_cache(maxsize=32)
def _fixed_run(document: str) -> Run:
    """Return what is fixed of a run; every message of a run asks for the same."""
    return records.decode(Run, document)


def read_snapshot(connection: sqlite3.Connection, run_id: str, collector: str) -> JobSnapshot:
    """Return everything that is stored about one job, from one statement: one moment."""
    row = connection.execute(_STANDING, (run_id, collector)).fetchone()
    if row is None:
        return JobSnapshot(read_run(connection, run_id))
    entry = records.decode(Entry, row[0])
    run_at, job_at = 2, 2 + len(RUN_COLUMNS)
    return JobSnapshot(
        run=run_of(row[run_at:job_at]) if row[run_at] is not None else None,
        entry=entry,
        job=job_of(row[job_at:]) if row[job_at] is not None else None,
        answer=None if row[1] is None else records.decode(Answer, row[1]),
        blocked=entry.queue_behind is not None
        and _waits_for(connection, entry.queue_behind, collector),
    )


def _waits_for(connection: sqlite3.Connection, run_id: str, collector: str) -> bool:
    row = connection.execute(
        "SELECT 1 FROM job JOIN run USING (run_id) "
        "WHERE run_id = ? AND collector = ? AND answered = 0 AND phase <> 'final'",
        (run_id, collector),
    ).fetchone()
    return row is not None


def read_answer(connection: sqlite3.Connection, run_id: str, collector: str) -> Answer | None:
    """Return the collector's stored answer."""
    row = connection.execute(
        "SELECT document FROM answer WHERE run_id = ? AND collector = ?", (run_id, collector)
    ).fetchone()
    return None if row is None else records.decode(Answer, row[0])


def job_of(row: tuple[Any, ...]) -> Job:
    """Return the job in *row*, selected as :data:`JOB_COLUMNS`."""
    (run_id, collector, published_at, deadline, fence, started, attempts, holder) = row[:8]
    (taken_at, leased_until, not_before, accepted_until, progress, answered) = row[8:]
    lease = None
    if holder is not None:
        lease = Lease(
            run_id,
            collector,
            fence,
            holder,
            started,
            from_micros(taken_at),
            from_micros(leased_until),
        )
    return Job(
        run_id,
        collector,
        published_at=from_micros(published_at),
        deadline=from_micros(deadline),
        fence=fence,
        started=started,
        attempts=() if attempts == "[]" else records.decode(tuple[Attempt, ...], attempts),
        lease=lease,
        not_before=from_micros_or_none(not_before),
        accepted_until=from_micros_or_none(accepted_until),
        progress=None if progress is None else json.loads(progress),
        answered=bool(answered),
    )


def require_member(connection: sqlite3.Connection, run_id: str, collector: str) -> None:
    """Return if the run asks *collector*.

    Raises:
        UnknownRun: There is no such run.
        UnknownCollector: It does not ask this collector.
    """
    row = connection.execute(
        "SELECT asked FROM manifest WHERE run_id = ? AND collector = ?", (run_id, collector)
    ).fetchone()
    if row is not None and row[0]:
        return
    if connection.execute("SELECT 1 FROM run WHERE run_id = ?", (run_id,)).fetchone() is None:
        raise UnknownRun(run_id)
    raise UnknownCollector(run_id, collector)
