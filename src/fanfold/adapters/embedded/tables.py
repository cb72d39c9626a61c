"""Rows to values: what the parts of the embedded ledger share."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from typing import Any

from fanfold import records
from fanfold.adapters.embedded.database import Database, instant, instant_or_none
from fanfold.domain.errors import UnknownCollector, UnknownRun
from fanfold.domain.run import Answer, Attempt, Entry, Job, Lease, Run
from fanfold.domain.states import Phase, RunStatus

RUN_COLUMNS = (
    "document, phase, dispatched_at, announced_at, verdict, about, summary, end_time, revision, "
    "report"
)
JOB_COLUMNS = (
    "run_id, collector, published_at, deadline, fence, started, attempts, holder, taken_at, "
    "leased_until, not_before, accepted_until, progress, answered"
)


class OnDatabase:
    """A part of the ledger: it works on ``database``."""

    database: Database


def as_json(value: Any) -> str:
    """Return *value* as the JSON text that the tables hold."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def read_run(connection: sqlite3.Connection, run_id: str) -> Run | None:
    """Return the run as it stands on *connection*."""
    row = connection.execute(
        f"SELECT {RUN_COLUMNS} FROM run WHERE run_id = ?",  # noqa: S608 - our own columns
        (run_id,),
    ).fetchone()
    return None if row is None else run_of(row)


def run_of(row: tuple[Any, ...]) -> Run:
    """Return the run in *row*, selected as :data:`RUN_COLUMNS`."""
    fixed = records.load(Run, json.loads(row[0]))
    return replace(
        fixed,
        phase=Phase(row[1]),
        dispatched_at=instant_or_none(row[2]),
        announced_at=instant_or_none(row[3]),
        verdict=None if row[4] is None else RunStatus(row[4]),
        about=row[5],
        summary=None if row[6] is None else json.loads(row[6]),
        end_time=instant_or_none(row[7]),
        revision=row[8],
        report=row[9],
    )


def read_entry(connection: sqlite3.Connection, run_id: str, collector: str) -> Entry | None:
    """Return the collector's entry in the run's manifest."""
    row = connection.execute(
        "SELECT document FROM manifest WHERE run_id = ? AND collector = ?", (run_id, collector)
    ).fetchone()
    return None if row is None else records.load(Entry, json.loads(row[0]))


def read_answer(connection: sqlite3.Connection, run_id: str, collector: str) -> Answer | None:
    """Return the collector's stored answer."""
    row = connection.execute(
        "SELECT document FROM answer WHERE run_id = ? AND collector = ?", (run_id, collector)
    ).fetchone()
    return None if row is None else records.load(Answer, json.loads(row[0]))


def read_job(connection: sqlite3.Connection, run_id: str, collector: str) -> Job | None:
    """Return the collector's job record."""
    row = connection.execute(
        f"SELECT {JOB_COLUMNS} FROM job "  # noqa: S608 - our own columns
        "WHERE run_id = ? AND collector = ?",
        (run_id, collector),
    ).fetchone()
    return None if row is None else job_of(row)


def job_of(row: tuple[Any, ...]) -> Job:
    """Return the job in *row*, selected as :data:`JOB_COLUMNS`."""
    (run_id, collector, published_at, deadline, fence, started, attempts, holder) = row[:8]
    (taken_at, leased_until, not_before, accepted_until, progress, answered) = row[8:]
    lease = None
    if holder is not None:
        lease = Lease(
            run_id, collector, fence, holder, started, instant(taken_at), instant(leased_until)
        )
    return Job(
        run_id,
        collector,
        published_at=instant(published_at),
        deadline=instant(deadline),
        fence=fence,
        started=started,
        attempts=()
        if attempts == "[]"
        else tuple(records.load(Attempt, each) for each in json.loads(attempts)),
        lease=lease,
        not_before=instant_or_none(not_before),
        accepted_until=instant_or_none(accepted_until),
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
