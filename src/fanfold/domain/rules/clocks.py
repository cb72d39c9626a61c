"""The clocks of a collector beside its deadline: its wait for a place, its silence, its slowness.

The wait runs from the dispatch of the run to the first attempt, whatever it waits for. The silence
of an asynchronous collector runs from its last word: its acceptance, or its last progress. Both end
it as timed out. Slowness is a warning, while it runs and afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from statistics import median
from typing import Any

from fanfold.domain.model.collector import CollectorHistory, CollectorSpec
from fanfold.domain.model.run import Failure, Job, Run
from fanfold.domain.rules.history import MEDIAN_RUNS
from fanfold.domain.syntax.durations import duration

#: The kinds of the failures that these clocks make.
WAIT_TIMEOUT, HEARTBEAT = "wait_timeout", "heartbeat"


def usual_s(past: CollectorHistory) -> float | None:
    """Return how long the collector usually takes, in seconds; None if no success is known."""
    return median(past.seconds[-MEDIAN_RUNS:]) if past.seconds else None


def never_got_a_place(spec: CollectorSpec, run: Run, job: Job, now: datetime) -> Failure | None:
    """Return why *job*, of which no attempt was begun, has waited too long, None if it has not."""
    if spec.wait_timeout_s is None or run.dispatched_at is None:
        return None
    if job.started or job.attempts or job.accepted_until is not None:
        return None
    waited_s = (now - run.dispatched_at).total_seconds()
    if waited_s < spec.wait_timeout_s:
        return None
    words = f"never got a place: waited {duration(waited_s)}"
    if job.wait is not None and job.wait.since is not None:
        words += f", the last {duration(job.wait.seconds(now))} of it for {job.wait.upstream}"
    return Failure(WAIT_TIMEOUT, words)


def fell_silent(spec: CollectorSpec, job: Job, now: datetime) -> Failure | None:
    """Return why the collector that accepted *job* counts as gone, None if it does not."""
    if spec.heartbeat_s is None or job.accepted_until is None or not job.attempts:
        return None
    last = job.attempts[-1].end_time
    told_at = _told_at(job.progress)
    if told_at is not None:
        last = max(last, told_at)
    silent_s = (now - last).total_seconds()
    if silent_s < spec.heartbeat_s:
        return None
    return Failure(HEARTBEAT, f"nothing said for {duration(silent_s)}")


def overdue(spec: CollectorSpec, run: Run, job: Job, now: datetime) -> Failure | None:
    """Return by which of its own clocks *job* is over at *now*, None if by none."""
    return never_got_a_place(spec, run, job, now) or fell_silent(spec, job, now)


def slow_words(spec: CollectorSpec, past: CollectorHistory, seconds: float) -> str:
    """Return the warning about a collector that took *seconds* so far, ``""`` if there is none.

    Without an earlier success nobody knows what is usual, and there is none.
    """
    if spec.slow_after_s is not None:
        return _slow(seconds, spec.slow_after_s, "expected within", spec.slow_after_s)
    usual = usual_s(past)
    if spec.slow_factor is None or not usual:
        return ""
    return _slow(seconds, spec.slow_factor * usual, "usually", usual)


def _slow(seconds: float, limit_s: float, beside: str, compared_s: float) -> str:
    if seconds <= limit_s:
        return ""
    return f"slow: {duration(seconds)}, {beside} {duration(compared_s)}"


def _told_at(progress: Mapping[str, Any] | None) -> datetime | None:
    """Return when a collector last reported progress, None if that is not known."""
    at = (progress or {}).get("at")
    if isinstance(at, str):
        try:
            at = datetime.fromisoformat(at)
        except ValueError:
            return None
    return at if isinstance(at, datetime) and at.tzinfo is not None else None
