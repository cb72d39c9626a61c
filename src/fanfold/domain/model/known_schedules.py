"""Since when each schedule is in the configuration, and up to when slots were judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fanfold.domain.model.instant import Instant


@dataclass(frozen=True, slots=True)
class KnownSchedules:
    """What is remembered of the configuration's schedules.

    Args:
        since: When each cron expression with its zone was first seen in the configuration; see
            :func:`fanfold.domain.rules.known_schedules.key_of`. One that is not in the
            configuration any more is not remembered either.
        judged_until: The last slot that was found to be answered or missed, None if none was.
    """

    since: Mapping[str, Instant]
    judged_until: Instant | None = None
