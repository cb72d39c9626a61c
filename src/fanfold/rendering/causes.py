"""What went wrong: equal causes together, with what was tried; and what to type next, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fanfold.domain.report.causes import Named, source_of, titles
from fanfold.domain.syntax.command_line import fanfold
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.limits import MAX_LOG_BYTES
from fanfold.domain.syntax.text import count, local, one_line, plural, try_words, weekday
from fanfold.rendering.rows import MAX_NAME
from fanfold.rendering.since import Course, standing

#: Most of a collector's own warnings that its cause quotes, names that a cause lists, and earlier
#: tries that it tells: the last ones.
MAX_QUOTED, MAX_NAMED, MAX_TRIES = 3, 40, 5

#: Most collectors that a command names: a longer one is hard to read, and a retry asks them all.
MAX_ASKED = 6


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt, in the columns of a table."""

    number: int
    at: str
    took: str
    met: str


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for failures. ``names`` are all of them, ``tries`` those of a single collector.

    ``warnings`` are a single collector's own words. ``news`` says since when, in two or three.
    ``log`` are the last lines of the log of one of them, ``log_of``.
    """

    icon: str
    title: str
    names: tuple[str, ...]
    more: str
    news: str
    tries: tuple[Try, ...]
    facts: tuple[str, ...]
    warnings: tuple[str, ...]
    log: tuple[str, ...] = ()
    log_of: str = ""


def causes(
    bad: Sequence[Named], report: Mapping[str, Any], failures: Sequence[Named] | None = None
) -> list[Cause]:
    """Return the causes of the failures *bad*, the one with the most collectors first.

    Where *bad* are only some of a run's *failures*, those say how a cause is called and how many
    have it.
    """
    all_bad = bad if failures is None else failures
    title_of = titles(all_bad)
    numbers = Counter((one["status"], title_of[name]) for name, one in all_bad)
    told = []
    for group in _groups(bad, title_of):
        name, one = group[0]
        number = numbers[one["status"], title_of[name]]
        told.append((number, _cause(group, report, title_of[name], number)))
    # Stable: of equal ones the first cause that came stays first.
    return [cause for _, cause in sorted(told, key=lambda each: -each[0])]


def by_cause(bad: Sequence[Named]) -> list[Named]:
    """Return the failures *bad* in the order of their causes, equal ones together."""
    return [named for group in _groups(bad, titles(bad)) for named in group]


def _groups(bad: Sequence[Named], title_of: Mapping[str, str]) -> list[list[Named]]:
    alike: dict[tuple[str, str], list[Named]] = {}
    for name, one in bad:
        alike.setdefault((one["status"], title_of[name]), []).append((name, one))
    return sorted(alike.values(), key=lambda group: -len(group))


def commands(
    bad: Sequence[Named], run_id: str, number: int | None = None
) -> tuple[tuple[str, str], ...]:
    """Return what to type next, each with what it does; for the collectors *bad* of a run.

    *number* is how many failed, where *bad* are only some of them.
    """
    if not bad:
        return ()
    names = [one_line(name, MAX_NAME) for name, _ in bad]
    whom = names[0] if len(names) == 1 else plural(number or len(names), "collector")
    few = names if len(names) <= MAX_ASKED else names[:1]
    only = "this one" if len(few) == 1 else "these"
    return (
        (fanfold("retry", run_id), f"ask again what did not succeed: {whom}"),
        (fanfold("run", *few), f"ask only {only}, as a run by hand"),
        (fanfold("report", run_id, "--format", "json"), "everything that was said"),
    )


def quoted(bad: Sequence[Named], report: Mapping[str, Any]) -> set[str]:
    """Return the names of those whose warnings are all quoted with their cause."""
    alone = {cause.names[0] for cause in causes(bad, report) if len(cause.names) == 1}
    return {
        name
        for name, one in bad
        if one_line(name, MAX_NAME) in alone and len(one["warnings"]) <= MAX_QUOTED
    }


def _cause(group: Sequence[Named], report: Mapping[str, Any], title: str, number: int) -> Cause:
    names = [one_line(name, MAX_NAME) for name, _ in group]
    one = group[0][1]
    is_one = number == 1
    warnings = [one_line(text) for text in one["warnings"]] if is_one else []
    more = len(warnings) - MAX_QUOTED
    left = number - len(names[:MAX_NAMED])
    tries = _tries(one, report["timezone"]) if is_one else []
    log_of, log = next(((name, each["log"]) for name, each in group if each.get("log")), ("", []))
    return Cause(
        icon="late" if one["status"] == "timed_out" else "bad",
        title=title if is_one else f"{title}: {plural(number, 'collector')}",
        names=tuple(names[:MAX_NAMED]),
        more=f" and {count(left)} more" if left > 0 else "",
        news=_news(group, report) if number == len(group) else "",
        tries=tuple(tries) if len(tries) > 1 else (),
        facts=tuple(_facts(one, report, title) if is_one else _facts_of(group, report, title)),
        warnings=(*warnings[:MAX_QUOTED], *([f"and {more} more"] if more > 0 else [])),
        log=tuple(one_line(line, MAX_LOG_BYTES) for line in log),
        log_of=one_line(log_of, MAX_NAME),
    )


def _news(group: Sequence[Named], report: Mapping[str, Any]) -> str:
    """Return ``new``, ``failing, 3rd slot``, or how many of a group are which."""
    told = [standing(one, report) for _, one in group]
    words = {each.words for each in told}
    if len(words) == 1:
        return words.pop()
    new = sum(each.course is Course.NEW for each in told)
    parts = [f"{count(new)} new"] if new else []
    return ", ".join([*parts, f"{count(len(told) - new)} still failing"])


def _facts(one: Mapping[str, Any], report: Mapping[str, Any], title: str) -> list[str]:
    """Return what is worth knowing of a single failure."""
    timezone = report["timezone"]
    facts = [
        f"{try_words(number)}, in run {one_line(each['run_id'], 100)}: {_ended(each)}"
        for number, each in list(enumerate(one.get("earlier", ()), 1))[-MAX_TRIES:]
    ]
    if one["start_time"] is None:
        facts.append("it was never started")
    if len(one["attempts"]) == 1:
        facts.append(_single(one, timezone))
    if one["error_kind"] == "expectation":
        facts.append("a broken expectation is not retried")
    if one["error"] and title != one_line(one["error"]):
        facts.append(one_line(one["error"]))
    facts += _usual(one)
    if one["last_success"]:
        facts.append(f"last good {weekday(local(one['last_success'], timezone), timezone)}")
    facts += _often(one)
    if one["upstream"]:
        facts.append(f"its source is {one_line(one['upstream'], 100)}")
    group = one.get("group")
    groups = report.get("groups", {})
    if group and groups.get(group["name"], {}).get("satisfied"):
        facts.append(f"tolerated: enough others of its group {group['name']} succeeded")
    elif not one["required"]:
        facts.append("optional: the run can succeed without it")
    return facts


def _facts_of(group: Sequence[Named], report: Mapping[str, Any], title: str) -> list[str]:
    """Return what is worth knowing of failures that are alike."""
    ones = [one for _, one in group]
    tries = Counter(len(one["attempts"]) for one in ones)
    most = max(tries)
    facts = []
    if most:
        each = "each" if len(tries) == 1 else "at most"
        facts.append(f"{each} {plural(most, 'attempt')}")
    ends = sorted(one["end_time"] for one in ones if one["end_time"])
    if ends:
        first, last = (local(at, report["timezone"]) for at in (ends[0], ends[-1]))
        same = f"{first:%H:%M}" == f"{last:%H:%M}"
        facts.append(f"at {first:%H:%M}" if same else f"{first:%H:%M} to {last:%H:%M}")
    if all(one["error_kind"] == "expectation" for one in ones):
        facts.append("a broken expectation is not retried")
    texts = Counter(one_line(one["error"] or "") for one in ones)
    text, number = texts.most_common(1)[0]
    if text and title != text:
        others = len(ones) - number
        facts.append(text + (f" (the other {count(others)} in other words)" if others else ""))
    hosts = {source_of(one) or one.get("host") or "" for one in ones}
    if len(hosts) == 1 and (host := hosts.pop()) and host not in title:
        facts.append(f"all at {host}")
    optional = sum(not one["required"] for one in ones)
    if optional:
        facts.append("optional: the run can succeed without them" if optional == len(ones)
                     else f"{count(optional)} of them optional")  # fmt: skip
    return facts


def _usual(one: Mapping[str, Any]) -> list[str]:
    before, seconds = one["records_previous"], one["median_seconds"]
    told = [] if before is None else [f"{plural(before, 'record')} last time"]
    return told + ([f"usually {duration(seconds)}"] if seconds else [])


def _often(one: Mapping[str, Any]) -> list[str]:
    letters = [letter for letter in one["history"]["outcomes"] if letter in "sft"]
    bad = sum(letter != "s" for letter in letters)
    if len(letters) < 2:
        return []
    if not bad:
        return [f"none of the {count(len(letters))} runs before it failed"]
    return [f"{count(bad)} of the last {count(len(letters))} runs failed"]


def _ended(each: Mapping[str, Any]) -> str:
    """Return how an earlier try ended: what it said, or its outcome."""
    error = one_line(each["error"] or "", 160).rstrip(".")
    return error or str(each["status"]).replace("_", " ")


def _tries(one: Mapping[str, Any], timezone: str) -> list[Try]:
    """Return the attempts as a table shows them."""
    told: list[Try] = []
    attempts = one["attempts"]
    for attempt, following in zip(attempts, [*attempts[1:], None], strict=True):
        met = _met(attempt)
        if following and attempt["end_time"]:
            met += f"; tried again {_pause(attempt, following)} later"
        at = local(attempt["start_time"], timezone)
        told.append(Try(attempt["n"], f"{at:%H:%M:%S}", duration(attempt["duration"]), met))
    return told


def _single(one: Mapping[str, Any], timezone: str) -> str:
    """Return the only attempt in words, without the error that is the cause already."""
    attempt = one["attempts"][0]
    told = _tries(one, timezone)[0]
    words = f"1 attempt, {told.at}, {told.took}"
    if attempt["error"] and attempt["error"] == one["error"]:
        status, error = attempt["http_status"], one_line(one["error"])
        is_new = status is not None and not error.startswith("HTTP ")
        return f"{words}: HTTP {status}" if is_new else words
    return f"{words}: {told.met}"


def _met(attempt: Mapping[str, Any]) -> str:
    """Return status and error of an attempt."""
    answer = "" if attempt["http_status"] is None else f"HTTP {attempt['http_status']}"
    error = one_line(attempt["error"] or "", 200).rstrip(".")
    if answer and error and not error.startswith(answer):
        return f"{answer}, {error}"
    return error or answer or str(attempt["outcome"])


def _pause(attempt: Mapping[str, Any], following: Mapping[str, Any]) -> str:
    ended = datetime.fromisoformat(attempt["end_time"])
    begun = datetime.fromisoformat(following["start_time"])
    return duration(max(0.0, (begun - ended).total_seconds()))
