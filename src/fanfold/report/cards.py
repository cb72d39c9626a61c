"""What went wrong, one card a failure: the cause, what was tried, and what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fanfold.domain.figures import duration, one_line, plural
from fanfold.report.rows import MAX_NAME, Named

#: Most of a collector's own warnings that its card quotes.
MAX_QUOTED = 3


@dataclass(frozen=True, slots=True)
class Card:
    """One failure, told. ``facts`` are sentences; ``commands`` can be pasted."""

    name: str
    verb: str
    cause: str
    facts: tuple[str, ...]
    warnings: tuple[str, ...]
    commands: tuple[tuple[str, str], ...]


def card(named: Named, run_id: str) -> Card:
    """Return the card of a collector that failed or timed out."""
    name, one = named
    warnings = [one_line(text) for text in one["warnings"][:MAX_QUOTED]]
    more = len(one["warnings"]) - len(warnings)
    return Card(
        name=one_line(name, MAX_NAME),
        verb=one["status"].replace("_", " "),
        cause=one_line(one["error"] or "it did not say why"),
        facts=tuple(_facts(one)),
        warnings=(*warnings, f"and {more} more") if more else tuple(warnings),
        commands=(
            (f"fanfold run {shlex.quote(name)}", "asks only this collector again"),
            (f"fanfold report {shlex.quote(run_id)} --format json", "everything it said"),
        ),
    )


def _facts(one: Mapping[str, Any]) -> list[str]:
    facts = [_tried(one)] if one["attempts"] else []
    if one["start_time"] is None:
        facts.append("It was never started.")
    if one["error_kind"] == "expectation":
        facts.append("A broken expectation is not retried.")
    if one["records_previous"] is not None:
        facts.append(f"Its last success had {plural(one['records_previous'], 'record')}.")
    if one["upstream"]:
        facts.append(f"Its source is {one_line(one['upstream'], 100)}.")
    if not one["required"]:
        facts.append("It is optional: the run can succeed without it.")
    return facts


def _tried(one: Mapping[str, Any]) -> str:
    """Return the attempts in words: ``Attempt 1: HTTP 503 after 1m01s; attempt 2: …``."""
    told: list[str] = []
    attempts = one["attempts"]
    for attempt, following in zip(attempts, [*attempts[1:], None], strict=True):
        words = f"attempt {attempt['n']}: {_met(attempt)} after {duration(attempt['duration'])}"
        if following and attempt["end_time"]:
            words += f", tried again {_pause(attempt, following)} later"
        told.append(words)
    text = "; ".join(told)
    return text[:1].upper() + text[1:] + "."


def _met(attempt: Mapping[str, Any]) -> str:
    status = attempt["http_status"]
    error = one_line(attempt["error"] or "", 160).rstrip(".")
    answer = "" if status is None else f"HTTP {status}"
    if not error or error.startswith(answer or "\0"):
        return error or answer or attempt["outcome"]
    return f"{answer}, {error}" if answer else error


def _pause(attempt: Mapping[str, Any], following: Mapping[str, Any]) -> str:
    ended = datetime.fromisoformat(attempt["end_time"])
    begun = datetime.fromisoformat(following["start_time"])
    return duration(max(0.0, (begun - ended).total_seconds()))
