"""The sentences of a run: one for the whole of it, one line for each collector.

``about`` is the page's title, a field in Firestore, the last line of the command and the text of a
notification, so it is written once, here. It reads only a report's collectors (see
:mod:`fanfold.domain.report.entries`), and nothing a collector says can break its line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fanfold.domain.model.states import CollectorState, RunStatus
from fanfold.domain.report.causes import is_of_source, titles
from fanfold.domain.rules.expectations import returned_words
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import count, local, one_line, percent, plural, short, try_words

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

#: Most names that one part of the sentence lists, and most characters it quotes of an error.
MAX_NAMES, MAX_QUOTE = 3, 120

#: Reasons whose words name the source that a collector waits for.
_FOR_A_SOURCE = ("upstream", "upstream_down")

_UNSUCCESSFUL = (CollectorState.FAILED, CollectorState.TIMED_OUT)
_OPEN = (CollectorState.PENDING, CollectorState.RUNNING)

Entries = Mapping[str, Mapping[str, Any]]


def about(status: str, collectors: Entries, *, tolerated: int = 0, timezone: str = "UTC") -> str:
    """Return the one sentence about a run that has *status* and these *collectors*.

    Args:
        status: A :class:`~fanfold.domain.model.states.RunStatus`; notices bring their own sentence.
        collectors: The report's collectors by name.
        tolerated: How many required collectors may fail in a run that succeeds.
        timezone: The zone in which the time of a second try is told.
    """
    asked = {name: one for name, one in collectors.items() if one["status"] != "skipped"}
    if not asked:
        return _nothing_asked(collectors)
    if status in {RunStatus.DISPATCHING, RunStatus.RUNNING}:
        return _so_far(asked)
    if status == RunStatus.CANCELLED:
        return _cancelled(asked)
    broken = {name: one for name, one in asked.items() if one["status"] in _UNSUCCESSFUL}
    again = _again_words(asked, timezone)
    if broken:
        sentence = _mixed(status, asked, broken, tolerated, again)
    else:
        sentence = _all_good(asked) + again
    return sentence + _oddities(asked) + _overlaps(collectors)


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
    if collector["status"] in _OPEN:
        said += collector["warnings"]  # of one that runs, fanfold's own
    elif warnings:
        said.append(plural(warnings, "warning"))
    said += _earlier(collector.get("earlier", ()))
    if collector.get("kept"):
        said.append(f"kept from run {collector['answered_in']}")
    if not collector["required"] and collector["status"] in _UNSUCCESSFUL:
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
            return _returned(checked)
    return ""


def _returned(checked: Mapping[str, Any]) -> str:
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


def _nothing_asked(collectors: Entries) -> str:
    overlapping = [name for name, one in collectors.items() if one["reason"] == "overlap"]
    if not overlapping:
        return "nothing due"
    return f"nothing asked: an earlier run still has {_names(overlapping)}"


def _so_far(asked: Entries) -> str:
    done = [one for one in asked.values() if one["status"] not in _OPEN]
    sentence = f"{count(len(done))} of {count(len(asked))} done"
    broken = sum(one["status"] in _UNSUCCESSFUL for one in done)
    return f"{sentence}, {count(broken)} failed so far" if broken else sentence


def _cancelled(asked: Entries) -> str:
    parts = [_score(asked)]
    broken = {name: one for name, one in asked.items() if one["status"] in _UNSUCCESSFUL}
    parts += _causes_and_groups(broken)
    parts.append(f"{count(_number(asked, CollectorState.CANCELLED))} cancelled")
    return "cancelled: " + ", ".join(parts)


def _all_good(asked: Entries) -> str:
    if len(asked) == 1:
        return f"{one_line(next(iter(asked)), 63)} succeeded"
    return f"all {count(len(asked))} succeeded"


def _again_words(asked: Entries, timezone: str) -> str:
    """Return ``, plu at the second try, 09:12`` for those that a retry brought to a success."""
    by_try: dict[int, list[str]] = {}
    for name, one in asked.items():
        if one["status"] == CollectorState.SUCCEEDED and _was_bad(one):
            by_try.setdefault(len(one.get("earlier", ())) + 1, []).append(name)
    parts = []
    for number, names in sorted(by_try.items()):
        at = max(local(asked[name]["end_time"], timezone) for name in names)
        parts.append(f", {_names(names)} at the {try_words(number)}, {at:%H:%M}")
    return "".join(parts)


def _was_bad(one: Mapping[str, Any]) -> bool:
    return any(each["status"] != CollectorState.SUCCEEDED for each in one.get("earlier", ()))


def _mixed(status: str, asked: Entries, broken: Entries, tolerated: int, again: str) -> str:
    needed = sum(one["required"] for one in broken.values())
    enough = status == RunStatus.SUCCEEDED
    tolerance = f", {count(tolerated)} may fail" if enough and needed and tolerated else ""
    if len(broken) <= 2:
        reasons = [_phrase(name, one) for name, one in broken.items()]
    else:
        reasons = _causes_and_groups(broken)
    return f"{_score(asked)}{tolerance}{again}: {', '.join(reasons)}"


def _phrase(name: str, collector: Mapping[str, Any]) -> str:
    who = one_line(name, 63) if collector["required"] else f"optional {one_line(name, 63)}"
    tries = len(collector.get("earlier", ())) + 1
    again = f" at the {try_words(tries)}" if tries > 1 else ""
    for checked in collector["expectations"]:
        if not checked["ok"] and checked["severity"] == "fail":
            return f"{who} {_returned(checked)}{again}"
    verb = "timed out" if collector["status"] == CollectorState.TIMED_OUT else "failed"
    return f"{who} {verb}{again}" + (
        f" ({one_line(collector['error'], MAX_QUOTE)})" if collector["error"] else ""
    )


def _causes_and_groups(broken: Entries) -> list[str]:
    """Return ``api.insee.fr answered 503: 12 collectors (a, b, c and 9 more)``, and the others."""
    title_of = titles(broken.items())
    alike: dict[str, list[str]] = {}
    for name, one in broken.items():
        if one["required"] and is_of_source(title_of[name], one):
            alike.setdefault(title_of[name], []).append(name)
    parts, told = [], set()
    for title, names in sorted(alike.items(), key=lambda each: -len(each[1])):
        if len(names) > 2:
            told.update(names)
            cause = one_line(title, MAX_QUOTE)
            parts.append(f"{cause}: {plural(len(names), 'collector')} ({_names(names)})")
    return parts + _groups({name: one for name, one in broken.items() if name not in told})


def _groups(broken: Entries) -> list[str]:
    """Return ``20 failed (a, b, c and 17 more)``, ``10 timed out``: names first, then numbers."""
    kinds = {
        "failed": [n for n, c in broken.items() if c["required"] and c["status"] == "failed"],
        "timed out": [n for n, c in broken.items() if c["required"] and c["status"] != "failed"],
        "optional failed": [n for n, c in broken.items() if not c["required"]],
    }
    parts: list[str] = []
    for words, names in kinds.items():
        if names:
            listed = not parts or len(names) <= MAX_NAMES
            parts.append(f"{count(len(names))} {words}" + (f" ({_names(names)})" if listed else ""))
    return parts


def _names(names: Sequence[str]) -> str:
    shown = [one_line(name, 63) for name in names[:MAX_NAMES]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {count(more)} more" if more else "")


def _score(asked: Entries) -> str:
    good = _number(asked, CollectorState.SUCCEEDED)
    return f"{count(good)} of {count(len(asked))} succeeded"


def _number(asked: Entries, state: CollectorState) -> int:
    return sum(one["status"] == state for one in asked.values())


def _oddities(asked: Entries) -> str:
    odd = {name: words for name, one in asked.items() if (words := odd_words(one))}
    if not odd:
        return ""
    if len(odd) == 1:
        name, words = next(iter(odd.items()))
        return f"; {one_line(name, 63)} {words}"
    return f"; {count(len(odd))} look odd ({_names(list(odd))})"


def _overlaps(collectors: Entries) -> str:
    names = [name for name, one in collectors.items() if one["reason"] == "overlap"]
    return f"; {_names(names)} skipped, an earlier run still has it" if names else ""
