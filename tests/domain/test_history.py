"""What earlier runs know of a collector."""

from __future__ import annotations

from tests.support import after

from fanfold.domain.model.collector import CollectorHistory
from fanfold.domain.model.run import RunFigures
from fanfold.domain.rules.history import KEPT_RUNS, MEDIAN_RUNS, SHOWN_RECORDS, history_of


def night(
    number: int,
    outcome: str = "s",
    *,
    records: int | None = None,
    seconds: float | None = None,
    revision: str | None = None,
) -> RunFigures:
    return RunFigures("dvf", outcome, after(number), records, seconds, revision)


def test_nobody_without_runs_has_a_past() -> None:
    assert history_of([]) == CollectorHistory()


def test_only_successes_count_and_every_run_leaves_its_letter() -> None:
    past = history_of(
        [
            night(1, records=10, seconds=1.0, revision="a"),
            night(2, "f", records=999, seconds=99.0, revision="bad"),
            night(3, records=12, seconds=2.0),
            night(4, "k"),
        ]
    )

    assert past == CollectorHistory((10, 12), (1.0, 2.0), "sfsk", "a", after(3))


def test_a_success_that_did_not_count_leaves_no_record_count() -> None:
    assert history_of([night(1, records=None), night(2, records=0)]).records == (0,)


def test_a_past_holds_the_newest_and_no_more_than_is_shown() -> None:
    past = history_of([night(n, records=n, seconds=float(n)) for n in range(100)])

    assert past.records == tuple(range(100 - SHOWN_RECORDS, 100))
    assert past.seconds == tuple(float(n) for n in range(100 - MEDIAN_RUNS, 100))
    assert past.outcomes == "s" * KEPT_RUNS
