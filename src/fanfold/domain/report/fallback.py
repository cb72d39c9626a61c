"""The report of a run whose proper report cannot be made: it balances, and says why.

It takes every collector of the manifest once. What cannot be told of a collector is left out, and
that collector counts as failed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
from fanfold.domain.report.fold import (
    closing_of,
    end_of,
    fold,
    own_answers,
    report_of,
    summary_of,
)
from fanfold.domain.report.late import change_words, late_entry
from fanfold.domain.syntax.limits import MAX_STORED
from fanfold.domain.syntax.text import count, one_line

#: How the sentence of a run begins that was closed so.
CANNOT = "failed: the report cannot be written as it is: "

#: Most characters of the reason that the run's sentence holds.
MAX_WHY_CHARS = 300


def fold_or_fallback(
    run: Run,
    manifest: Sequence[Entry],
    answers: Sequence[Answer],
    lates: Sequence[LateAnswer] = (),
    *,
    revision: int = 1,
    remarks: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the report of a final *run*: the fold, or the fallback if it was closed by one.

    Raises:
        Unbalanced: The answers do not balance, and the run was not closed by the fallback.
    """
    make = fallback if is_fallback(run) else fold
    return make(run, manifest, answers, lates, revision=revision, remarks=remarks)


def is_fallback(run: Run) -> bool:
    """Return whether *run* was closed by the fallback."""
    return run.phase is Phase.FINAL and run.about.startswith(CANNOT)


def fallback(
    run: Run,
    manifest: Sequence[Entry],
    answers: Sequence[Answer],
    lates: Sequence[LateAnswer] = (),
    *,
    revision: int = 1,
    remarks: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the report of a *run* that was closed as failed, for a reason that its record says.

    Args:
        run: The run, final, with the verdict and sentence of :func:`failed`.
        manifest: Every collector of its configuration, as far as it can be read.
        answers: What answers there are; foreign ones are left out.
        lates: Evidence that came too late.
        revision: See :func:`fanfold.domain.report.fold.fold`.
        remarks: Likewise.
    """
    given = own_answers(run, manifest, answers)
    collectors = {entry.name: _entry(entry, given.get(entry.name)) for entry in manifest}
    end_time = run.end_time or end_of(run, list(given.values()))
    closing = Verdict(run.verdict or RunStatus.FAILED, run.about, summary_of(collectors), end_time)
    late = _lates(lates, given, end_time)
    report = report_of(run, closing, collectors, revision)
    return report | {
        "summary": dict(closing.summary) | {"late": len(late)},
        "late": late,
        "changes": [*remarks, *map(change_words, late)] if revision > 1 else [],
    }


def failed(
    run: Run,
    manifest: Sequence[Entry],
    answers: Sequence[Answer],
    why: BaseException,
    now: datetime,
) -> Verdict:
    """Return the closing of a *run* that ends as failed at *now*, because of *why*.

    A run that was closed before keeps its end, and one that was closed so keeps its sentence:
    whoever repeats this gets the same.
    """
    end_time = run.end_time or now
    closed = replace(run, phase=Phase.FINAL, verdict=RunStatus.FAILED, end_time=end_time)
    closing = closing_of(fallback(closed, manifest, answers))
    if is_fallback(run):
        return closing
    said = str(why) if isinstance(why, FanfoldError) else f"{type(why).__name__}: {why}"
    good, total = closing.summary["succeeded"], closing.summary["total"]
    score = f"{count(good)} of {count(total - closing.summary['skipped'])} succeeded"
    return replace(closing, about=f"{CANNOT}{one_line(said, MAX_WHY_CHARS)} ({score})")


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


def _lates(
    lates: Sequence[LateAnswer], given: Mapping[str, Answer], end_time: datetime
) -> list[ReportEntry]:
    told = []
    for late in lates:
        with suppress(Exception):
            one = late_entry(late, given.get(late.answer.collector), end_time)
            if _is_storable(one):
                told.append(one)
    return told
