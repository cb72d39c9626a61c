"""The fold: a run, its manifest and its answers become one report. Pure; same inputs, same report.

Answers are write-once, so whoever folds a full set gets the same report. What does not balance is
not folded at all: a report that misses a collector must never be written as green.

A run is *cancelled* when any of its answers is: somebody stopped it, so it says nothing about the
sources that were not asked to the end. Otherwise it is *failed* when more required collectors
failed or timed out than it tolerates, and *succeeded* when not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from fanfold import __version__
from fanfold.domain.model.run import Answer, Entry, Job, LateAnswer, Run, Verdict
from fanfold.domain.model.states import Phase, RunStatus
from fanfold.domain.report.balance import Balance, Unbalanced, paired
from fanfold.domain.report.entries import (
    ReportEntry,
    answered_entry,
    open_entry,
    said,
    skipped_entry,
    unasked_entry,
)
from fanfold.domain.report.late import change_words, late_entry
from fanfold.domain.report.tally import Tally, tally_of
from fanfold.domain.syntax.text import instant, one_line

#: The version of the report's shape. See report/report.schema.json.
SCHEMA_VERSION = 1


class Folding:
    """A report in the making. It takes the collectors one by one, and holds none of them.

    Args:
        run: The run, final or about to be.
        lates: Evidence that may be told in the report, in the order it was received.
    """

    def __init__(self, run: Run, lates: Sequence[LateAnswer] = ()) -> None:
        self.run = run
        self.tally = Tally()
        self._last: datetime | None = None
        self._balance = Balance(run)
        self._is_late = {late.answer.collector for late in lates}
        self._kept: dict[str, Answer] = {}

    def take(self, entry: Entry | None, answer: Answer | None) -> ReportEntry | None:
        """Return the part of the collector that *entry* and *answer* are of, to be written down.

        None for an answer that has no place in the manifest, and for a collector that misses one.
        """
        self._balance.take(entry, answer)
        if entry is None or (answer is None and entry.skip is None and not self.run.is_notice):
            return None
        self._note(answer)
        one = self._entry(entry, answer)
        self.tally.add(entry.name, one)
        return one

    @property
    def end_time(self) -> datetime:
        """When the run ended: with its last answer."""
        return self._last or self.run.start_time

    def closing(self) -> Verdict:
        """Return what finalizing adds to the run: the report's verdict, sentence, summary and end.

        Raises:
            Unbalanced: What was taken are not the answers of the collectors that were asked.
        """
        self._balance.check()
        run, summary = self.run, self.tally.summary()
        if run.is_notice and run.verdict is not None:
            end_time = run.end_time or run.start_time
            return Verdict(run.verdict, one_line(run.about), summary, end_time)
        if run.phase is Phase.FINAL and run.verdict is not None:
            return Verdict(run.verdict, run.about, summary, self.end_time)
        verdict = self._verdict()
        tolerated = run.tolerated_failures
        sentence = self.tally.about(verdict, tolerated=tolerated, timezone=run.timezone)
        return Verdict(verdict, sentence, summary, self.end_time)

    def report(
        self,
        lates: Sequence[LateAnswer] = (),
        *,
        revision: int = 1,
        remarks: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Return the report of what was taken; whoever took it has its ``collectors``.

        Args:
            lates: The evidence that it tells, of what the constructor was given.
            revision: 1 when the run is finalized, more once late evidence adds to it. From 2 on,
                ``changes`` says what is there that revision 1 could not say.
            remarks: What else ``changes`` says, first.

        Raises:
            Unbalanced: What was taken are not the answers of the collectors that were asked.
        """
        closing = self.closing()
        late = self._late(lates, closing.end_time)
        return report_of(self.run, closing, {}, revision, self.tally.groups.report()) | {
            "summary": dict(closing.summary) | {"late": len(late)},
            "late": late,
            "changes": [*remarks, *map(change_words, late)] if revision > 1 else [],
        }

    def _entry(self, entry: Entry, answer: Answer | None) -> ReportEntry:
        if entry.skip is not None:
            return unasked_entry(entry, entry.skip)
        if self.run.is_notice or answer is None:
            return skipped_entry(entry, "dry_run")
        return answered_entry(entry, answer)

    def _late(self, lates: Sequence[LateAnswer], end_time: datetime) -> list[ReportEntry]:
        return [self._late_entry(one, end_time) for one in lates]

    def _late_entry(self, late: LateAnswer, end_time: datetime) -> ReportEntry:
        return late_entry(late, self._kept.get(late.answer.collector), end_time)

    def _note(self, answer: Answer | None) -> None:
        if answer is None or self.run.is_notice:
            return
        self._last = max(self._last or answer.end_time, answer.end_time)
        if answer.collector in self._is_late:
            self._kept[answer.collector] = answer

    def _verdict(self) -> RunStatus:
        if self.tally.is_any_cancelled:
            return RunStatus.CANCELLED
        is_failed = self.tally.broken > self.run.tolerated_failures
        return RunStatus.FAILED if is_failed else RunStatus.SUCCEEDED


def fold(
    run: Run,
    manifest: Iterable[Entry],
    answers: Iterable[Answer],
    lates: Sequence[LateAnswer] = (),
    *,
    revision: int = 1,
    remarks: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the whole report of a run whose asked collectors all have their answer.

    The report of a final run has the verdict and the sentence that were stored with it.

    Args:
        run: The run, final or about to be.
        manifest: Every collector of its configuration.
        answers: One for each collector that was asked, in any order.
        lates: Evidence that came too late, in the order it was received.
        revision: See :meth:`Folding.report`.
        remarks: Likewise.

    Raises:
        Unbalanced: The answers are not those of the collectors that were asked.
    """
    return whole(Folding(run, lates), manifest, answers, lates, revision=revision, remarks=remarks)


def whole(
    folding: Folding,
    manifest: Iterable[Entry],
    answers: Iterable[Answer],
    lates: Sequence[LateAnswer],
    *,
    revision: int,
    remarks: Sequence[str],
) -> dict[str, Any]:
    """Return what *folding* makes of a run, with its collectors; see :func:`fold`."""
    collectors = {
        entry.name: one
        for entry, answer in paired(manifest, answers)
        if (one := folding.take(entry, answer)) is not None and entry is not None
    }
    return folding.report(lates, revision=revision, remarks=remarks) | {"collectors": collectors}


def fold_so_far(
    run: Run,
    manifest: Sequence[Entry],
    jobs: Sequence[Job],
    answers: Sequence[Answer],
    now: datetime,
) -> dict[str, Any]:
    """Return a report of the same shape for a run that still waits for answers, as at *now*.

    Its collectors without an answer are ``pending`` or ``running`` and are counted as such. What
    would not balance is told all the same: the run is not at its end.
    """
    if run.verdict is not None:
        return fold(run, manifest, answers)
    given = own_answers(run, manifest, answers)
    if all(entry.skip or entry.name in given for entry in manifest):
        with suppress(Unbalanced):
            return fold(run, manifest, answers)
    job_of = {job.collector: job for job in jobs}
    collectors: dict[str, ReportEntry] = {
        entry.name: unasked_entry(entry, entry.skip)
        if entry.skip
        else answered_entry(entry, given[entry.name])
        if entry.name in given
        else open_entry(entry, job_of.get(entry.name), now)
        for entry in manifest
    }
    tally = tally_of(collectors.items())
    sentence = tally.about(run.status, timezone=run.timezone)
    report = report_of(
        run,
        Verdict(run.status, sentence, tally.summary(), now),
        collectors,
        revision=0,
        groups=tally.groups.report(),
    )
    return report | {"end_time": None}


def closing_of(report: Mapping[str, Any]) -> Verdict:
    """Return what finalizing adds to a run, as its folded *report* already says it."""
    return Verdict(
        RunStatus(report["status"]),
        report["about"],
        report["summary"],
        datetime.fromisoformat(report["end_time"]),
    )


def own_answers(
    run: Run, manifest: Sequence[Entry], answers: Sequence[Answer]
) -> dict[str, Answer]:
    """Return the first answer of each collector that *run* asked, without any that is foreign."""
    asked = {entry.name for entry in manifest if entry.skip is None}
    given: dict[str, Answer] = {}
    for answer in answers:
        if answer.run_id == run.run_id and answer.collector in asked:
            given.setdefault(answer.collector, answer)
    return given


def report_of(
    run: Run,
    closing: Verdict,
    collectors: dict[str, ReportEntry],
    revision: int,
    groups: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the report with these *collectors* and this *closing*, without late answers."""
    seconds = (closing.end_time - run.start_time).total_seconds()
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": run.run_id,
        "revision": revision,
        "status": closing.verdict.value,
        "about": closing.about,
        "start_time": instant(run.start_time),
        "end_time": instant(closing.end_time),
        "duration_seconds": max(0.0, round(seconds, 3)),
        "scheduled_for": instant(run.scheduled_for) if run.scheduled_for else None,
        "deadline": instant(run.deadline),
        "timezone": run.timezone,
        "trigger": {
            "kind": run.trigger.kind,
            "by": said(run.trigger.by),
            "reason": said(run.trigger.reason),
            "message_id": said(run.trigger.message_id),
        },
        "retry_of": run.retry_of,
        # Always so where it is stored: a report is never written again. A command looks it up.
        "retried_by": None,
        "tolerated_failures": run.tolerated_failures,
        "summary": dict(closing.summary),
        "collectors": collectors,
        "groups": groups or {},
        "late": [],
        "changes": [],
        "config": {"version": run.config_version, "fanfold": __version__},
    }
