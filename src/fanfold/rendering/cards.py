"""What went wrong, a card for each cause: what was tried, and what to type next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fanfold.domain.syntax.command_line import fanfold
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import count, one_line, plural, try_words
from fanfold.rendering.rows import MAX_NAME, Named

#: Most of a collector's own warnings that its card quotes.
MAX_QUOTED = 3

#: With more failures than this, those of the same cause share a card, which names so many of them.
MAX_SINGLE, MAX_NAMED = 5, 20


#: Most earlier tries that a card tells: the last ones.
MAX_TRIES = 5


@dataclass(frozen=True, slots=True)
class Card:
    """One cause of failure, told. ``facts`` are sentences; ``commands`` can be pasted."""

    who: str
    verb: str
    cause: str
    facts: tuple[str, ...]
    warnings: tuple[str, ...]
    commands: tuple[tuple[str, str], ...]


def cards(bad: Sequence[Named], run_id: str) -> list[Card]:
    """Return a card for each failure, or for each cause of failure where there are many.

    Args:
        bad: The collectors that failed or timed out.
        run_id: For the commands.
    """
    if len(bad) <= MAX_SINGLE:
        return [_card([named], run_id, is_only=len(bad) == 1) for named in bad]
    causes: dict[tuple[str, str | None, bool], list[Named]] = {}
    for name, one in bad:
        causes.setdefault((one["status"], one["error"], one["required"]), []).append((name, one))
    return [_card(alike, run_id, is_only=len(causes) == 1) for alike in causes.values()]


def quoted(bad: Sequence[Named]) -> set[str]:
    """Return the names of those whose warnings are all quoted on their cards."""
    if len(bad) > MAX_SINGLE:
        return set()
    return {name for name, one in bad if len(one["warnings"]) <= MAX_QUOTED}


def _card(alike: Sequence[Named], run_id: str, *, is_only: bool) -> Card:
    """Return the card of the collectors *alike*, which failed in the same way.

    The card of a single collector tells its attempts and warnings too. *is_only* says that no other
    collector failed, so that a retry of the run asks these alone.
    """
    names = [name for name, _ in alike]
    one = alike[0][1]
    warnings = [one_line(text) for text in one["warnings"]] if len(alike) == 1 else []
    more = len(warnings) - MAX_QUOTED
    return Card(
        who=_named(names),
        verb=one["status"].replace("_", " "),
        cause=one_line(one["error"] or "it did not say why"),
        facts=tuple(_facts(one)) if len(alike) == 1 else (),
        warnings=(*warnings[:MAX_QUOTED], *([f"and {more} more"] if more > 0 else [])),
        commands=_commands(names, run_id, is_only=is_only),
    )


def _commands(names: Sequence[str], run_id: str, *, is_only: bool) -> tuple[tuple[str, str], ...]:
    shown = [one_line(name, MAX_NAME) for name in names[:MAX_NAMED]]
    whom = "this collector" if len(names) == 1 else "these"
    return (
        (fanfold("retry", run_id), "asks again whatever did not succeed in this run"),
        *([] if is_only else [(fanfold("run", *shown), f"asks only {whom} again")]),
        (fanfold("report", run_id, "--format", "json"), "everything that was said"),
    )


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(one_line(name, MAX_NAME) for name in names[:MAX_NAMED])
    more = len(names) - MAX_NAMED
    return f"{shown} and {count(more)} more" if more > 0 else shown


def _facts(one: Mapping[str, Any]) -> list[str]:
    tries = list(enumerate(one.get("earlier", ()), 1))[-MAX_TRIES:]
    facts = [
        f"{_sentence(try_words(number))}, in run {each['run_id']}: {_ended(each)}."
        for number, each in tries
    ]
    facts += [_tried(one)] if one["attempts"] else []
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


def _ended(each: Mapping[str, Any]) -> str:
    """Return how an earlier try ended: what it said, or its outcome."""
    error = one_line(each["error"] or "", 160).rstrip(".")
    return error or str(each["status"]).replace("_", " ")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _tried(one: Mapping[str, Any]) -> str:
    """Return the attempts in words: ``Attempt 1 (1m01s): HTTP 503; attempt 2 …``."""
    told: list[str] = []
    attempts = one["attempts"]
    for attempt, following in zip(attempts, [*attempts[1:], None], strict=True):
        met = _met(attempt, one["error"] if following is None else None)
        words = f"attempt {attempt['n']} ({duration(attempt['duration'])}): {met}"
        if following and attempt["end_time"]:
            words += f", tried again {_pause(attempt, following)} later"
        told.append(words)
    return _sentence("; ".join(told)) + "."


def _met(attempt: Mapping[str, Any], told: str | None) -> str:
    """Return status and error of an attempt, without the cause *told*, which the card names."""
    answer = "" if attempt["http_status"] is None else f"HTTP {attempt['http_status']}"
    error = one_line(attempt["error"] or "", 160).rstrip(".")
    if answer and (not error or attempt["error"] == told):
        return answer
    if answer and not error.startswith(answer):
        return f"{answer}, {error}"
    return error or str(attempt["outcome"])


def _pause(attempt: Mapping[str, Any], following: Mapping[str, Any]) -> str:
    ended = datetime.fromisoformat(attempt["end_time"])
    begun = datetime.fromisoformat(following["start_time"])
    return duration(max(0.0, (begun - ended).total_seconds()))
