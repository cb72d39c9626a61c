"""Values to Firestore documents and back: what a person reads in the console.

Field names are the values' own, with ``_seconds`` where they say ``_s``. Instants are native
timestamps, to the microsecond. See
:mod:`fanfold.adapters.google.ledger.size_limits` for what does not fit.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

from fanfold.adapters.google.ledger.size_limits import storable, text
from fanfold.domain.model.run import Answer, Entry, Job, LateAnswer, Lease, Run
from fanfold.domain.report.entries import answered_entry, open_entry, unasked_entry
from fanfold.domain.report.sentences import collector_line
from fanfold.domain.syntax.text import one_line
from fanfold.messages import records

T = TypeVar("T")

#: Fields of a run's document: the ids of its late evidence, and whether there is more of it than
#: its report lists. The commit that keeps evidence sets both.
EVIDENCE, UNLISTED = "evidence", "unlisted"

#: Fields whose stored names spell the unit out, and the other way round.
_STORED = {"queued_s": "queued_seconds", "waited_s": "waited_seconds"}
_OWN = {stored: own for own, stored in _STORED.items()}


def run_document(run: Run, lines: Mapping[str, str], chunks: Sequence[str]) -> dict[str, Any]:
    """Return the document of *run*: what it is, and a line for each of its collectors.

    Args:
        run: The run.
        lines: What a person reads of each collector; a projection that nothing is decided on.
        chunks: The ids of the documents that hold its manifest.
    """
    fields: dict[str, Any] = native(run)
    fields["summary"] = storable(fields["summary"])
    return fields | run_words(run) | {"collectors": dict(lines), "manifest": list(chunks)}


def run_words(run: Run) -> dict[str, Any]:
    """Return the fields of a run's document that are there for people alone."""
    ended = run.end_time
    return {
        "about": text(run.about) or _opening(run),
        "status": run.status.value,
        "duration_seconds": (ended - run.start_time).total_seconds() if ended else None,
    }


def run_of(document: Mapping[str, Any]) -> Run:
    """Return the run that *document* describes."""
    if isinstance(summary := document.get("summary"), str):
        document = {**document, "summary": json.loads(summary)}
    run = value_of(Run, document)
    # Before the end the sentence is there for people alone.
    return run if run.verdict is not None else replace(run, about="")


def job_document(job: Job, entry: Entry, run: Run, *, token: str = "") -> dict[str, Any]:
    """Return the document of *job*; *token* marks the claim that made its lease."""
    lease = job.lease
    held = None
    if lease is not None:
        held = {
            "attempt": lease.attempt,
            "fence": lease.fence,
            "holder": text(lease.holder),
            "taken_at": lease.taken_at,
            "token": token,
            "until": lease.until,
        }
    fields: dict[str, Any] = native(job)
    del fields["wait"]
    return (
        fields
        | _wait_fields(job)
        | {
            "about": job_line(entry, job),
            "end_time": None,
            "error": None,
            "expires_at": run.expires_at,
            "lease": held,
            "outcome": None,
            "records": None,
            "start_time": _start_of(job),
        }
    )


def given_back(before: Job, after: Job, entry: Entry) -> dict[str, Any]:
    """Return what changes in a job's document as its lease is given back: it is *after* then."""
    moved = ("attempts", "started", "not_before", "accepted_until")
    return {
        **{
            name: native(getattr(after, name))
            for name in moved
            if getattr(after, name) != getattr(before, name)
        },
        **(_wait_fields(after) if after.wait != before.wait else {}),
        "about": job_line(entry, after),
        "lease": None,
        "start_time": _start_of(after),
    }


def _wait_fields(job: Job) -> dict[str, Any]:
    """Return what is stored of the wait of *job* for its source: nothing if there was none."""
    if job.wait is None:
        return {}
    waits_for = job.wait.upstream if job.wait.since is not None else None
    return {"wait": native(job.wait), "waits_for": waits_for}


def job_of(snapshot: Any, run: Run | None) -> Job:
    """Return the job in *snapshot*, a document that exists.

    A record that an answer made before the dispatcher did lacks what only the dispatcher knows:
    its *run* and the record's own age stand in.
    """
    document = snapshot.to_dict()
    collector = snapshot.id
    run_id = snapshot.reference.parent.parent.id
    document.setdefault("published_at", snapshot.create_time)
    if run is not None:
        document.setdefault("deadline", run.deadline)
    lease = document.get("lease")
    identity = {"run_id": run_id, "collector": collector}
    if lease is not None:
        document["lease"] = lease | identity
    return value_of(Job, document | identity)


def lease_of(document: Mapping[str, Any], run_id: str, collector: str) -> Lease | None:
    """Return the lease in a job's *document*, if there is one."""
    lease = document.get("lease")
    if lease is None:
        return None
    return value_of(Lease, lease | {"run_id": run_id, "collector": collector})


def answer_document(answer: Answer, entry: Entry, run: Run) -> dict[str, Any]:
    """Return the document of *answer*; :mod:`~.size_limits` makes it fit."""
    document: dict[str, Any] = native(answer)
    if answer.waited_s is None:
        del document["waited_seconds"]
    document["metrics"] = storable(answer.metrics)
    for checked in document["expectations"]:
        checked.update({key: storable(checked[key]) for key in ("expected", "actual")})
    return document | {
        "about": answer_line(entry, answer),
        "duration_seconds": _seconds(answer),
        "expires_at": run.expires_at,
    }


def answered_job(answer: Answer, entry: Entry, run: Run) -> dict[str, Any]:
    """Return what an answer adds to its job's document."""
    return {
        "about": answer_line(entry, answer),
        "answered": True,
        "attempts": native(answer.attempts),
        "collector": answer.collector,
        "end_time": answer.end_time,
        "error": native(answer.error),
        "expires_at": run.expires_at,
        "lease": None,
        "outcome": answer.outcome.value,
        "records": answer.records,
        "run_id": answer.run_id,
        "start_time": answer.start_time,
        **({} if answer.waited_s is None else {"waits_for": None}),
    }


def answer_of(document: Mapping[str, Any]) -> Answer:
    """Return the answer that *document* describes."""
    metrics = document.get("metrics")
    if isinstance(metrics, str):
        document = {**document, "metrics": json.loads(metrics)}
    return value_of(Answer, document)


def late_document(late: LateAnswer, entry: Entry, run: Run) -> dict[str, Any]:
    """Return the document of *late* evidence."""
    return answer_document(late.answer, entry, run) | {"received_at": late.received_at}


def late_of(document: Mapping[str, Any]) -> LateAnswer:
    """Return the late evidence that *document* describes."""
    return LateAnswer(
        answer_of(document), records.instant(records.instant_text(document["received_at"]))
    )


def entry_line(entry: Entry, run: Run) -> str:
    """Return what is said of a collector when its run begins."""
    if entry.skip is not None:
        return collector_line(unasked_entry(entry, entry.skip), run.timezone)
    return collector_line(open_entry(entry, None, run.start_time), run.timezone)


def job_line(entry: Entry, job: Job) -> str:
    """Return what is said of a collector without an answer. It stays true while nothing changes."""
    if job.accepted_until is not None:
        return f"… accepted; answers by itself until {_clock(job.accepted_until)}"
    if job.is_waiting and job.wait is not None:
        until = f"; looks again at {_clock(job.wait.until)}" if job.wait.until else ""
        return f"· waiting for {job.wait.upstream}: {job.wait.why}{until}"
    if job.lease is not None:
        return f"… attempt {job.lease.attempt} since {_clock(job.lease.taken_at)}"
    if job.attempts and job.not_before is not None:
        error = job.attempts[-1].error
        why = f" ({one_line(error.message, 120)})" if error else ""
        return f"· attempt {job.started} failed{why}; the next from {_clock(job.not_before)}"
    return collector_line(open_entry(entry, None, job.published_at))


def answer_line(entry: Entry, answer: Answer) -> str:
    """Return what is said of a collector that has its answer."""
    return collector_line(answered_entry(entry, answer))


def native(value: Any) -> Any:
    """Return *value*, a dataclass of the domain or a part of one, as Firestore stores it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            _stored_name(field.name): native(getattr(value, field.name))
            for field in dataclasses.fields(value)
        }
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return {str(key): native(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [native(item) for item in value]
    return value


def value_of(cls: type[T], document: Mapping[str, Any]) -> T:
    """Return the *cls* that *document* describes.

    Raises:
        BadMessage: It describes none.
    """
    return records.load(cls, {_own_name(key): _texts(item) for key, item in document.items()})


def readable_fields(cls: type, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of *cls* that *document* describes, without those that cannot be read."""
    return records.load_fields(
        cls, {_own_name(key): _texts(item) for key, item in document.items()}
    )


def _texts(value: Any) -> Any:
    """Return what Firestore gave as :mod:`fanfold.messages.records` reads it: instants as text."""
    if isinstance(value, datetime):
        return records.instant_text(value)
    if isinstance(value, dict):
        return {key: _texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return value


def _stored_name(name: str) -> str:
    return _STORED.get(name, name)


def _own_name(name: str) -> str:
    return _OWN.get(name, name)


def _opening(run: Run) -> str:
    return f"0 of {run.asked} done" if run.asked else "nothing due"


def _start_of(job: Job) -> datetime | None:
    if job.attempts:
        return job.attempts[0].start_time
    return job.lease.taken_at if job.lease else None


def _seconds(answer: Answer) -> float | None:
    if answer.start_time is None:
        return None
    return (answer.end_time - answer.start_time).total_seconds()


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S} UTC"
