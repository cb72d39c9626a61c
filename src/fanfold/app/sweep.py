"""Sweep: the periodic pass that closes and repairs what events alone would leave open.

It looks at every run that is not announced. Each of its actions is one of the protocol's own
repeatable steps, so overlapping sweeps, and a sweep that dies anywhere, are harmless.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from fanfold.app.dispatch import carry_on, publish_jobs
from fanfold.app.finish import Finisher
from fanfold.app.note_schedules import note_schedules
from fanfold.app.notices import notice
from fanfold.app.own_clocks import over_by_own_clocks
from fanfold.app.proof_of_life import publish_if_due
from fanfold.app.upstreams import down_now, may_come_out
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import FanfoldError, Transient, words_of
from fanfold.domain.model.request import Arrival, RunRequest
from fanfold.domain.model.run import Answer, Entry, Failure, Job, Run, Trigger
from fanfold.domain.model.states import Outcome, Phase, RunStatus
from fanfold.domain.model.unreadable import UnreadableRun
from fanfold.domain.report.figures import missed_figures
from fanfold.domain.rules import claim, overdue, pacing, plan
from fanfold.domain.rules.answering import closed_answer, unanswered
from fanfold.messages import events, topology
from fanfold.ports.bus import Bus
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import Clock

#: A dispatch that has not ended after this long is taken up by the sweep, in seconds.
RESUME_AFTER_S = 30.0

#: A job whose message left this long ago and which nobody holds is published again, in seconds.
#: Longer than a push delivery may take, so that queued jobs are not doubled each minute.
REDRIVE_AFTER_S = 900.0

#: In a short run sooner: after this part of it, so that a lost job still has time to be done.
REDRIVE_AFTER_PART = 0.25

#: Of the slots that are missed at once so many, the newest, are kept in the memory of collectors.
MOST_REMEMBERED = 10


@dataclass(slots=True)
class Swept:
    """What one sweep did: run ids by action, and the trouble it met, a sentence each."""

    resumed: list[str] = field(default_factory=list)
    redriven: list[str] = field(default_factory=list)
    timed_out: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    revised: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    #: By trace id: the answers given in the place of collectors, and the first reports of runs.
    answers: list[tuple[str, Answer]] = field(default_factory=list, compare=False)
    reports: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list, compare=False)
    is_clock_trusted: bool = field(default=True, compare=False)

    @property
    def by_action(self) -> Mapping[str, list[str]]:
        """Return the run ids by action, and the trouble, in the order of a run's life."""
        return {
            "resumed": self.resumed,
            "redriven": self.redriven,
            "timed_out": self.timed_out,
            "finished": self.finished,
            "revised": self.revised,
            "missed": self.missed,
            "trouble": self.trouble,
        }


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Sweeps. Holds the ports that it needs, and no state.

    ``redrive_after_s`` and ``resume_after_s``: see the constants of this module; both are
    shortened to :data:`REDRIVE_AFTER_PART` of a short run.
    """

    ledger: Ledger
    bus: Bus
    clock: Clock
    finisher: Finisher
    writer: str
    redrive_after_s: float = REDRIVE_AFTER_S
    resume_after_s: float = RESUME_AFTER_S

    def sweep(self, catalogue: Catalogue | None = None, *, is_clock_trusted: bool = True) -> Swept:
        """Take every run that is not announced as far as it can go now.

        One run's trouble does not keep the others from being swept: it is in the result.
        With a *catalogue*, a slot that stayed without a run gets a *missed* record. By a clock
        that is not trusted, no collector has waited too long or fallen silent.
        """
        swept = Swept(is_clock_trusted=is_clock_trusted)
        for run in self.ledger.unannounced():
            with _noting_trouble(run.run_id, swept):
                self._sweep_run(run, swept)
        with _noting_trouble("late answers", swept):
            self._revise(swept)
        if catalogue is not None:
            with _noting_trouble("missed slots", swept):
                self._note_missed(catalogue, swept)
            with _noting_trouble("proof of life", swept):
                publish_if_due(catalogue, self.ledger, self.bus, self.clock.now())
        swept.trouble += self.ledger.unreadable()
        return swept

    def _revise(self, swept: Swept) -> None:
        """List the evidence whose keeper died before a report listed it."""
        for run in self.ledger.unlisted():
            if isinstance(run, UnreadableRun):
                continue  # it waits for whoever mends the record
            with _noting_trouble(run.run_id, swept):
                self.finisher.revise(run.run_id)
                swept.revised.append(run.run_id)

    def _sweep_run(self, run: Run, swept: Swept) -> None:
        now = self.clock.now()
        if isinstance(run, UnreadableRun):
            self._keep(run, self.finisher.finish(run.run_id), swept)
        elif now >= run.deadline:
            self._end(run, now, swept)
        elif run.phase is Phase.FINAL:
            self._finish(run, swept)
        elif run.dispatched_at is None:
            if (now - run.start_time).total_seconds() >= _at_most(self.resume_after_s, run):
                carry_on(
                    run,
                    ledger=self.ledger,
                    bus=self.bus,
                    clock=self.clock,
                    finisher=self.finisher,
                )
                swept.resumed.append(run.run_id)
        elif self.ledger.all_answered(run.run_id, run.asked):
            self._finish(run, swept)
        else:
            self._redrive(run, now, swept)

    def _finish(self, run: Run, swept: Swept, *, must_end: bool = False) -> None:
        self._keep(run, self.finisher.finish(run.run_id, must_end=must_end), swept)
        swept.finished.append(run.run_id)

    def _end(self, run: Run, now: datetime, swept: Swept) -> None:
        """End a run whose deadline has passed, whatever is stored of it."""
        try:
            if run.phase is not Phase.FINAL:
                self._time_out(run, now, swept)
        except Transient:
            raise
        except Exception as exc:  # noqa: BLE001 - its answers cannot be read or completed
            self._keep(run, self.finisher.close_as_failed(run.run_id, exc), swept)
        self._finish(run, swept, must_end=True)

    def _keep(self, run: Run, report: Mapping[str, Any] | None, swept: Swept) -> None:
        if report is not None:
            swept.reports.append((run.trace_id, report))

    def _time_out(self, run: Run, now: datetime, swept: Swept) -> None:
        """Answer for every collector that did not; the first answer stays, as always."""
        jobs = {job.collector: job for job in self.ledger.jobs(run.run_id)}
        done = {answer.collector for answer in self.ledger.answers(run.run_id)}
        asked = self._asked(run)
        down = down_now(jobs.values(), asked, self.ledger)
        for entry in asked:
            if entry.name not in done:
                job = jobs.get(entry.name) or claim.new_job(run, entry.name, run.start_time)
                self._answer_late(run, job, unanswered(job, down.get(entry.name)), now, swept)

    def _redrive(self, run: Run, now: datetime, swept: Swept) -> None:
        redrive_after_s = _at_most(self.redrive_after_s, run)
        jobs = self.ledger.jobs(run.run_id)
        # Where every job was begun none can be held back, and the manifest need not be read.
        has_waiting = any(
            job.is_waiting or (not job.answered and (not job.started or job.accepted_until))
            for job in jobs
        )
        manifest = self.ledger.manifest(run.run_id) if has_waiting else ()
        due = pacing.due(manifest, jobs, run, now)
        over = self._end_by_own_clocks(run, manifest, jobs, now, swept)
        again = [name for name in due.publish if name not in over]
        waiting = [job for job in jobs if job.collector not in over]
        out = may_come_out(waiting, manifest, due.free, ledger=self.ledger, now=now)
        for job in jobs:
            is_in_hand = job.answered or job.leased_at(now) or job.is_waiting
            if is_in_hand or job.collector in due.leave_alone | over:
                continue
            if job.accepted_until is not None:
                if now >= job.accepted_until:
                    why = Failure("timeout", "accepted the job and never reported")
                    self._answer_late(run, job, (Outcome.TIMED_OUT, why), now, swept)
            elif not (job.not_before and now < job.not_before) and (
                (now - job.published_at).total_seconds() >= redrive_after_s
            ):
                again.append(job.collector)
        if again or out:
            publish_jobs(run, [*again, *out], bus=self.bus, at=now)
        if again or due.note:
            self.ledger.republished(run.run_id, [*again, *due.note], now)
        if again or out:
            swept.redriven.append(run.run_id)
        if self.ledger.all_answered(run.run_id, run.asked):
            self._finish(run, swept)

    def _end_by_own_clocks(
        self, run: Run, manifest: Sequence[Entry], jobs: Sequence[Job], now: datetime, swept: Swept
    ) -> frozenset[str]:
        """Answer for those that waited too long, or fell silent; return them."""
        if not swept.is_clock_trusted:
            return frozenset()
        over = over_by_own_clocks(run, manifest, jobs, ledger=self.ledger, now=now)
        for job, why in over:
            self._answer_late(run, job, (Outcome.TIMED_OUT, why), now, swept)
        return frozenset(job.collector for job, _ in over)

    def _answer_late(
        self, run: Run, job: Job, end: tuple[Outcome, Failure], now: datetime, swept: Swept
    ) -> None:
        outcome, why = end
        answer = closed_answer(outcome, job, why, writer=self.writer, now=now)
        if self.ledger.record(answer).writer == answer.writer:
            swept.answers.append((run.trace_id, answer))
        swept.timed_out.append(f"{job.run_id}/{job.collector}")

    def _asked(self, run: Run) -> Sequence[Entry]:
        return [entry for entry in self.ledger.manifest(run.run_id) if entry.skip is None]

    def _note_missed(self, catalogue: Catalogue, swept: Swept) -> None:
        """Record each slot that was missed, once; see :mod:`fanfold.domain.rules.overdue`.

        Those that are found together are told together. Events are published before anything is
        recorded, and what was judged is noted last: a crash in between repeats, and loses none.
        """
        now = self.clock.now()
        known = note_schedules(self.ledger, catalogue, now)
        judged = overdue.missed_slots(catalogue, known, self.ledger, now)
        if judged.until is None:
            return
        notices = [self._missed(slot, catalogue, now) for slot in judged.missed]
        notices = [each for each in notices if self.ledger.run(each.run_id) is None]
        slots = [each.scheduled_for for each in notices if each.scheduled_for is not None]
        messages = [events.encode_notice(each, at=now, together=slots) for each in notices]
        if messages:
            self.bus.publish(topology.RUN_REPORTS, messages)
        for number, record in enumerate(notices, start=1):
            due = _planned(record, catalogue)
            # The newest gaps show in the past of the collectors; more would leave no other past.
            is_remembered = len(notices) - number < MOST_REMEMBERED
            if self.ledger.create_run(record, due):
                if is_remembered:
                    self.ledger.remember(record.run_id, missed_figures(record, due))
                swept.missed.append(record.run_id)
        self.ledger.note_schedules(replace(known, judged_until=judged.until))

    def _missed(self, slot: datetime, catalogue: Catalogue, now: datetime) -> Run:
        return notice(
            overdue.missed_run_id(slot, catalogue),
            RunStatus.MISSED,
            f"missed: no run came for the slot of {slot:%Y-%m-%d %H:%M} UTC",
            trigger=Trigger("schedule", catalogue.schedule),
            at=now,
            writer=self.writer,
            keep_s=catalogue.keep_s,
            scheduled_for=slot,
        )


def _planned(record: Run, catalogue: Catalogue) -> Sequence[Entry]:
    """Return the manifest that the run of the missed slot would have had."""
    slot = record.scheduled_for or record.start_time
    request = RunRequest(schedule=catalogue.schedule, slot=slot)
    return plan.plan(request, Arrival(record.run_id, slot), catalogue, histories={}, busy={})


@contextmanager
def _noting_trouble(what: str, swept: Swept) -> Iterator[None]:
    """Note what goes wrong with *what*, so that the rest is swept all the same."""
    try:
        yield
    except FanfoldError as exc:
        swept.trouble.append(f"{what}: {exc}")
    except Exception as exc:  # noqa: BLE001 - a bug that one run meets must not stop the others
        swept.trouble.append(f"{what}: a bug, please report it: {words_of(exc)}")


def _at_most(wait_s: float, run: Run) -> float:
    length_s = (run.deadline - run.start_time).total_seconds()
    return min(wait_s, length_s * REDRIVE_AFTER_PART)
