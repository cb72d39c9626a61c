"""A run and what is stored of it: manifest, jobs, attempts, answers. All values are frozen.

Lengths of time are floats in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fanfold.domain.model.collector import CollectorHistory, CollectorSpec
from fanfold.domain.model.instant import Instant
from fanfold.domain.model.states import NOTICES, Outcome, Phase, RunStatus
from fanfold.domain.model.upstream import Wait

#: The key in a stored run's summary that says how many late answers its report lists.
LATE_LISTED = "late_listed"

#: The key that holds what the report's changes say beside the late answers.
REMARKS = "remarks"

_OF_REPORT = (LATE_LISTED, REMARKS)


@dataclass(frozen=True, slots=True)
class Trigger:
    """Who or what asked for a run.

    ``kind`` is ``schedule``, ``ad_hoc`` or ``retry``; ``by`` the schedule's name, if any.
    """

    kind: str
    by: str | None = None
    reason: str | None = None
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """Why a collector is not asked in a run.

    ``reason`` is not_due, disabled, excluded, not_selected, overlap or paused, and in a retry also
    answered, gone or disabled_now; ``next_due`` the next time its cron fires, where that helps, or
    when its pause ends; ``note`` who paused it, since when and why.
    """

    reason: str
    next_due: Instant | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One collector of a run's manifest.

    ``skip`` is None for the collectors that are asked. ``queue_behind`` names the earlier run
    that must let go of this collector first (``on_overlap: queue``). ``releases`` names the
    collector whose job leaves when this one's place is free (:mod:`fanfold.domain.rules.pacing`).

    In a retry ``carried`` is the answer that an earlier try has, of a collector that is not asked
    again: then ``skip`` says why not. ``earlier`` are the tries whose answers do not stand, oldest
    first, and ``slot`` is the slot that the collector was asked for at first.
    """

    spec: CollectorSpec
    skip: Skip | None = None
    past: CollectorHistory = field(default_factory=CollectorHistory)
    queue_behind: str | None = None
    releases: str | None = None
    carried: Answer | None = None
    earlier: tuple[EarlierTry, ...] = ()
    slot: Instant | None = None

    @property
    def name(self) -> str:
        """The collector's name."""
        return self.spec.name


@dataclass(frozen=True, slots=True)
class Run:
    """One execution, with one report.

    The first block is fixed when the run is created. The second moves with the protocol; see
    :class:`fanfold.ports.ledger.Runs` for who writes it.

    Args:
        run_id: See :mod:`fanfold.domain.model.names`.
        writer: Whoever created the record, to recognise its own write after a lost reply.
        asked: How many collectors of the manifest are asked; the answers to wait for.
        tolerated_failures: How many required collectors may fail in a run that succeeds.
        report_to: Where the report goes: a folder's path or ``gs://bucket/prefix``.
        expires_at: When the record may be deleted.
        trace_id: 32 hex digits: one run is one trace.
    """

    run_id: str
    writer: str
    trigger: Trigger
    start_time: Instant
    deadline: Instant
    scheduled_for: Instant | None
    total: int
    asked: int
    timezone: str
    tolerated_failures: int
    report_to: str
    config_version: str
    retry_of: str | None
    expires_at: Instant
    trace_id: str = ""

    phase: Phase = Phase.PREPARING
    dispatched_at: Instant | None = None
    announced_at: Instant | None = None
    verdict: RunStatus | None = None
    about: str = ""
    summary: Mapping[str, Any] | None = None
    end_time: Instant | None = None
    revision: int = 0
    report: str | None = None

    @property
    def status(self) -> RunStatus:
        """What a person reads: see :class:`fanfold.domain.model.states.RunStatus`."""
        if self.verdict is not None:
            return self.verdict
        return RunStatus.DISPATCHING if self.dispatched_at is None else RunStatus.RUNNING

    @property
    def late_listed(self) -> int:
        """How many late answers the last revision of the report lists.

        As a rule each revision after the first lists one more. Where it does not, the summary
        says how many, under :data:`LATE_LISTED`.
        """
        listed: int = (self.summary or {}).get(LATE_LISTED, max(0, self.revision - 1))
        return listed

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the changes of the report say beside the late answers, each a sentence."""
        return tuple((self.summary or {}).get(REMARKS, ()))

    @property
    def is_notice(self) -> bool:
        """Whether this is a record among the runs that asked nobody (rejected, missed, …)."""
        return self.verdict in NOTICES


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a collector did not succeed.

    ``kind`` is one of http, network, timeout, wait_timeout, heartbeat, deadline, expectation,
    reported, bad_response, too_large, redirect, auth, cancelled, lost, or a word of the
    collector's own.
    """

    kind: str
    message: str
    retryable: bool = False

    def __str__(self) -> str:
        """Return the sentence, for log lines."""
        return self.message


@dataclass(frozen=True, slots=True)
class Attempt:
    """One HTTP call to a collector. ``outcome`` is succeeded, failed, retry, accepted or lost."""

    number: int
    start_time: Instant
    end_time: Instant
    outcome: str
    http_status: int | None = None
    error: Failure | None = None


@dataclass(frozen=True, slots=True)
class CheckedExpectation:
    """One expectation held against an answer."""

    name: str
    expected: Any
    actual: Any
    ok: bool
    severity: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a collector said in a run, or that it never did. Written once.

    ``writer`` tells two answers of the same collector apart. ``start_time`` is the start of the
    first attempt, None if there was none; ``queued_s`` the wait from publishing the job to it,
    without ``waited_s``, the wait for the source behind the collector (None if there was none).
    ``log`` are the last lines of the collector's own log, oldest first, if it sent any.
    ``data_until`` is the date up to which the data reach, and ``schema`` what its columns are
    (:mod:`fanfold.domain.protocol.columns`), where it said so.
    """

    run_id: str
    collector: str
    writer: str
    outcome: Outcome
    end_time: Instant
    start_time: Instant | None = None
    queued_s: float | None = None
    records: int | None = None
    bytes: int | None = None
    artifacts: tuple[str, ...] = ()
    revision: str | None = None
    unchanged: bool = False
    warnings: tuple[str, ...] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    error: Failure | None = None
    expectations: tuple[CheckedExpectation, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    log: tuple[str, ...] = ()
    waited_s: float | None = None
    data_until: str | None = None
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class EarlierTry:
    """How a collector ended in the run ``run_id``, before a retry asked it again."""

    run_id: str
    outcome: Outcome
    end_time: Instant
    error: Failure | None = None
    attempts: int = 0
    records: int | None = None


@dataclass(frozen=True, slots=True)
class LateAnswer:
    """Evidence: an answer that came when its collector had another, or its run was final."""

    answer: Answer
    received_at: Instant


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to invoke one collector for one run until ``until``.

    ``fence`` grows with every lease of the job, so that a holder can tell whether the lease is
    still its own. ``attempt`` counts from 1.
    """

    run_id: str
    collector: str
    fence: int
    holder: str
    attempt: int
    taken_at: Instant
    until: Instant


@dataclass(frozen=True, slots=True)
class Job:
    """What is known of one asked collector before its answer: the record that a person reads.

    ``published_at`` is when its message last left; ``attempts`` those that ended;
    ``started`` how many were begun; ``lease`` the live or last lease, None once released;
    ``not_before`` the end of the backoff; ``accepted_until`` when an asynchronous collector's
    time is up; ``progress`` what it last said of itself; ``wait`` how it waits, or waited, for the
    source behind the collector.
    """

    run_id: str
    collector: str
    published_at: Instant
    deadline: Instant
    fence: int = 0
    started: int = 0
    attempts: tuple[Attempt, ...] = ()
    lease: Lease | None = None
    not_before: Instant | None = None
    accepted_until: Instant | None = None
    progress: Mapping[str, Any] | None = None
    answered: bool = False
    wait: Wait | None = None

    @property
    def lost(self) -> int:
        """How many attempts were begun whose end nobody recorded, the live one included."""
        return self.started - len(self.attempts)

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for its source."""
        return self.wait is not None and self.wait.since is not None and not self.answered

    def queued_s(self, start: Instant) -> float:
        """Return how long its message waited for a relay before the attempt that began at *start*.

        The wait for its source, which a relay found it must make, is not part of that.
        """
        ends = start if self.wait is None else min(start, self.wait.first_at)
        return max(0.0, (ends - self.published_at).total_seconds())

    def leased_at(self, now: Instant) -> bool:
        """Return whether somebody holds the lease at *now*."""
        return self.lease is not None and now < self.lease.until


@dataclass(frozen=True, slots=True)
class Verdict:
    """What finalizing adds to a run: the same for whoever computes it."""

    verdict: RunStatus
    about: str
    summary: Mapping[str, Any]
    end_time: Instant


def summary_with(
    summary: Mapping[str, Any] | None, *, revision: int, late_listed: int, remarks: Sequence[str]
) -> Mapping[str, Any] | None:
    """Return the *summary* of a run once the report of *revision* is written.

    Args:
        summary: As it was.
        revision: Of the report.
        late_listed: How many late answers it lists.
        remarks: What its changes say beside them.
    """
    kept = {key: value for key, value in (summary or {}).items() if key not in _OF_REPORT}
    if late_listed != revision - 1:
        kept[LATE_LISTED] = late_listed
    if remarks:
        kept[REMARKS] = list(remarks)
    return kept or summary


@dataclass(frozen=True, slots=True)
class RunFigures:
    """What one run adds to a collector's history. ``outcome`` as in CollectorHistory.outcomes.

    ``slot`` is the slot that the run answered for, None where somebody asked at another time, and
    in what older versions stored.
    """

    collector: str
    outcome: str
    end_time: Instant
    records: int | None = None
    seconds: float | None = None
    revision: str | None = None
    slot: Instant | None = None
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class PastRun:
    """What one run left in the memory of one collector."""

    run_id: str
    figures: RunFigures
