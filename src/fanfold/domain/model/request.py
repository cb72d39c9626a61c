"""A run request: what somebody, or a schedule, asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fanfold.domain.model.instant import Instant


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Everything that a run request may say; every field is optional.

    Args:
        collectors: Names to run; None means every enabled one.
        tags: Run only collectors with at least one of these.
        exclude: Names to leave out.
        params: Parameters by collector, laid over the configured ones.
        due: Run only what fires in the current slot, as a schedule would.
        force: Run even what is disabled but named, or still busy in an earlier run.
        run_id: The id to use, instead of one made from the message.
        schedule: The schedule that ticks; makes this a scheduled run.
        cron: The expression that fired, where one schedule has several.
        slot: The slot to run for, instead of the one that the time of the request gives.
        reason: Why, for people.
        dry_run: Plan and record the plan, run nothing.
        retry_of: The run whose failures this one repeats.
        traceparent: W3C trace context of whoever asked.
    """

    collectors: tuple[str, ...] | None = None
    tags: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    due: bool = False
    force: bool = False
    run_id: str | None = None
    schedule: str | None = None
    cron: str | None = None
    slot: Instant | None = None
    reason: str | None = None
    dry_run: bool = False
    retry_of: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a request came: facts of its delivery, the same at every redelivery."""

    message_id: str
    published_at: datetime
