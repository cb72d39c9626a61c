"""What earlier runs know of a collector."""

from __future__ import annotations

from dataclasses import replace

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

    times = tuple(int(after(number).timestamp()) for number in range(1, 5))
    assert past == CollectorHistory((10, 12), (1.0, 2.0), "sfsk", "a", after(3), times, "hhhh")


def test_a_slot_counts_once_by_its_best_outcome_and_is_marked_if_it_was_tried_again() -> None:
    first, second = after(0), after(86_400)
    past = history_of(
        [
            replace(night(10, "f"), slot=first),
            replace(night(20, "s", records=7, seconds=2.0), slot=first),
            night(30, "f"),
            replace(night(40, "m"), slot=second),
            replace(night(50, "t"), slot=after(2 * 86_400)),
            replace(night(60, "c"), slot=after(2 * 86_400)),
            replace(night(70, "s", records=8, seconds=3.0), slot=second),
        ]
    )
    assert (past.outcomes, past.kinds) == ("sfsc", "rhsr")
    assert (past.records, past.seconds) == ((7, 8), (2.0, 3.0))


def test_a_slot_that_succeeded_twice_is_not_marked_as_tried_again() -> None:
    twice = [replace(night(10), slot=after(0)), replace(night(20), slot=after(0))]
    assert (history_of(twice).outcomes, history_of(twice).kinds) == ("s", "s")
    bad = [replace(each, outcome="f") for each in twice]
    assert (history_of(bad).outcomes, history_of(bad).kinds) == ("f", "r")


def test_a_success_that_was_tried_again_and_failed_counts_as_the_success() -> None:
    figures = [replace(night(10, records=7), slot=after(0)), replace(night(20, "f"), slot=after(0))]
    assert (history_of(figures).outcomes, history_of(figures).kinds) == ("s", "r")


def test_a_success_that_did_not_count_leaves_no_record_count() -> None:
    assert history_of([night(1, records=None), night(2, records=0)]).records == (0,)


def test_a_past_holds_the_newest_and_no_more_than_is_shown() -> None:
    past = history_of([night(n, records=n, seconds=float(n)) for n in range(100)])

    assert past.records == tuple(range(100 - SHOWN_RECORDS, 100))
    assert past.seconds == tuple(float(n) for n in range(100 - MEDIAN_RUNS, 100))
    assert past.outcomes == "s" * KEPT_RUNS
