"""What stands in the place of a stored record that cannot be read.

A person may have edited it, a disk may have damaged it, a newer version may have written it. One
such record must not keep any other from being worked. So a ledger returns what can be read of it,
and says why the rest cannot. No collector is called on the strength of a record like that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fanfold.domain.model.collector import CollectorSpec
from fanfold.domain.model.errors import Permanent
from fanfold.domain.model.run import Answer, Entry, Failure, Job, Run, Skip, Trigger
from fanfold.domain.model.states import Outcome

#: The kind of failure of a collector whose stored answer cannot be read.
KIND = "unreadable"

#: The start of a run whose record does not say when it began: it sorts before all others.
_UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)


class Unreadable(Permanent):
    """A part of what is stored cannot be read. The message says which part, and why."""


@dataclass(frozen=True, slots=True)
class UnreadableRun(Run):
    """A run whose record cannot be read in full; ``why`` is a sentence.

    What can be read is as stored. A deadline that cannot be read has passed.
    """

    why: str = ""


@dataclass(frozen=True, slots=True)
class UnreadableEntry(Entry):
    """One collector of a manifest, of which only the name is known, and whether it is asked."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class UnreadableJob(Job):
    """A job of which only the collector's name is known."""

    why: str = ""


_UNREADABLE = (UnreadableRun, UnreadableEntry, UnreadableJob)


def is_over(run: Run) -> bool:
    """Return whether nothing of *run* can be cancelled any more.

    A verdict that stands in a record that cannot be read in full ends nothing: such a run can be
    cancelled, so that somebody can be rid of it.
    """
    ended = run.verdict is not None and not isinstance(run, UnreadableRun)
    return ended or run.is_notice or run.announced_at is not None


def why_unreadable(*records: Run | Entry | Job | None) -> str:
    """Return why one of *records* cannot be read, a sentence; empty if all of them can."""
    for record in records:
        if isinstance(record, _UNREADABLE):
            return record.why
    return ""


def unreadable_run(run_id: str, why: str, known: Mapping[str, Any]) -> UnreadableRun:
    """Return what stands for the run of *run_id*; *known* are the fields that can be read."""
    why = f"its record cannot be read: {why}"
    start_time = known.get("start_time", _UNKNOWN)
    deadline = known.get("deadline", start_time)
    rest: dict[str, Any] = {
        "writer": "",
        "trigger": Trigger("ad_hoc"),
        "start_time": start_time,
        "deadline": deadline,
        "scheduled_for": None,
        "total": 0,
        "asked": 0,
        "timezone": "UTC",
        "tolerated_failures": 0,
        "report_to": "",
        "config_version": "",
        "retry_of": None,
        "expires_at": deadline,
    }
    about = known.get("about") if known.get("verdict") is not None else None
    return UnreadableRun(**rest | {**known, "run_id": run_id, "about": about or why, "why": why})


def unreadable_entry(collector: str, why: str, *, asked: bool) -> UnreadableEntry:
    """Return what stands for *collector* in a manifest."""
    skip = None if asked else Skip(KIND)
    return UnreadableEntry(
        CollectorSpec(collector, ""), skip, why=f"its settings cannot be read: {why}"
    )


def unreadable_job(
    run_id: str, collector: str, why: str, *, at: datetime, answered: bool
) -> UnreadableJob:
    """Return what stands for the job of *collector*; *at* is the deadline of its run."""
    why = f"the record of its job cannot be read: {why}"
    return UnreadableJob(run_id, collector, at, at, answered=answered, why=why)


def unreadable_answer(
    run_id: str, collector: str, why: str, *, writer: str, at: datetime
) -> Answer:
    """Return what stands for the answer of *collector*: a failure, whoever reads it.

    Args:
        run_id: The run.
        collector: Who answered.
        why: Why the answer cannot be read.
        writer: Whoever stored it.
        at: The start of the run: when the answer came is not known.
    """
    failure = Failure(KIND, f"it answered, and its stored answer cannot be read: {why}")
    return Answer(run_id, collector, writer, Outcome.FAILED, at, error=failure)
