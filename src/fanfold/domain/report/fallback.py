"""The report of a run whose proper report cannot be made: it balances, and says why.

It takes every collector of the manifest once. What cannot be told of a collector is left out, and
that collector counts as failed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from fanfold.domain.model.collector import CollectorHistory
from fanfold.domain.model.errors import FanfoldError
from fanfold.domain.model.run import Answer, Entry, LateAnswer, Run, Verdict
from fanfold.domain.model.states import Phase, RunStatus
from fanfold.domain.report.entries import (
    ReportEntry,
    answered_entry,
    failed_entry,
    skipped_entry,
    unasked_entry,
)
from fanfold.domain.report.fold import Folding, closing_of, report_of, whole
from fanfold.domain.syntax.limits import MAX_STORED
from fanfold.domain.syntax.text import count, one_line

#: How the sentence of a run begins that was closed so.
CANNOT = "failed: the report cannot be written as it is: "

#: Most characters of the reason that the run's sentence holds.
MAX_WHY_CHARS = 300


def folding_of(run: Run, lates: Sequence[LateAnswer] = ()) -> Folding:
    """Return what folds a final *run*: the fallback if it was closed by one; see Folding."""
    return (Fallback if is_fallback(run) else Folding)(run, lates)


def fold_or_fallback(
    run: Run,
    manifest: Iterable[Entry],
    answers: Iterable[Answer],
    lates: Sequence[LateAnswer] = (),
    *,
    revision: int = 1,
    remarks: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the report of a final *run*: the fold, or the fallback if it was closed by one.

    Raises:
        Unbalanced: The answers do not balance, and the run was not closed by the fallback.
    """
    folding = folding_of(run, lates)
    return whole(folding, manifest, answers, lates, revision=revision, remarks=remarks)


def is_fallback(run: Run) -> bool:
    """Return whether *run* was closed by the fallback."""
    return run.phase is Phase.FINAL and run.about.startswith(CANNOT)


class Fallback(Folding):
    """The report of a run that is closed as failed, for a reason that its record says.

    It takes what can be read of the manifest and of the answers; foreign answers are left out.
    """

    def take(self, entry: Entry | None, answer: Answer | None) -> ReportEntry | None:
        """See :meth:`fanfold.domain.report.fold.Folding.take`."""
        if entry is None:
            return None
        own = answer if answer and answer.run_id == self.run.run_id and not entry.skip else None
        self._note(own)
        one = _entry(entry, own)
        self.tally.add(entry.name, one)
        return one

    def closing(self) -> Verdict:
        """Return the closing that the run's record has, with what its collectors add to it."""
        run = self.run
        end_time = run.end_time or self.end_time
        return Verdict(run.verdict or RunStatus.FAILED, run.about, self.tally.summary(), end_time)

    def failed(self, why: BaseException, now: datetime) -> Verdict:
        """Return the closing of the run if it ends as failed at *now*, because of *why*.

        A run that was closed before keeps its end, and one that was closed so keeps its sentence:
        whoever repeats this gets the same.
        """
        summary = self.tally.summary()
        closing = Verdict(RunStatus.FAILED, self.run.about, summary, self.run.end_time or now)
        # As the report says it: to the millisecond.
        closing = closing_of(report_of(self.run, closing, {}, revision=0))
        if is_fallback(self.run):
            return closing
        said = str(why) if isinstance(why, FanfoldError) else f"{type(why).__name__}: {why}"
        good, total = summary["succeeded"], summary["total"]
        score = f"{count(good)} of {count(total - summary['skipped'])} succeeded"
        return replace(closing, about=f"{CANNOT}{one_line(said, MAX_WHY_CHARS)} ({score})")

    def _late(self, lates: Sequence[LateAnswer], end_time: datetime) -> list[ReportEntry]:
        told = []
        for late in lates:
            with suppress(Exception):
                one = self._late_entry(late, end_time)
                if _is_storable(one):
                    told.append(one)
        return told


def _entry(entry: Entry, answer: Answer | None) -> ReportEntry:
    """Return what can be told of one collector."""
    if entry.skip is None and answer is None:
        return failed_entry(_bare(entry), "no answer of it is stored")
    for each in (entry, _bare(entry)):
        with suppress(Exception):
            one = (
                unasked_entry(each, each.skip) if each.skip else answered_entry(each, answer)  # type: ignore[arg-type]
            )
            if _is_storable(one):
                return one
    if entry.skip is not None and entry.carried is None:
        return skipped_entry(_bare(entry), one_line(entry.skip.reason, 100))
    return failed_entry(_bare(entry), "its answer cannot be told in a report")


def _bare(entry: Entry) -> Entry:
    """Return *entry* without its past and its earlier tries."""
    return replace(entry, past=CollectorHistory(), earlier=())


def _is_storable(value: Any) -> bool:
    """Return whether every store holds *value*, a part of a report, and gives it back."""
    if isinstance(value, Mapping):
        return all(_is_storable(item) for item in value.values())
    if isinstance(value, list | tuple):
        return all(map(_is_storable, value))
    if isinstance(value, int) and abs(value) > MAX_STORED:
        return False
    json.dumps(value, allow_nan=False)
    return True
