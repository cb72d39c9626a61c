"""What is printed of a probe: request, way out, times, answer, and what a run makes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fanfold.adapters.http.traced import Phases, Traced
from fanfold.domain.model.run import Answer
from fanfold.domain.protocol.contract import Progress
from fanfold.domain.protocol.masking import MASK, SECRETIVE
from fanfold.domain.protocol.remarks import Remark, remarks
from fanfold.domain.protocol.strict_json import NotJson, read_json
from fanfold.domain.rules.attempt import Accept, Retry
from fanfold.domain.rules.claim import Granted
from fanfold.domain.rules.expectations import checked_words
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import one_line, percent, plural, size
from fanfold.rendering.rows import NOTHING

#: Most characters of a body that are shown.
MAX_BODY_CHARS = 2_000

PHASES = ("lookup", "connect", "tls", "first_byte", "body")

#: Parameters that sound like a secret and are none: the code of a commune, for one.
_HARMLESS = frozenset({"code", "codes"})


@dataclass(frozen=True, slots=True)
class Probed:
    """What came of a call, and what a run would make of it.

    ``follows`` is the answer, a retry, or that the collector answers by itself. ``longest_wait_s``
    is the longest wait before that retry, where ``follows.wait_s`` is the shortest. ``later`` is
    the progress that a collector reported while its answer ``is_awaited``.
    """

    granted: Granted
    traced: Traced
    follows: Answer | Retry | Accept
    longest_wait_s: float = 0.0
    is_awaited: bool = False
    later: tuple[Progress, ...] = ()
    seconds: float = 0.0


def probe_lines(probed: Probed) -> Iterator[str]:
    """Give the lines of a probe, the verdict last."""
    traced = probed.traced
    if traced.url:
        yield from _request_lines(traced)
        yield _row("way out", _way(traced))
        yield _row("time", _times(traced.phases))
    if traced.status is not None:
        yield from _answer_lines(traced)
    yield from _outcome_lines(probed)
    for remark in remarks_of(traced):
        yield _row("contract", f"{'✗' if remark.is_broken else '!'} {remark.what}")
        yield _row("", f"write   {remark.fix}")
    yield verdict(probed)


def verdict(probed: Probed) -> str:
    """Return the last line: whether a run would take it for a success."""
    mark = "✓" if is_good(probed) else "✗"
    spec = probed.granted.entry.spec
    took = f"   {duration(probed.seconds)}" if probed.seconds else ""
    return f"{mark} {spec.name} {_outcome(probed)}{took}"


def is_good(probed: Probed) -> bool:
    """Return whether a run would not have failed by this call."""
    follows = probed.follows
    if isinstance(follows, Answer):
        return follows.error is None
    return isinstance(follows, Accept) and not probed.is_awaited


def remarks_of(traced: Traced) -> tuple[Remark, ...]:
    """Return what is outside the contract."""
    body = traced.body.encode("utf-8", "replace")
    return remarks(traced.status, traced.headers, body, traced.reply)


def _row(label: str, text: str) -> str:
    return f"{label:<10} {text}".rstrip()


def _request_lines(traced: Traced) -> Iterator[str]:
    yield _row("request", f"{traced.method} {traced.url}")
    for name, value in traced.request.items():
        yield _row("", f"{name}: {value}")
    body = json.dumps(parsed(traced.request_body), ensure_ascii=False, indent=2)
    for line in body.splitlines():
        yield _row("", line)


def _way(traced: Traced) -> str:
    place, source = traced.proxy
    way = f"through the proxy {place} ({source})" if place else "directly"
    to = f", to {traced.address}" if traced.address else ", no connection"
    path, trusted_by = traced.authorities
    return way + to + (f" · certificates {path} ({trusted_by})" if path else "")


def _times(phases: Phases) -> str:
    parts = [
        f"{name.replace('_', ' ').replace('tls', 'TLS')} {_length(getattr(phases, name))}"
        for name in PHASES
    ]
    return " · ".join([*parts, f"all {_length(phases.total)}"])


def _length(seconds: float | None) -> str:
    return NOTHING if seconds is None else duration(seconds)


def _answer_lines(traced: Traced) -> Iterator[str]:
    yield _row("answer", f"HTTP {traced.status} · {size(traced.size_bytes)}")
    for name, value in traced.headers.items():
        yield _row("", f"{name}: {value}")
    for line in excerpt(traced.body).splitlines():
        yield _row("", one_line(line, MAX_BODY_CHARS))


def excerpt(body: str) -> str:
    """Return the beginning of *body*, and how much there is more."""
    if len(body) <= MAX_BODY_CHARS:
        return body
    return f"{body[:MAX_BODY_CHARS]}… ({len(body) - MAX_BODY_CHARS} characters more)"


def _outcome_lines(probed: Probed) -> Iterator[str]:
    follows, reply = probed.follows, probed.traced.reply
    yield _row("fanfold", _outcome(probed))
    yield _row("", _again(probed))
    if isinstance(follows, Answer):
        for checked in follows.expectations:
            mark = "✓" if checked.ok else "✗" if checked.severity == "fail" else "!"
            words = checked_words(checked)
            yield _row("", f"{mark} {words}")
        for warning in follows.warnings:
            yield _row("", f"warning: {one_line(warning)}")
    past = probed.granted.entry.past
    counts = [str(each) for each in past.records[-5:]]
    yield _row(
        "", f"earlier counts: {', '.join(counts)}" if counts else "no earlier run to compare"
    )
    log = follows.log if isinstance(follows, Answer) else reply.log
    for number, line in enumerate(log):
        yield _row("log" if number == 0 else "", one_line(line))
    for progress in probed.later:
        share = "" if progress.fraction is None else percent(progress.fraction)
        yield _row("", f"progress: {share} {progress.message or ''}".rstrip())


def outcome_word(probed: Probed) -> str:
    """Return what follows in one word: an outcome, ``retry`` or ``accepted``."""
    match probed.follows:
        case Answer(outcome=outcome):
            return outcome.value
        case Retry():
            return "retry"
        case _:
            return "accepted"


def _outcome(probed: Probed) -> str:
    follows = probed.follows
    if isinstance(follows, Retry):
        failure = follows.attempt.error
        return f"failed: {one_line(failure.message if failure else '')}"
    if isinstance(follows, Accept):
        waits = ", and reported nothing in its time" if probed.is_awaited else ""
        return f"accepted{waits}"
    if follows.error is not None:
        return f"{follows.outcome.value.replace('_', ' ')}: {one_line(follows.error.message)}"
    parts = ["no record count" if follows.records is None else plural(follows.records, "record")]
    parts += [size(follows.bytes)] if follows.bytes is not None else []
    parts += ["unchanged"] if follows.unchanged else []
    parts += [f"revision {one_line(follows.revision, 60)}"] if follows.revision else []
    return f"succeeded: {', '.join(parts)}"


def _again(probed: Probed) -> str:
    follows, spec = probed.follows, probed.granted.entry.spec
    if isinstance(follows, Retry):
        wait = f"{duration(follows.wait_s)} to {duration(probed.longest_wait_s)}"
        if probed.longest_wait_s - follows.wait_s < 0.001:
            wait = duration(probed.longest_wait_s)
        tries = f"attempt {follows.attempt.number + 1} of {spec.max_attempts}"
        return f"a run tries it again after {wait}: {tries}"
    if isinstance(follows, Accept):
        return f"a run waits for the answer until {follows.until:%H:%M:%S} UTC"
    if follows.error is None:
        return "a run would not ask again"
    return f"a run does not try this again (kind {one_line(follows.error.kind, 60)})"


def parsed(body: str) -> Any:
    """Return the JSON of a request without what its names call secret, or the text itself."""
    try:
        return _without_secrets(read_json(body))
    except NotJson:
        return body


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: MASK
            if item and isinstance(item, str) and key not in _HARMLESS and SECRETIVE.search(key)
            else _without_secrets(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    return value
