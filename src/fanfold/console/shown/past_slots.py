"""The slots of one collector, further back than its memory: from the records of the runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from fanfold.domain.model.errors import FanfoldError
from fanfold.domain.model.run import Answer, PastRun, Run, RunFigures
from fanfold.domain.model.states import Outcome, RunStatus
from fanfold.ports.ledger import Ledger

#: Slots that the page of a collector shows.
SHOWN_SLOTS = 60

#: Runs that are looked at for slots from before its memory; one read each, and one for its answer.
MOST_LOOKED_AT = 40

_LETTERS = {
    Outcome.SUCCEEDED: "s",
    Outcome.FAILED: "f",
    Outcome.TIMED_OUT: "t",
    Outcome.CANCELLED: "c",
}


def long_past(ledger: Ledger, name: str, past: Sequence[PastRun]) -> list[PastRun]:
    """Return *past* with what the runs before it have of the collector *name*, oldest first."""
    slots = {each.figures.slot for each in past if each.figures.slot is not None}
    if not slots or len(slots) >= SHOWN_SLOTS:
        return list(past)
    first = min(each.figures.slot or each.figures.end_time for each in past)
    older: list[PastRun] = []
    for run in ledger.runs_between(None, first, MOST_LOOKED_AT):
        if len({each.figures.slot for each in older} | slots) >= SHOWN_SLOTS:
            break
        figures = _figures(ledger, name, run)
        if figures is not None:
            older.append(PastRun(run.run_id, figures))
    return [*reversed(older), *past]


def answer_of(ledger: Ledger, run_id: str, name: str) -> Answer | None:
    """Return the answer of the collector *name* in a run, None if it is gone or unreadable."""
    try:
        return ledger.answer(run_id, name)
    except FanfoldError:
        return None


def _figures(ledger: Ledger, name: str, run: Run) -> RunFigures | None:
    slot = run.scheduled_for
    if slot is None:
        return None
    if run.verdict is RunStatus.MISSED:
        return RunFigures(name, "m", run.end_time or run.start_time, slot=slot)
    answer = None if run.verdict is None or run.is_notice else answer_of(ledger, run.run_id, name)
    if answer is None:
        return None
    return RunFigures(
        name,
        _LETTERS[answer.outcome],
        answer.end_time,
        answer.records,
        _seconds(answer.start_time, answer.end_time),
        slot=slot,
    )


def _seconds(start: datetime | None, end: datetime) -> float | None:
    return None if start is None else max(0.0, (end - start).total_seconds())
