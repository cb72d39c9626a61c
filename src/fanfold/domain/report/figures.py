"""What a finished run adds to the memory of its collectors.

A collector remembers what it was asked, and the slots in which it should have been: one that was
missed, or that an earlier run kept it from. What others ran without it leaves no mark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from fanfold.domain.model.run import Answer, Entry, Run, RunFigures
from fanfold.domain.model.states import Outcome, RunStatus
from fanfold.domain.report.fold import by_collector, end_of, own_answers

_LETTERS = {
    Outcome.SUCCEEDED: "s",
    Outcome.FAILED: "f",
    Outcome.TIMED_OUT: "t",
    Outcome.CANCELLED: "c",
}


def figures(
    run: Run, manifest: Sequence[Entry], answers: Sequence[Answer]
) -> tuple[RunFigures, ...]:
    """Return what this run adds to the memory of each of its collectors.

    A missed tick marks the collectors that it would have asked; other notices leave no trace.
    """
    if run.verdict is RunStatus.MISSED:
        return tuple(
            RunFigures(entry.name, "m", run.start_time, slot=run.scheduled_for)
            for entry in manifest
            if not entry.skip
        )
    if run.is_notice:
        return ()
    return _of_each(run, manifest, by_collector(run, manifest, answers), end_of(run, answers))


def figures_left(
    run: Run, manifest: Sequence[Entry], answers: Sequence[Answer]
) -> tuple[RunFigures, ...]:
    """Return the same for a run that was closed without a proper report.

    A collector that was asked and whose answer is missing counts as failed.
    """
    given = own_answers(run, manifest, answers)
    return _of_each(run, manifest, given, run.end_time or run.start_time)


def _of_each(
    run: Run, manifest: Sequence[Entry], given: Mapping[str, Answer], end_time: datetime
) -> tuple[RunFigures, ...]:
    # Each collector that a retry asks is asked for its own slot, and leaves no other mark.
    is_retry = run.trigger.kind == "retry"
    return tuple(
        replace(
            _figures(given[entry.name])
            if entry.name in given
            else RunFigures(entry.name, "k" if entry.skip else "f", end_time),
            slot=entry.slot if is_retry else run.scheduled_for,
        )
        for entry in manifest
        if entry.skip is None
        or (entry.skip.reason == "overlap" and run.scheduled_for and not is_retry)
    )


def _figures(answer: Answer) -> RunFigures:
    letter = _LETTERS[answer.outcome]
    if answer.outcome is not Outcome.SUCCEEDED:
        return RunFigures(answer.collector, letter, answer.end_time)
    begun = answer.start_time or answer.end_time
    seconds = max(0.0, (answer.end_time - begun).total_seconds())
    return RunFigures(
        answer.collector, letter, answer.end_time, answer.records, seconds, answer.revision
    )
