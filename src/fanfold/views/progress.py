"""How far a run under way is, from the report of it so far."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import one_line, plural

Report = Mapping[str, Any]

#: Statuses of a collector that is not done.
OPEN = ("pending", "running")


def asked_in(report: Report) -> Mapping[str, Mapping[str, Any]]:
    """Return the collectors that the run asks: neither skipped nor, in a retry, kept."""
    return {
        name: one
        for name, one in report["collectors"].items()
        if one["status"] != "skipped" and not one.get("kept")
    }


def usual_seconds(report: Report, concurrency: int) -> float:
    """Return how long such a run usually takes, from the collectors' medians; 0 if unknown."""
    asked = asked_in(report).values()
    medians: list[float] = [
        one["median_seconds"] for one in asked if one["median_seconds"] is not None
    ]
    if not asked or len(medians) < len(asked):
        return 0.0
    return max(*medians, sum(medians) / max(1, concurrency))


def time_of(report: Report) -> datetime:
    """Return as at which time *report*, of a run under way, was made."""
    began = datetime.fromisoformat(report["start_time"])
    return began + timedelta(seconds=report["duration_seconds"])


def usual_end(report: Report, concurrency: int) -> datetime | None:
    """Return when such a run usually ends, None if that is unknown or has passed."""
    usually_s = usual_seconds(report, concurrency)
    if usually_s <= report["duration_seconds"]:
        return None
    return datetime.fromisoformat(report["start_time"]) + timedelta(seconds=usually_s)


def retry_words(one: Mapping[str, Any], now: datetime) -> str:
    """Return why a collector is asked again, and when: ``HTTP 503, tries again in 28 s``."""
    last = one["attempts"][-1]
    status = last["http_status"]
    why = f"HTTP {status}" if status and status >= 400 else one_line(last["error"] or "", 80)
    wait_s = 0.0
    if one["next"]:
        wait_s = max(0.0, (datetime.fromisoformat(one["next"]) - now).total_seconds())
    left = f"in {math.ceil(wait_s)} s" if 0 < wait_s < 60 else f"in {duration(wait_s)}"
    return f"{why or last['outcome']}, tries again {left if wait_s else 'now'}"


def progress_words(one: Mapping[str, Any], now: datetime) -> str:
    """Return how far a collector is that is not done: progress, attempts, its usual time."""
    parts = told(one, now)
    if len(one["attempts"]) > 1:
        parts.append(plural(len(one["attempts"]), "attempt"))
    if one["median_seconds"]:
        parts.append(f"usually {duration(one['median_seconds'])}")
    return " · ".join(parts)


def told(one: Mapping[str, Any], now: datetime) -> list[str]:
    """Return what a collector said of its progress, and what it waits for."""
    parts: list[str] = []
    progress = one["progress"] or {}
    fraction = progress.get("fraction")
    if isinstance(fraction, int | float):
        parts.append(f"{fraction * 100:.0f} %")
    if progress.get("message"):
        parts.append(one_line(str(progress["message"]), 60))
    if one["reason"] == "backoff":
        parts.append(retry_words(one, now))
    elif one["reason"] == "queued_behind":
        parts.append("waits for an earlier run")
    return [*parts, *one["warnings"]]
