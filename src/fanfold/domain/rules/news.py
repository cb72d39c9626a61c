"""What a run changed for each collector: begins to fail, still fails, recovered. Silence is normal.

The memory of collectors says how each of them did before this run, so nothing else is stored. A
collector that fails again is told of on the third slot, say, and then once a week: slots count, and
runs by hand and retries of a slot do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from fanfold.domain.model.run import PastRun, RunFigures
from fanfold.domain.rules.history import KEPT_RUNS, SUCCESS

#: The letters of CollectorHistory.outcomes that say that a collector failed.
FAILURES = frozenset("ft")

#: What reminders count from where the memory does not reach back to the first failure: a Monday.
_EPOCH = datetime(2024, 1, 1, tzinfo=UTC)


class News(StrEnum):
    """What became of a collector."""

    NEW = "new"
    STILL = "still failing"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class Remind:
    """When a collector that goes on failing is told of again.

    ``after`` counts the slots up to the first reminder, ``every`` is the time from one to the next.
    """

    after: int = 3
    every: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Change:
    """What a run changed for one collector.

    ``slots`` is how many slots it failed in, this one included if it still fails. ``since`` is when
    it failed first, as far as is remembered. ``last_good`` is its last success before that.
    """

    collector: str
    news: News
    slots: int
    since: datetime
    last_good: RunFigures | None = None


def change_of(run_id: str, past: Sequence[PastRun], remind: Remind) -> Change | None:
    """Return what the run *run_id* changed for one collector, None if nobody need hear of it.

    Args:
        run_id: The run.
        past: What is remembered of the collector, oldest first, this run included.
        remind: When a failure that goes on is told of again.
    """
    ids = [each.run_id for each in past]
    if run_id not in ids:
        return None
    index = ids.index(run_id)
    current = past[index].figures
    before = [each.figures for each in past[:index] if each.figures.outcome in "fts"]
    good = [number for number, each in enumerate(before) if each.outcome == SUCCESS]
    streak = before[good[-1] + 1 :] if good else before
    last_good = before[good[-1]] if good else None
    if current.outcome == SUCCESS and streak:
        return _change(News.RECOVERED, current.collector, streak, last_good)
    if current.outcome not in FAILURES:
        return None
    if not streak:
        return _change(News.NEW, current.collector, [current], last_good)
    is_whole = last_good is not None or len(past) < KEPT_RUNS
    if _is_reminded(current, streak, remind, is_whole=is_whole):
        return _change(News.STILL, current.collector, [*streak, current], last_good)
    return None


def _change(
    news: News, collector: str, streak: Sequence[RunFigures], last_good: RunFigures | None
) -> Change:
    since = streak[0].slot or streak[0].end_time
    return Change(collector, news, max(1, len(_slots(streak))), since, last_good)


def _is_reminded(
    current: RunFigures, streak: Sequence[RunFigures], remind: Remind, *, is_whole: bool
) -> bool:
    """Return whether people hear once more of a failure; *streak* is what came before it.

    ``is_whole`` says whether the memory reaches back to the first failure.
    """
    slots = _slots(streak)
    if current.slot is None or current.slot in slots:
        return False
    if len(slots) + 1 <= remind.after:
        return len(slots) + 1 == remind.after
    start = slots[remind.after - 1] if is_whole else _EPOCH
    return (current.slot - start) // remind.every > (slots[-1] - start) // remind.every


def _slots(streak: Sequence[RunFigures]) -> list[datetime]:
    return sorted({each.slot for each in streak if each.slot is not None})
