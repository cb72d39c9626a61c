"""Values to Firestore documents and back: what a person reads in the console.

Field names are the values' own, with ``_seconds`` where they say ``_s``. Instants are native
timestamps, to the microsecond. Whatever a collector said is made fit to be stored first: a
document may have 1 MiB, so long texts are cut and big metrics are left out, each with its size.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

from fanfold import records
from fanfold.domain.about import collector_line
from fanfold.domain.entries import answered_entry, open_entry, skipped_entry
from fanfold.domain.figures import one_line
from fanfold.domain.run import Answer, Attempt, Entry, Failure, Job, Late, Lease, Run

T = TypeVar("T")

#: Most bytes kept of what one answer says, by part; together well below a document's 1 MiB.
MAX_METRICS_BYTES = 300_000
MAX_ARTIFACTS_BYTES = 200_000
MAX_WARNINGS_BYTES = 100_000
MAX_ATTEMPTS_BYTES = 100_000
MAX_EXPECTATIONS_BYTES = 50_000
MAX_ERROR_BYTES = 20_000

#: Most bytes of each attempt's error: the first that lets all attempts fit.
MAX_ATTEMPT_ERROR_BYTES = (2_000, 200, 20)

#: What the note on a cut may take beyond a limit, in bytes.
CUT_NOTE_BYTES = 60

#: Most levels of a map that are stored as a map; Firestore takes 20 in a whole document.
MAX_DEPTH = 15

_INT64 = 2**63


def run_document(run: Run, lines: Mapping[str, str], chunks: Sequence[str]) -> dict[str, Any]:
    """Return the document of *run*: what it is, and a line for each of its collectors.

    Args:
        run: The run.
        lines: What a person reads of each collector; a projection that nothing is decided on.
        chunks: The ids of the documents that hold its manifest.
    """
    fields: dict[str, Any] = native(run)
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
    return fields | {
        "about": job_line(entry, job),
        "end_time": None,
        "error": None,
        "expires_at": run.expires_at,
        "lease": held,
        "outcome": None,
        "records": None,
        "start_time": _start_of(job),
    }


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
    """Return the document of *answer*, which is to be :func:`fit`."""
    document: dict[str, Any] = native(answer)
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
    }


def answer_of(document: Mapping[str, Any]) -> Answer:
    """Return the answer that *document* describes."""
    metrics = document.get("metrics")
    if isinstance(metrics, str):
        document = {**document, "metrics": json.loads(metrics)}
    return value_of(Answer, document)


def late_document(late: Late, entry: Entry, run: Run) -> dict[str, Any]:
    """Return the document of *late* evidence."""
    return answer_document(late.answer, entry, run) | {"received_at": late.received_at}


def late_of(document: Mapping[str, Any]) -> Late:
    """Return the late evidence that *document* describes."""
    return Late(answer_of(document), records.instant(records.instant_text(document["received_at"])))


def entry_line(entry: Entry, run: Run) -> str:
    """Return what is said of a collector when its run begins."""
    if entry.skip is not None:
        return collector_line(skipped_entry(entry, entry.skip.reason), run.timezone)
    return collector_line(open_entry(entry, None, run.start_time), run.timezone)


def job_line(entry: Entry, job: Job) -> str:
    """Return what is said of a collector without an answer. It stays true while nothing changes."""
    if job.accepted_until is not None:
        return f"… accepted; answers by itself until {_clock(job.accepted_until)}"
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


def storable(value: Any) -> Any:
    """Return *value* if Firestore gives it back as it is, and as JSON text if not."""
    return value if _storable(value, MAX_DEPTH) else json.dumps(value)


def text(said: str) -> str:
    """Return *said* with what no UTF-8 text can hold (lone surrogates) escaped."""
    return said.encode("utf-8", "backslashreplace").decode("utf-8")


def cut(said: str, limit_bytes: int) -> str:
    """Return *said*, cut to *limit_bytes* with its whole size named."""
    whole = said.encode("utf-8", "backslashreplace")
    # What was cut already is a little longer than the limit, and is not cut twice.
    if len(whole) <= limit_bytes + CUT_NOTE_BYTES:
        return said
    kept = whole[:limit_bytes].decode("utf-8", "ignore")
    return f"{kept}… (cut: {limit_bytes} of {len(whole)} bytes)"


def fit(answer: Answer) -> Answer:
    """Return *answer* as it can be stored: itself, or with a warning for each part left out."""
    lost: list[str] = []
    metrics = answer.metrics
    size_bytes = len(json.dumps(metrics))
    if size_bytes > MAX_METRICS_BYTES:
        metrics = {}
        lost.append(f"metrics of {size_bytes} bytes left out: over {MAX_METRICS_BYTES} bytes")
    artifacts = _fit(answer.artifacts, MAX_ARTIFACTS_BYTES, "artifacts", lost)
    expectations = _fit(answer.expectations, MAX_EXPECTATIONS_BYTES, "expectations", lost)
    warnings = _fit(answer.warnings, MAX_WARNINGS_BYTES, "warnings", lost)
    fitting = replace(
        answer,
        metrics=metrics,
        artifacts=artifacts,
        expectations=expectations,
        attempts=fit_attempts(answer.attempts),
        warnings=(*warnings, *lost),
        error=_fit_error(answer.error, MAX_ERROR_BYTES),
        revision=None if answer.revision is None else cut(answer.revision, MAX_ERROR_BYTES),
    )
    return answer if fitting == answer else fitting


def fit_attempts(attempts: Sequence[Attempt]) -> tuple[Attempt, ...]:
    """Return all of *attempts*, for their number counts, with what their errors said cut to fit."""
    for limit_bytes in MAX_ATTEMPT_ERROR_BYTES:
        fitting = [replace(each, error=_fit_error(each.error, limit_bytes)) for each in attempts]
        if _bytes_of(fitting) <= MAX_ATTEMPTS_BYTES:
            return tuple(fitting)
    return tuple(replace(each, error=None) for each in attempts)


def _fit(parts: tuple[T, ...], limit_bytes: int, what: str, lost: list[str]) -> tuple[T, ...]:
    size_bytes = 0
    for number, part in enumerate(parts):
        size_bytes += _bytes_of(part)
        if size_bytes > limit_bytes:
            whole = sum(_bytes_of(each) for each in parts)
            lost.append(f"{what}: {number} of {len(parts)} kept; all had {whole} bytes")
            return parts[:number]
    return parts


def _fit_error(error: Failure | None, limit_bytes: int) -> Failure | None:
    if error is None:
        return None
    return replace(error, message=cut(error.message, limit_bytes), kind=cut(error.kind, 200))


def _bytes_of(value: Any) -> int:
    return len(json.dumps(native(value), default=str))


def _storable(value: Any, depth: int) -> bool:
    if value is None or isinstance(value, bool | float):
        return True
    if isinstance(value, int):
        return -_INT64 <= value < _INT64
    if isinstance(value, str):
        return text(value) == value
    if depth == 0:
        return False
    if isinstance(value, Mapping):
        return all(_storable_key(key) and _storable(item, depth - 1) for key, item in value.items())
    if isinstance(value, list | tuple):
        # A list in a list is not stored, however deep the map in between may be.
        return all(
            not isinstance(item, list | tuple) and _storable(item, depth - 1) for item in value
        )
    return False


def _storable_key(key: Any) -> bool:
    if not isinstance(key, str) or not key or text(key) != key or len(key.encode()) > 1500:
        return False
    return not (key.startswith("__") and key.endswith("__"))


def _texts(value: Any) -> Any:
    """Return what Firestore gave as :mod:`fanfold.records` reads it: instants as text."""
    if isinstance(value, datetime):
        return records.instant_text(value)
    if isinstance(value, dict):
        return {key: _texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return value


def _stored_name(name: str) -> str:
    return "queued_seconds" if name == "queued_s" else name


def _own_name(name: str) -> str:
    return "queued_s" if name == "queued_seconds" else name


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
