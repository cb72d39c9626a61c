"""What is said of one collector of a report, in a line.

The sentence of the whole run is in :mod:`fanfold.domain.report.tally`. Both read only a report's
collectors (see :mod:`fanfold.domain.report.entries`), and nothing that one says can break its line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fanfold.domain.model.states import CollectorState
from fanfold.domain.rules.expectations import returned_words
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import local, one_line, percent, plural, short, try_words

#: Every status of a collector has a mark, so that colour never speaks alone.
MARKS: Mapping[str, str] = {
    CollectorState.SUCCEEDED: "✓",
    CollectorState.FAILED: "✗",
    CollectorState.TIMED_OUT: "✗",
    CollectorState.CANCELLED: "\u2013",
    CollectorState.SKIPPED: "\u2013",
    CollectorState.RUNNING: "…",
    CollectorState.PENDING: "·",
}

#: Why a collector was not asked, or waits, in words.
REASONS: Mapping[str, str] = {
    "not_due": "not due",
    "disabled": "disabled",
    "excluded": "excluded",
    "not_selected": "not selected",
    "overlap": "an earlier run still has it",
    "paused": "paused",
    "dry_run": "would run",
    "backoff": "waits to retry",
    "queued_behind": "waits for an earlier run",
    "gone": "not asked again: it is not in the configuration any more",
    "disabled_now": "not asked again: it is disabled now",
}

#: Most characters that a sentence quotes of an error.
MAX_QUOTE = 120

#: Reasons whose words name the source that a collector waits for.
_FOR_A_SOURCE = ("upstream", "upstream_down")

#: How a collector ends that failed its run, unless it is optional.
UNSUCCESSFUL = (CollectorState.FAILED, CollectorState.TIMED_OUT)


def collector_line(collector: Mapping[str, Any], timezone: str = "UTC") -> str:
    """Return one collector of a report in one line: ``✓ 31 874 records · 39s · unchanged``.

    ``timezone`` is the run's, for the time at which a skipped collector is next due.
    """
    status = collector["status"]
    parts: list[str] = []
    if status not in {CollectorState.SUCCEEDED, CollectorState.FAILED, CollectorState.SKIPPED}:
        parts.append(status.replace("_", " "))
    if collector["records"] is not None:
        parts.append(plural(collector["records"], "record"))
    if collector["start_time"] is not None:
        parts.append(duration(collector["duration"]))
    if len(collector["attempts"]) > 1:
        parts.append(f"{len(collector['attempts'])} attempts")
    parts += notes(collector, timezone)
    return f"{MARKS[status]} {' · '.join(parts) or status}"


def notes(collector: Mapping[str, Any], timezone: str = "UTC") -> list[str]:
    """Return what is worth saying of a collector beside its figures, most important first."""
    said: list[str] = []
    if collector["reason"]:
        said.append(_reason(collector, timezone))
    if collector["progress"]:
        said += _progress(collector["progress"])
    if collector["error"]:
        said.append(one_line(collector["error"], 200))
    if collector["unchanged"]:
        revision = collector["revision"]
        said.append(f"unchanged since {revision}" if revision else "unchanged")
    said += (odd for odd in (odd_words(collector),) if odd)
    warnings = len(collector["warnings"])
    if collector["status"] in {CollectorState.PENDING, CollectorState.RUNNING}:
        said += collector["warnings"]  # of one that runs, fanfold's own
    elif warnings:
        said.append(plural(warnings, "warning"))
    said += _earlier(collector.get("earlier", ()))
    if collector.get("kept"):
        said.append(f"kept from run {collector['answered_in']}")
    if not collector["required"] and collector["status"] in UNSUCCESSFUL:
        said.append("optional")
    return [one_line(words, 240) for words in said]


def _earlier(tries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return which try this is, and how the one before ended: ``2nd try, before: HTTP 503``."""
    if not tries:
        return []
    before = tries[-1]
    how = before["error"] or before["status"].replace("_", " ")
    return [f"{try_words(len(tries) + 1)}; before, in run {before['run_id']}: {one_line(how, 120)}"]


def odd_words(collector: Mapping[str, Any]) -> str:
    """Return the first broken expectation that only warns, in words, or an empty string."""
    for checked in collector["expectations"]:
        if not checked["ok"] and checked["severity"] == "warn":
            return returned(checked)
    return ""


def returned(checked: Mapping[str, Any]) -> str:
    """Return what a broken expectation found: ``returned 0 records (expected at least 40)``."""
    return returned_words(checked["name"], checked["expected"], checked["actual"])


def _reason(collector: Mapping[str, Any], timezone: str) -> str:
    reason: str = collector["reason"]
    if note := collector.get("note"):
        return one_line(note, 200)
    words = REASONS.get(reason, reason.replace("_", " "))
    if reason in _FOR_A_SOURCE:
        words = f"waiting for {one_line(collector['upstream'] or 'its source', 100)}"
        words += ", which is down" if reason == "upstream_down" else ""
    if not collector["next"]:
        return words
    return f"{words}, next {short(local(collector['next'], timezone))}"


def _progress(progress: Mapping[str, Any]) -> list[str]:
    fraction, message = progress.get("fraction"), progress.get("message")
    shares = [percent(fraction)] if isinstance(fraction, int | float) else []
    return shares + ([one_line(str(message), MAX_QUOTE)] if message else [])
