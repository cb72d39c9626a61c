"""A pause: somebody said that a collector, a schedule or everything is not to be asked for now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fanfold.domain.model.instant import Instant


class PauseKind(StrEnum):
    """What is paused."""

    COLLECTOR = "collector"  #: one collector, by its name
    SCHEDULE = "schedule"  #: the slots of one cron expression
    ALL = "all"  #: the slots of every schedule


@dataclass(frozen=True, slots=True)
class Target:
    """What a pause is of. ``name`` is the collector, or the cron expression; empty of all."""

    kind: PauseKind
    name: str = ""

    def __str__(self) -> str:
        """Return it as the sentences of a pause begin."""
        if self.kind is PauseKind.COLLECTOR:
            return self.name
        return (
            f"the schedule {self.name!r}" if self.kind is PauseKind.SCHEDULE else "every schedule"
        )


#: The pause of every schedule.
EVERY_SCHEDULE = Target(PauseKind.ALL)


@dataclass(frozen=True, slots=True)
class Pause:
    """One pause, which lasts or is over.

    Args:
        kind: What is paused.
        name: Its name; see :class:`Target`.
        since: When it began.
        by: Who paused it, for people.
        reason: Why; None if nothing was said.
        until: When it ends by itself; None: when somebody resumes.
        resumed_at: When somebody ended it, None if nobody did.
        resumed_by: Who did.
    """

    kind: PauseKind
    name: str
    since: Instant
    by: str
    reason: str | None = None
    until: Instant | None = None
    resumed_at: Instant | None = None
    resumed_by: str | None = None

    @property
    def target(self) -> Target:
        """What it is of."""
        return Target(self.kind, self.name)

    @property
    def end(self) -> datetime | None:
        """When it was over, or will be; None if nobody knows."""
        ends = [each for each in (self.until, self.resumed_at) if each is not None]
        return min(ends, default=None)

    def covers(self, at: datetime) -> bool:
        """Return whether it lasts at the instant *at*."""
        return self.since <= at and (self.end is None or at < self.end)
