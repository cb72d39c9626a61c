"""What earlier runs know of a collector, from the figures that each of them left."""

from __future__ import annotations

from collections.abc import Sequence

from fanfold.domain.model.collector import CollectorHistory
from fanfold.domain.model.run import RunFigures

#: Runs that are remembered of each collector: what the report's grid shows.
KEPT_RUNS = 30

#: Record counts that the report's sparkline shows.
SHOWN_RECORDS = 14

#: Successes whose durations make the median.
MEDIAN_RUNS = 7

#: The letter of a success in CollectorHistory.outcomes.
SUCCESS = "s"


def history_of(figures: Sequence[RunFigures]) -> CollectorHistory:
    """Return what *figures*, oldest first, tell of their collector."""
    successes = [each for each in figures if each.outcome == SUCCESS]
    counted = [each for each in successes if each.records is not None]
    revisions = [each.revision for each in successes if each.revision is not None]
    return CollectorHistory(
        records=tuple(each.records for each in counted[-SHOWN_RECORDS:]),
        seconds=tuple(
            each.seconds for each in successes[-MEDIAN_RUNS:] if each.seconds is not None
        ),
        outcomes="".join(each.outcome for each in figures[-KEPT_RUNS:]),
        revision=revisions[-1] if revisions else None,
        last_success=successes[-1].end_time if successes else None,
    )
