"""Rows to values: what the parts of the embedded ledger share."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import Any

import msgspec

from fanfold.adapters.damage import Damage, of_answer, of_entry, of_job, of_run
from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.micros import from_micros, from_micros_near, from_micros_or_none
from fanfold.domain.model.errors import UnknownCollector, UnknownRun
from fanfold.domain.model.run import Answer, Attempt, Entry, Job, Lease, Run
from fanfold.domain.model.states import Phase, RunStatus
from fanfold.domain.model.unreadable import (
    unreadable_answer,
    unreadable_entry,
    unreadable_job,
    unreadable_run,
)
from fanfold.domain.model.upstream import Wait
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
    "run_id",
    "writer",
    "start_time",
    "deadline",
    "expires_at",
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
    "wait",
)


def _select(columns: tuple[str, ...], table: str) -> str:
    return ", ".join(f"{table}.{column}" for column in columns)


#: Selects runs, selects jobs; both to be followed by a WHERE.
SELECT_RUN = f"SELECT {_select(RUN_COLUMNS, 'run')} FROM run "
SELECT_JOB = f"SELECT {_select(JOB_COLUMNS, 'job')} FROM job "

#: Selects what :func:`answer_of` reads, to be followed by a WHERE.
SELECT_ANSWER = (
    "SELECT answer.run_id, answer.collector, answer.writer, run.start_time, answer.document "
    "FROM answer LEFT JOIN run USING (run_id) "
)

_STANDING = (
    "SELECT manifest.run_id, manifest.collector, manifest.asked, manifest.document, "
    f"answer.writer, run.start_time, answer.document, {_select(JOB_COLUMNS, 'job')} "
    "FROM manifest LEFT JOIN run USING (run_id) "
    "LEFT JOIN job USING (run_id, collector) LEFT JOIN answer USING (run_id, collector) "
    "WHERE manifest.run_id = ? AND manifest.collector IN (SELECT value FROM json_each(?))"
)

_ATTRIBUTES = msgspec.json.Decoder(dict[str, str])


class OnDatabase:
    """A part of the ledger: it works on ``database``."""

    database: Database

    @property
    def damage(self) -> Damage:
        """What of the file could not be read."""
        return self.database.damage


def as_json(value: Any) -> str:
    """Return *value* as the JSON text that the tables hold."""
    return records.json_bytes(value).decode()


def attributes_of(stored: str) -> Mapping[str, str]:
    """Return the attributes of a message.

    Raises:
        ValueError: The text is no JSON object of texts.
    """
    try:
        return _ATTRIBUTES.decode(stored)
    except msgspec.DecodeError as exc:
        raise ValueError("its attributes are no object of texts") from exc


def read_run(connection: sqlite3.Connection, run_id: str, damage: Damage) -> Run | None:
    """Return the run as it stands on *connection*."""
    row = connection.execute(SELECT_RUN + "WHERE run_id = ?", (run_id,)).fetchone()
    return None if row is None else run_of(row, damage)


def run_of(row: tuple[Any, ...], damage: Damage) -> Run:
    """Return the run in *row*, selected as :data:`RUN_COLUMNS`, as far as it can be read."""
    return damage.read(
        of_run(row[10], is_over=row[3] is not None),
        lambda: _whole_run(row),
        lambda why: unreadable_run(row[10], why, _readable(row)),
    )


@lru_cache(maxsize=32)
def _whole_run(row: tuple[Any, ...]) -> Run:
    """Return the run in *row*: every job of a run asks for the same."""
    return replace(
        records.decode(Run, row[0]),
        phase=Phase(row[1]),
        dispatched_at=from_micros_or_none(row[2]),
        announced_at=from_micros_or_none(row[3]),
        verdict=None if row[4] is None else RunStatus(row[4]),
        about=row[5],
        summary=None if row[6] is None else _summary(row[6]),
        end_time=from_micros_or_none(row[7]),
        revision=row[8],
        report=row[9],
    )


def _summary(text: str) -> Mapping[str, Any]:
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("its summary is no object")  # noqa: TRY004 - a value of what is stored
    return document


def _readable(row: tuple[Any, ...]) -> dict[str, Any]:
    """Return the fields of a run that can be read of its *row*."""
    columns = dict(zip(RUN_COLUMNS, row, strict=True))
    known: dict[str, Any] = {}
    with suppress(ValueError, RecursionError):
        known = records.load_fields(Run, json.loads(columns.pop("document")))
    for name in (
        "dispatched_at",
        "announced_at",
        "end_time",
        "start_time",
        "deadline",
        "expires_at",
    ):
        with suppress(OverflowError):
            known[name] = from_micros_or_none(columns.pop(name))
    with suppress(ValueError, RecursionError):
        known["summary"] = _summary(columns.pop("summary") or "{}")
    return known | records.load_fields(Run, columns)


def read_snapshots(
    connection: sqlite3.Connection, run_id: str, collectors: Iterable[str], damage: Damage
) -> dict[str, JobSnapshot]:
    """Return everything that is stored about each of *collectors* in a run, by name.

    Whoever calls sees to it that all of it is of one moment.
    """
    run = read_run(connection, run_id, damage)
    found = dict.fromkeys(collectors, JobSnapshot(run))
    for row in connection.execute(_STANDING, (run_id, as_json(list(found)))).fetchall():
        entry = entry_of(row[:4], damage)
        found[row[1]] = JobSnapshot(
            run=run,
            entry=entry,
            job=job_of(row[7:], damage) if row[7] is not None else None,
            answer=None if row[4] is None else answer_of((*row[:2], *row[4:7]), damage),
            blocked=entry.queue_behind is not None
            and _waits_for(connection, entry.queue_behind, row[1]),
        )
    return found


def _waits_for(connection: sqlite3.Connection, run_id: str, collector: str) -> bool:
    row = connection.execute(
        "SELECT 1 FROM job JOIN run USING (run_id) "
        "WHERE run_id = ? AND collector = ? AND answered = 0 AND phase <> 'final'",
        (run_id, collector),
    ).fetchone()
    return row is not None


def read_answer(
    connection: sqlite3.Connection, run_id: str, collector: str, damage: Damage
) -> Answer | None:
    """Return the collector's stored answer."""
    row = connection.execute(
        SELECT_ANSWER + "WHERE answer.run_id = ? AND answer.collector = ?", (run_id, collector)
    ).fetchone()
    return None if row is None else answer_of(row, damage)


def answer_of(row: tuple[Any, ...], damage: Damage, kind: str = "answer") -> Answer:
    """Return the answer in *row*, selected by :data:`SELECT_ANSWER`."""
    run_id, collector, writer, start_time, document = row

    def instead(why: str) -> Answer:
        return unreadable_answer(
            run_id, collector, why, writer=writer, at=from_micros_near(start_time or 0)
        )

    place = of_answer(run_id, collector, kind)
    return damage.read(place, lambda: records.decode(Answer, document), instead)


def entry_of(row: tuple[Any, ...], damage: Damage) -> Entry:
    """Return the part of a manifest in *row*: run, collector, whether it is asked, document."""
    run_id, collector, asked, document = row
    return damage.read(
        of_entry(run_id, collector),
        lambda: records.decode(Entry, document),
        lambda why: unreadable_entry(collector, why, asked=bool(asked)),
    )


def job_of(row: tuple[Any, ...], damage: Damage) -> Job:
    """Return the job in *row*, selected as :data:`JOB_COLUMNS`."""
    return damage.read(
        of_job(row[0], row[1]),
        lambda: _whole_job(row),
        lambda why: unreadable_job(
            row[0], row[1], why, at=from_micros_near(row[3]), answered=bool(row[13])
        ),
    )


def _whole_job(row: tuple[Any, ...]) -> Job:
    (run_id, collector, published_at, deadline, fence, started, attempts, holder) = row[:8]
    (taken_at, leased_until, not_before, accepted_until, progress, answered, wait) = row[8:]
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
        wait=None if wait is None else records.decode(Wait, wait),
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
