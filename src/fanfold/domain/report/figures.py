"""What a finished run adds to the memory of its collectors.

A collector remembers what it was asked, and the slots in which it should have been: one that was
missed, or that an earlier run kept it from. What others ran without it leaves no mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from fanfold.domain.model.run import Answer, Entry, Run, RunFigures
from fanfold.domain.model.states import Outcome
from fanfold.domain.protocol.columns import remembered as remembered_schema

_LETTERS = {
    Outcome.SUCCEEDED: "s",
    Outcome.FAILED: "f",
    Outcome.TIMED_OUT: "t",
    Outcome.CANCELLED: "c",
}


class Remembered:
    """What a run adds to the memory of its collectors, gathered pair by pair."""

    def __init__(self, run: Run) -> None:
        self.run = run
        # Each collector that a retry asks is asked for its own slot, and leaves no other mark.
        self._is_retry = run.trigger.kind == "retry"
        self._found: list[RunFigures] = []
        self._unanswered: list[int] = []

    def take(self, entry: Entry | None, answer: Answer | None) -> None:
        """Note what a collector did in the run; see :data:`fanfold.domain.report.balance.Pair`.

        A collector that was asked and whose answer is missing counts as failed.
        """
        if entry is None or not (entry.skip is None or self._is_kept_out(entry)):
            return
        slot = entry.slot if self._is_retry else self.run.scheduled_for
        if answer is None or entry.skip or answer.run_id != self.run.run_id:
            self._unanswered.append(len(self._found))
            letter = "k" if entry.skip else "f"
            self._found.append(RunFigures(entry.name, letter, self.run.start_time, slot=slot))
        else:
            self._found.append(_figures(answer, slot))

    def figures(self, end_time: datetime) -> Sequence[RunFigures]:
        """Return them all; *end_time* is the end of the run."""
        for place in self._unanswered:
            self._found[place] = replace(self._found[place], end_time=end_time)
        return self._found

    def _is_kept_out(self, entry: Entry) -> bool:
        """Return whether an earlier run kept a collector from the slot of this one."""
        is_overlap = entry.skip is not None and entry.skip.reason == "overlap"
        return is_overlap and self.run.scheduled_for is not None and not self._is_retry


def missed_figures(run: Run, manifest: Iterable[Entry]) -> Sequence[RunFigures]:
    """Return what *run*, the record of a missed slot, adds to the memory of its collectors.

    It marks those that the slot would have asked.
    """
    return [
        RunFigures(entry.name, "m", run.start_time, slot=run.scheduled_for)
        for entry in manifest
        if not entry.skip
    ]


def _figures(answer: Answer, slot: datetime | None) -> RunFigures:
    letter = _LETTERS[answer.outcome]
    if answer.outcome is not Outcome.SUCCEEDED:
        return RunFigures(answer.collector, letter, answer.end_time, slot=slot)
    begun = answer.start_time or answer.end_time
    seconds = max(0.0, (answer.end_time - begun).total_seconds())
    return RunFigures(
        answer.collector,
        letter,
        answer.end_time,
        answer.records,
        seconds,
        answer.revision,
        slot,
        remembered_schema(answer.schema),
    )
