"""One collector's part of a report: every key always there, in one order, null where empty.

Whatever a collector said is cut to the lengths below and cleaned of control characters here, so
that no form of the report has to wonder what it holds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fanfold.domain.model.collector import CollectorHistory
from fanfold.domain.model.run import (
    Answer,
    Attempt,
    CheckedExpectation,
    EarlierTry,
    Entry,
    Job,
    Skip,
)
from fanfold.domain.model.states import CollectorState
from fanfold.domain.rules.clocks import slow_words, usual_s
from fanfold.domain.rules.history import SLOT, shown_places
from fanfold.domain.syntax.limits import (
    MAX_ARTIFACT_CHARS,
    MAX_ARTIFACTS,
    MAX_LOG_BYTES,
    MAX_LOG_LINES,
    MAX_METRICS,
    MAX_OWN_WARNINGS,
    MAX_TEXT_CHARS,
    MAX_WARNINGS,
    MAX_WORD_CHARS,
)
from fanfold.domain.syntax.text import instant, one_line
from fanfold.domain.syntax.urls import called_place

#: How many counts of earlier runs a report shows.
MAX_COUNTS = 14

ReportEntry = dict[str, Any]


def skipped_entry(entry: Entry, reason: str) -> ReportEntry:
    """Return the part of a collector that is not asked, because of *reason*."""
    next_due = entry.skip.next_due if entry.skip else None
    note = entry.skip.note if entry.skip else ""
    return _blank(entry, CollectorState.SKIPPED) | {
        "reason": reason,
        "note": said(note or None),
        "next": instant(next_due) if next_due else None,
    }


def unasked_entry(entry: Entry, skip: Skip) -> ReportEntry:
    """Return the part of a collector that its run does not ask, for the reason that *skip* gives.

    In a retry that is as a rule the answer of an earlier try.
    """
    if entry.carried is None:
        return skipped_entry(entry, skip.reason)
    reason = None if skip.reason == "answered" else skip.reason
    return answered_entry(entry, entry.carried) | {"reason": reason, "kept": True}


def answered_entry(entry: Entry, answer: Answer) -> ReportEntry:
    """Return the part of a collector that has its answer."""
    begun = answer.start_time
    error = answer.error
    return _blank(entry, CollectorState(answer.outcome.value)) | {
        "answered_in": answer.run_id,
        "duration": seconds_between(begun, answer.end_time),
        "error": said(error.message if error else None),
        "error_kind": one_line(error.kind, MAX_WORD_CHARS) if error else None,
        "start_time": instant(begun) if begun else None,
        "end_time": instant(answer.end_time),
        "queued_seconds": None if answer.queued_s is None else max(0.0, round(answer.queued_s, 3)),
        "waited_seconds": None if answer.waited_s is None else max(0.0, round(answer.waited_s, 3)),
        "running_seconds": running_seconds(answer.attempts, answer.end_time),
        "records": answer.records,
        "bytes": answer.bytes,
        "artifacts": _texts(answer.artifacts, MAX_ARTIFACTS, MAX_ARTIFACT_CHARS),
        "revision": _word(answer.revision),
        "unchanged": answer.unchanged,
        "data_until": _word(answer.data_until),
        "attempts": [_attempt(attempt) for attempt in answer.attempts],
        "expectations": [_checked(checked) for checked in answer.expectations],
        "warnings": _texts(answer.warnings, MAX_WARNINGS + MAX_OWN_WARNINGS, MAX_TEXT_CHARS),
        "metrics": metrics_of(answer.metrics),
        "log": _texts(answer.log, MAX_LOG_LINES, MAX_LOG_BYTES),
    }


def failed_entry(entry: Entry, why: str) -> ReportEntry:
    """Return the part of a collector whose answer is missing or cannot be told: *why*."""
    return _blank(entry, CollectorState.FAILED) | {"error": said(why), "error_kind": "lost"}


def open_entry(entry: Entry, job: Job | None, now: datetime) -> ReportEntry:
    """Return the part of a collector without an answer, as it stands at *now*."""
    if job is None:
        return _blank(entry, CollectorState.PENDING)
    attempts = [_attempt(attempt) for attempt in job.attempts]
    begun = job.attempts[0].start_time if job.attempts else None
    state = CollectorState.PENDING
    if job.accepted_until is not None:
        state = CollectorState.RUNNING
    elif job.lease is not None and job.leased_at(now):
        state = CollectorState.RUNNING
        begun = begun or job.lease.taken_at
        attempts.append(_running_attempt(job.lease.attempt, job.lease.taken_at, now))
    reason, then = _why_pending(entry, job) if state is CollectorState.PENDING else (None, None)
    slow = slow_words(entry.spec, entry.past, seconds_between(begun, now))
    return _blank(entry, state) | {
        "duration": seconds_between(begun, now),
        "warnings": [slow] if slow else [],
        "reason": reason,
        "next": instant(then) if then else None,
        "start_time": instant(begun) if begun else None,
        "queued_seconds": round(job.queued_s(begun), 3) if begun else None,
        "waited_seconds": None if job.wait is None else round(job.wait.seconds(now), 3),
        "running_seconds": sum(attempt["duration"] for attempt in attempts) if attempts else None,
        "attempts": attempts,
        "progress": metrics_of(job.progress) if job.progress else None,
    }


def _why_pending(entry: Entry, job: Job) -> tuple[str | None, datetime | None]:
    """Return what a job without a relay waits for, and when it is looked at again."""
    if job.is_waiting and job.wait is not None:
        return "upstream_down" if job.wait.is_down else "upstream", job.wait.until
    if job.attempts:
        return "backoff", job.not_before
    return None if entry.queue_behind is None else "queued_behind", None


def said(text: str | None) -> str | None:
    """Return foreign *text* as one clean line, None as None."""
    return None if text is None else one_line(text)


def running_seconds(attempts: Sequence[Attempt], end_time: datetime) -> float | None:
    """Return how long the collector really worked: its attempts without the waits between them.

    An accepted attempt goes on, without a connection, until the answer at *end_time*.
    """
    if not attempts:
        return None
    ends = [end_time if one.outcome == "accepted" else one.end_time for one in attempts]
    spent = (seconds_between(one.start_time, end) for one, end in zip(attempts, ends, strict=True))
    return round(sum(spent), 3)


def metrics_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a collector measured: cleaned keys, numbers and short texts, nothing nested."""
    kept = list(said.items())[:MAX_METRICS]
    return {one_line(str(key), MAX_WORD_CHARS): _scalar(value) for key, value in kept}


def _blank(entry: Entry, state: CollectorState) -> ReportEntry:
    spec, past, usual = entry.spec, entry.past, usual_s(entry.past)
    return {
        "status": state.value,
        "duration": 0.0,
        "error": None,
        "error_kind": None,
        "reason": None,
        "note": None,
        "next": None,
        "required": spec.required,
        "group": None
        if spec.group is None
        else {"name": one_line(spec.group.name, MAX_WORD_CHARS), "at_least": spec.group.at_least},
        "start_time": None,
        "end_time": None,
        "queued_seconds": None,
        "waited_seconds": None,
        "running_seconds": None,
        "median_seconds": None if usual is None else round(usual, 3),
        "records": None,
        "records_previous": past.records[-1] if past.records else None,
        "bytes": None,
        "artifacts": [],
        "revision": None,
        "revision_previous": _word(past.revision),
        "unchanged": False,
        "data_until": None,
        "attempts": [],
        "expectations": [],
        "warnings": [],
        "metrics": {},
        "log": [],
        "progress": None,
        "answered_in": None,
        "kept": False,
        "earlier": [_earlier(each) for each in entry.earlier],
        "mode": spec.mode.value,
        "tags": [one_line(tag, MAX_WORD_CHARS) for tag in spec.tags],
        "upstream": _word(spec.upstream),
        "host": _word(called_place(spec.url)),
        "last_success": instant(past.last_success) if past.last_success else None,
        "history": _history(past),
    }


def _word(text: str | None) -> str | None:
    return None if text is None else one_line(text, MAX_WORD_CHARS)


def _history(past: CollectorHistory) -> dict[str, Any]:
    places = shown_places(past.kinds or SLOT * len(past.outcomes))
    return {
        "records": list(past.records[-MAX_COUNTS:]),
        "outcomes": past.outcomes[places.start :],
        "times": [instant(datetime.fromtimestamp(at, UTC)) for at in past.times[places.start :]],
        "kinds": past.kinds[places.start :],
    }


def _earlier(each: EarlierTry) -> dict[str, Any]:
    error = each.error
    return {
        "run_id": each.run_id,
        "status": each.outcome.value,
        "error": said(error.message if error else None),
        "error_kind": one_line(error.kind, MAX_WORD_CHARS) if error else None,
        "end_time": instant(each.end_time),
        "attempts": each.attempts,
        "records": each.records,
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    error = attempt.error
    return {
        "n": attempt.number,
        "start_time": instant(attempt.start_time),
        "end_time": instant(attempt.end_time),
        "duration": seconds_between(attempt.start_time, attempt.end_time),
        "http_status": attempt.http_status,
        "outcome": attempt.outcome,
        "error": said(error.message if error else None),
        "error_kind": one_line(error.kind, MAX_WORD_CHARS) if error else None,
    }


def _running_attempt(number: int, start_time: datetime, now: datetime) -> dict[str, Any]:
    return {
        "n": number,
        "start_time": instant(start_time),
        "end_time": None,
        "duration": seconds_between(start_time, now),
        "http_status": None,
        "outcome": "running",
        "error": None,
        "error_kind": None,
    }


def _checked(checked: CheckedExpectation) -> dict[str, Any]:
    expected = checked.expected
    return {
        "name": checked.name,
        "expected": list(expected) if isinstance(expected, tuple) else expected,
        "actual": checked.actual,
        "ok": checked.ok,
        "severity": str(checked.severity),
    }


def _texts(texts: Sequence[str], most: int, limit: int) -> list[str]:
    kept = [one_line(text, limit) for text in texts[:most]]
    return kept + ([f"and {len(texts) - most} more"] if len(texts) > most else [])


def _scalar(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float):
        return value
    return one_line(str(value)[: 4 * MAX_ARTIFACT_CHARS], MAX_ARTIFACT_CHARS)


def seconds_between(start: datetime | None, end: datetime) -> float:
    """Return the time between two instants, in seconds to the millisecond, at least 0."""
    return max(0.0, round((end - start).total_seconds(), 3)) if start else 0.0
