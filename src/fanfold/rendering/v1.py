"""The old report, exactly: for consumers that have not moved to the new keys yet.

It knew one good word, ``success``, and one bad one, ``failed``; a collector that timed out or was
cancelled had failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WORDS = {"succeeded": "success", "skipped": "skipped"}


def to_v1(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return *report* with the old report's keys and words, and no others."""
    collectors = {
        name: {
            "status": _WORDS.get(one["status"], "failed"),
            "duration": one["duration"],
            "error": one["error"],
        }
        for name, one in report["collectors"].items()
    }
    words = [one["status"] for one in collectors.values()]
    return {
        "start_time": report["start_time"],
        "end_time": report["end_time"],
        "duration_seconds": report["duration_seconds"],
        "collectors": collectors,
        "summary": {
            "total": len(words),
            "succeeded": words.count("success"),
            "failed": words.count("failed"),
            "skipped": words.count("skipped"),
        },
    }
