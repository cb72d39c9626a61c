"""What people read of a source with limits: what it bears, how long that takes, that it is down."""

from __future__ import annotations

from collections.abc import Mapping

from fanfold.domain.model.upstream import Upstream
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import plural


def source_lines(sources: Mapping[Upstream, int]) -> list[str]:
    """Return what each of *sources* bears, and how long its collectors take for it.

    Args:
        sources: How many collectors are before each, such as ``sources_of`` counts them.
    """
    lines = []
    for limits, number in sources.items():
        words = f"{plural(number, 'collector')}, {limits_words(limits)}"
        if last_begins_after_s(limits, number):
            words += f"; {too_slow_words(limits, number)}"
        lines.append(f"source {limits.name}: {words}")
    return lines


def last_begins_after_s(limits: Upstream, number: int) -> float:
    """Return how long after the first of *number* calls the last one begins at the earliest."""
    if limits.per_minute is None:
        return 0.0
    return (max(1, number) - 1) // limits.per_minute * 60.0


def too_slow_words(limits: Upstream, number: int) -> str:
    """Return ``30 per minute and 120 collectors: the last one begins after 3m at the earliest``."""
    after = duration(last_begins_after_s(limits, number))
    told = f"{limits.per_minute} per minute and {plural(number, 'collector')}"
    return f"{told}: the last one begins after {after} at the earliest"


def limits_words(limits: Upstream) -> str:
    """Return ``2 calls at once, 30 calls a minute``, and when the source is left alone."""
    parts = []
    if limits.max_concurrent is not None:
        parts.append(f"{plural(limits.max_concurrent, 'call')} at once")
    if limits.per_minute is not None:
        parts.append(f"{plural(limits.per_minute, 'call')} a minute")
    if limits.breaker is not None:
        failures = plural(limits.breaker.failures, "failure")
        parts.append(f"left alone for {duration(limits.breaker.pause_s)} after {failures} in a row")
    return ", ".join(parts) or "no limit"


def down_words(name: str, failed: tuple[str, ...]) -> str:
    """Return ``api.insee.fr is down (5 collectors failed first)``."""
    collectors = {call.rpartition("#")[0].rpartition("/")[2] for call in failed}
    return f"{name} is down ({plural(len(collectors), 'collector')} failed first)"
