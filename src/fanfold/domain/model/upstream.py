"""A source that several collectors ask: what it can bear, and what is known of it now.

Lengths of time are floats in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from fanfold.domain.model.instant import Instant


@dataclass(frozen=True, slots=True)
class Breaker:
    """After ``failures`` calls in a row that found the source down, it is left alone.

    ``pause_s`` later one call tries whether it is up again.
    """

    failures: int
    pause_s: float


@dataclass(frozen=True, slots=True)
class Upstream:
    """What a source can bear. A limit that is None does not hold.

    ``max_concurrent`` bounds the calls at one time; ``per_minute`` those that begin within any
    60 s.
    """

    name: str
    max_concurrent: int | None = None
    per_minute: int | None = None
    breaker: Breaker | None = None


class SourceSign(StrEnum):
    """What the end of a call says about the source behind its collector."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"  #: nothing either way: it does not count


@dataclass(frozen=True, slots=True)
class Place:
    """A call that is under way at a source, at the latest until ``until``.

    ``holder`` names the process that makes it, ``fence`` is that of its lease.
    """

    fence: int
    holder: str
    since: Instant
    until: Instant


@dataclass(frozen=True, slots=True)
class BegunCalls:
    """How many calls began in the second from ``at`` on."""

    at: Instant
    number: int


@dataclass(frozen=True, slots=True)
class UpstreamState:
    """What is stored of a source; all processes share it.

    Attributes:
        places: The calls under way, by job (``run/collector``). Only where ``max_concurrent``
            holds, and for the call that probes.
        calls: The calls that began in the last minute. Only where ``per_minute`` holds.
        failed: The jobs whose calls found the source down in a row, at most as many as open the
            breaker; each as ``run/collector#attempt``.
        opened_at: When the breaker opened. None while it is closed.
        probe: The job whose call tries whether the source is up again.
    """

    places: Mapping[str, Place] = field(default_factory=dict)
    calls: tuple[BegunCalls, ...] = ()
    failed: tuple[str, ...] = ()
    opened_at: Instant | None = None
    probe: str | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """How a job waits, or waited, for its source.

    Attributes:
        upstream: The source's name.
        why: In a few words: ``2 calls at once are allowed``.
        is_down: Whether the breaker is open: not a limit holds the job back, but failures.
        first_at: When the job waited for the first time.
        since: Since when it waits now; None if it does not.
        until: When it looks again, at the latest.
        before_s: How long it waited before ``since``.
    """

    upstream: str
    why: str
    first_at: Instant
    is_down: bool = False
    since: Instant | None = None
    until: Instant | None = None
    before_s: float = 0.0

    def seconds(self, now: Instant) -> float:
        """Return how long the job waited for its source, all in all, at *now*."""
        going_on_s = (now - self.since).total_seconds() if self.since else 0.0
        return self.before_s + max(0.0, going_on_s)

    def ended(self, now: Instant) -> Wait:
        """Return this wait, over at *now*."""
        return replace(self, since=None, until=None, before_s=self.seconds(now))
