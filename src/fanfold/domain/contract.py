"""The collector contract: what a collector is asked, and what may come back.

The values are here; :func:`read_reply` and :func:`read_completion` turn bytes into them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fanfold.domain.collector import CollectorSpec
from fanfold.domain.run import Failure


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt to make.

    ``timeout_s`` bounds the whole call, connect to last byte; ``deadline`` is the instant the
    collector is told. ``previous`` holds the ``revision`` and ``records`` of its last success.
    ``callback`` (``url``, ``token``) is where an asynchronous answer may go.
    """

    spec: CollectorSpec
    run_id: str
    attempt: int
    deadline: datetime
    timeout_s: float
    scheduled_for: datetime | None = None
    previous: Mapping[str, Any] = field(default_factory=dict)
    callback: Mapping[str, str] | None = None
    traceparent: str | None = None

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt of this collector in this run."""
        return f"{self.run_id}/{self.spec.name}"


@dataclass(frozen=True, slots=True)
class Findings:
    """What a collector reported of its work. None means that it did not say."""

    records: int | None = None
    bytes: int | None = None
    artifacts: tuple[str, ...] = ()
    revision: str | None = None
    unchanged: bool = False
    warnings: tuple[str, ...] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a call or a completion.

    Exactly one of these holds: ``failure`` is set; ``accepted`` is true (the answer comes
    later, in about ``eta_s`` seconds if given); or ``findings`` is the answer.
    ``retry_after_s`` is the wait that the collector asked for, in seconds.
    """

    http_status: int | None = None
    findings: Findings | None = None
    accepted: bool = False
    eta_s: float | None = None
    failure: Failure | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an asynchronous collector says it is: ``fraction`` in [0, 1], both optional."""

    fraction: float | None = None
    message: str | None = None
