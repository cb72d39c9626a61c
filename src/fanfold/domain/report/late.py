"""Answers that came too late, in a report: evidence, never another outcome."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fanfold.domain.model.run import Answer, LateAnswer
from fanfold.domain.report.entries import ReportEntry, said, seconds_between
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.limits import MAX_WORD_CHARS
from fanfold.domain.syntax.text import instant, one_line, plural


def late_entry(late: LateAnswer, kept: Answer | None, end_time: datetime) -> ReportEntry:
    """Return a late answer, told against the one that is *kept* or else the run's *end_time*."""
    answer = late.answer
    since = kept.end_time if kept else end_time
    return {
        "collector": one_line(answer.collector, MAX_WORD_CHARS),
        "outcome": answer.outcome.value,
        "instead_of": kept.outcome.value if kept else None,
        "records": answer.records,
        "error": said(answer.error.message if answer.error else None),
        "end_time": instant(answer.end_time),
        "received_at": instant(late.received_at),
        "late_seconds": seconds_between(since, late.received_at),
    }


def change_words(late: Mapping[str, Any]) -> str:
    """Return what a late answer adds to a report: evidence, never another outcome."""
    counted = "" if late["records"] is None else plural(late["records"], "record")
    found = late["error"] or counted
    outcome = late["outcome"].replace("_", " ") + (f" ({found})" if found else "")
    stays = (late["instead_of"] or "not asked").replace("_", " ")
    who, how_late = late["collector"], duration(late["late_seconds"])
    return f"{who} answered {how_late} late: {outcome}; it stays {stays}"
