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
from fanfold.domain.model.errors import Permanent
from fanfold.domain.model.run import Answer, Entry, Job, LateAnswer, Run, Verdict
from fanfold.domain.model.states import CollectorState, Outcome, Phase, RunStatus
from fanfold.domain.report.entries import (
    ReportEntry,
    answered_entry,
    open_entry,
    said,
    skipped_entry,
    unasked_entry,
)
from fanfold.domain.report.late import change_words, late_entry
from fanfold.domain.report.sentences import about
from fanfold.domain.syntax.limits import MAX_STORED
from fanfold.domain.syntax.text import instant, one_line

#: The version of the report's shape. See report/report.schema.json.
SCHEMA_VERSION = 1


class Unbalanced(Permanent):
    """A report would not balance: a collector is missing, counted twice or does not belong."""


def fold(
    run: Run,
    manifest: Sequence[Entry],
    answers: Sequence[Answer],
    lates: Sequence[LateAnswer] = (),
    *,
    revision: int = 1,
    remarks: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the report of a run whose asked collectors all have their answer.

    The report of a final run has the verdict and the sentence that were stored with it.

    Args:
        run: The run, final or about to be.
        manifest: Every collector of its configuration.
        answers: One for each collector that was asked, in any order.
        lates: Evidence that came too late, in the order it was received.
        revision: 1 when the run is finalized, more once late evidence adds to it. From 2 on,
            ``changes`` says what is there that revision 1 could not say.
        remarks: What else ``changes`` says, first.

    Raises:
        Unbalanced: The answers are not those of the collectors that were asked.
    """
    given = by_collector(run, manifest, answers)
    collectors = _collectors(run, manifest, given)
    closing = _closing(run, collectors, answers)
    late = [late_entry(one, given.get(one.answer.collector), closing.end_time) for one in lates]
    changes = [*remarks, *map(change_words, late)] if revision > 1 else []
    report = report_of(run, closing, collectors, revision)
    return report | {
        "summary": dict(closing.summary) | {"late": len(late)},
        "late": late,
        "changes": changes,
    }


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
    collectors = {
        entry.name: unasked_entry(entry, entry.skip)
        if entry.skip
        else answered_entry(entry, given[entry.name])
        if entry.name in given
        else open_entry(entry, job_of.get(entry.name), now)
        for entry in manifest
    }
    sentence = about(run.status, collectors, timezone=run.timezone)
    report = report_of(
        run, Verdict(run.status, sentence, summary_of(collectors), now), collectors, revision=0
    )
    return report | {"end_time": None}


def closing(run: Run, manifest: Sequence[Entry], answers: Sequence[Answer]) -> Verdict:
    """Return what finalizing adds to *run*: the report's verdict, sentence, summary and end.

    Raises:
        Unbalanced: The answers are not those of the collectors that were asked.
    """
    collectors = _collectors(run, manifest, by_collector(run, manifest, answers))
    return _closing(run, collectors, answers)


def closing_of(report: Mapping[str, Any]) -> Verdict:
    """Return what finalizing adds to a run, as its folded *report* already says it."""
    return Verdict(
        RunStatus(report["status"]),
        report["about"],
        report["summary"],
        datetime.fromisoformat(report["end_time"]),
    )


def by_collector(
    run: Run, manifest: Sequence[Entry], answers: Sequence[Answer]
) -> Mapping[str, Answer]:
    """Return the answers by collector, once it is certain that they balance with the manifest."""
    if run.is_notice:
        return {}
    names = [entry.name for entry in manifest]
    asked = {entry.name for entry in manifest if entry.skip is None}
    given = {answer.collector: answer for answer in answers}
    problems = {
        "named twice": _twice(names),
        "answered twice": _twice([answer.collector for answer in answers]),
        "asked without an answer": sorted(asked - given.keys()),
        "answered without being asked": sorted(given.keys() - asked),
        "answered in another run": [a.collector for a in answers if a.run_id != run.run_id],
    }
    for what, who in problems.items():
        if who:
            listed = ", ".join(one_line(name, 63) for name in who[:3])
            raise Unbalanced(f"run {run.run_id!r} does not balance: {listed} {what}")
    if (run.total, run.asked) != (len(names), len(asked)):
        raise Unbalanced(
            f"run {run.run_id!r} does not balance: it says {run.asked} of {run.total} asked,"
            f" its manifest {len(asked)} of {len(names)}"
        )
    return given


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


def _twice(names: Sequence[str]) -> list[str]:
    seen: set[str] = set()
    return [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]


def _collectors(
    run: Run, manifest: Sequence[Entry], given: Mapping[str, Answer]
) -> dict[str, ReportEntry]:
    return {
        entry.name: unasked_entry(entry, entry.skip)
        if entry.skip
        else skipped_entry(entry, "dry_run")
        if run.is_notice
        else answered_entry(entry, given[entry.name])
        for entry in manifest
    }


def _closing(run: Run, collectors: dict[str, ReportEntry], answers: Sequence[Answer]) -> Verdict:
    summary = summary_of(collectors)
    if run.is_notice and run.verdict is not None:
        return Verdict(run.verdict, one_line(run.about), summary, run.end_time or run.start_time)
    if run.phase is Phase.FINAL and run.verdict is not None:
        return Verdict(run.verdict, run.about, summary, end_of(run, answers))
    verdict = _verdict(run, collectors)
    sentence = about(verdict, collectors, tolerated=run.tolerated_failures, timezone=run.timezone)
    return Verdict(verdict, sentence, summary, end_of(run, answers))


def _verdict(run: Run, collectors: Mapping[str, ReportEntry]) -> RunStatus:
    if any(one["status"] == CollectorState.CANCELLED for one in collectors.values()):
        return RunStatus.CANCELLED
    broken = sum(
        one["required"] and one["status"] in {CollectorState.FAILED, CollectorState.TIMED_OUT}
        for one in collectors.values()
    )
    return RunStatus.FAILED if broken > run.tolerated_failures else RunStatus.SUCCEEDED


def end_of(run: Run, answers: Sequence[Answer]) -> datetime:
    """Return when the run ended: with its last answer."""
    return max((answer.end_time for answer in answers), default=run.start_time)


def summary_of(collectors: Mapping[str, ReportEntry]) -> dict[str, Any]:
    """Return how many *collectors* ended in which way, and the sums over the successes."""
    statuses = [one["status"] for one in collectors.values()]
    good = [one for one in collectors.values() if one["status"] == CollectorState.SUCCEEDED]
    return {
        "total": len(statuses),
        **{state: statuses.count(state) for state in _COUNTED},
        "warnings": sum(_warnings(one) for one in collectors.values()),
        "records": _sum([one["records"] for one in good]),
        "bytes": _sum([one["bytes"] for one in good]),
        "late": 0,
    }


_COUNTED = (
    *(outcome.value for outcome in Outcome),
    CollectorState.SKIPPED.value,
    CollectorState.RUNNING.value,
    CollectorState.PENDING.value,
)


def _warnings(one: ReportEntry) -> int:
    odd: list[bool] = [
        not check["ok"] and check["severity"] == "warn" for check in one["expectations"]
    ]
    return len(one["warnings"]) + odd.count(True)


def _sum(numbers: Iterable[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return min(sum(known), MAX_STORED) if known else None


def report_of(
    run: Run, closing: Verdict, collectors: dict[str, ReportEntry], revision: int
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
        "late": [],
        "changes": [],
        "config": {"version": run.config_version, "fanfold": __version__},
    }
