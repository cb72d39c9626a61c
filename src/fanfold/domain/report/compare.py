"""Two reports side by side: who fails in the one and not in the other, and what moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fanfold.domain.syntax.text import count, plural

#: The version of the shape.
SCHEMA_VERSION = 1

#: From which share on records that went up or down count as moved.
MOVED = 0.2

#: A collector took longer, or less long, if one time is so many times the other, and so much more.
SLOWER_FACTOR, SLOWER_BY_S = 1.5, 30.0

_BAD = frozenset({"failed", "timed_out", "cancelled"})

_OF_RUN = ("run_id", "status", "about", "scheduled_for", "start_time", "duration_seconds")

Report = Mapping[str, Any]


def compare(report: Report, before: Report) -> dict[str, Any]:
    """Return how *report* differs from *before*; every key is always there.

    Collectors are named by what became of them; with their figures all that either report has are
    under ``collectors``. A collector that was not asked in one of the two is in none of the lists
    but, if it failed in *report*, in that of the new failures.
    """
    here, there = report["collectors"], before["collectors"]
    names = [*here, *(name for name in there if name not in here)]
    pairs = {name: _pair(here.get(name), there.get(name)) for name in names}
    bad = [name for name, one in pairs.items() if one["status"] in _BAD]
    still = [name for name in bad if pairs[name]["status_before"] in _BAD]
    told = {
        "new_failures": [name for name in bad if name not in set(still)],
        "still_failing": still,
        "recovered": [
            name
            for name, one in pairs.items()
            if one["status"] == "succeeded" and one["status_before"] in _BAD
        ],
        "records_moved": [name for name, one in pairs.items() if _has_moved(one)],
        "durations_moved": [name for name, one in pairs.items() if _took_another_time(one)],
        "added": [name for name in here if name not in there],
        "removed": [name for name in there if name not in here],
    }
    return {
        "schema_version": SCHEMA_VERSION,
        "about": _about(report, before, told),
        "run": {key: report[key] for key in _OF_RUN},
        "before": {key: before[key] for key in _OF_RUN},
        **told,
        "collectors": pairs,
    }


def _pair(one: Report | None, before: Report | None) -> dict[str, Any]:
    here, there = one or {}, before or {}
    return {
        "status": here.get("status"),
        "status_before": there.get("status"),
        "error": here.get("error"),
        "error_before": there.get("error"),
        "records": here.get("records"),
        "records_before": there.get("records"),
        "seconds": _seconds(here),
        "seconds_before": _seconds(there),
    }


def _seconds(one: Report) -> float | None:
    """Return how long a collector that is done took, None if it was never started."""
    is_done = one.get("end_time") and one.get("start_time")
    return one["duration"] if is_done else None


def _succeeded_twice(pair: Report) -> bool:
    return bool(pair["status"] == pair["status_before"] == "succeeded")


def _has_moved(pair: Report) -> bool:
    now, before = pair["records"], pair["records_before"]
    if not _succeeded_twice(pair) or now is None or before is None:
        return False
    return bool(abs(now - before) >= MOVED * before) and now != before


def _took_another_time(pair: Report) -> bool:
    now, before = pair["seconds"], pair["seconds_before"]
    if not _succeeded_twice(pair) or now is None or before is None:
        return False
    shorter, longer = sorted((now, before))
    return bool(longer >= max(shorter * SLOWER_FACTOR, shorter + SLOWER_BY_S))


def _about(report: Report, before: Report, told: Mapping[str, list[str]]) -> str:
    """Return ``1 new failure, 1 recovered: 2 of 3 succeeded, before 3 of 3``."""
    new = len(told["new_failures"])
    parts = [plural(new, "new failure") if new else "nothing new failed"]
    parts += [
        f"{count(len(told[key]))} {words}"
        for key, words in (("still_failing", "still failing"), ("recovered", "recovered"))
        if told[key]
    ]
    return f"{', '.join(parts)}: {_score(report)} succeeded, before {_score(before)}"


def _score(report: Report) -> str:
    asked = [one for one in report["collectors"].values() if one["status"] != "skipped"]
    good = sum(one["status"] == "succeeded" for one in asked)
    return f"{count(good)} of {count(len(asked))}"
