"""Dispatch: turn a run request into a run, and publish one job for each asked collector.

Every step is safe to repeat. A repeated request finds the run and goes on at the step that was
not done (DESIGN, "the protocol"): an existing record never means that somebody else will finish.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from fanfold.app.finish import Finisher
from fanfold.domain.model import names
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.request import Arrival, RunRequest
from fanfold.domain.model.run import Entry, Run, Trigger
from fanfold.domain.model.states import Phase, RunStatus
from fanfold.domain.rules import claim, plan
from fanfold.domain.syntax.traceparent import trace_id_of
from fanfold.messages import events, topology
from fanfold.ports.bus import Bus, Message
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import Clock

T = TypeVar("T")

#: Jobs made or published in one call: what one Firestore commit and one Pub/Sub publish take.
BATCH = 500


def dispatch(
    request: RunRequest,
    arrival: Arrival,
    *,
    catalogue: Catalogue,
    ledger: Ledger,
    bus: Bus,
    clock: Clock,
    writer: str,
    finisher: Finisher,
) -> Run:
    """Start the run that *request* asks for, or take it further, and return it.

    Raises:
        Rejected: The request cannot start a run; see :func:`refuse`.
    """
    run_id = plan.identify(request, arrival, catalogue)
    run = ledger.run(run_id)
    if run is None:
        now = clock.now()
        plan.check_age(arrival, catalogue, now=now)
        every = [collector.name for collector in catalogue.collectors]
        manifest = plan.plan(
            request, arrival, catalogue, pasts=ledger.pasts(every), busy=ledger.busy(every)
        )
        run = plan.make_run(
            run_id,
            request,
            arrival,
            catalogue,
            manifest,
            now=now,
            writer=writer,
            trace_id=trace_id_of(run_id, request.traceparent),
        )
        if request.dry_run:
            return _note(ledger, _as_notice(run, RunStatus.PLANNED, _plan_text(manifest)))
        if not ledger.create_run(run, manifest):
            # Somebody else's record stands; it is taken further, not left to them.
            run, manifest = ledger.run(run_id) or run, ()
        return carry_on(
            run, ledger=ledger, bus=bus, clock=clock, finisher=finisher, manifest=manifest
        )
    return carry_on(run, ledger=ledger, bus=bus, clock=clock, finisher=finisher)


def carry_on(
    run: Run,
    *,
    ledger: Ledger,
    bus: Bus,
    clock: Clock,
    finisher: Finisher,
    manifest: Sequence[Entry] = (),
) -> Run:
    """Do the steps of dispatching *run* that are not done, and return the run as it then stands.

    *manifest* saves reading it again for whoever has just stored it.
    """
    if run.is_notice:
        return run
    if run.phase is not Phase.FINAL and run.dispatched_at is None:
        asked = [e for e in manifest or ledger.manifest(run.run_id) if e.skip is None]
        if run.phase is Phase.PREPARING:
            for batch in _batches(asked):
                jobs = [claim.new_job(run, entry.name, clock.now()) for entry in batch]
                ledger.create_jobs(run.run_id, jobs)
            ledger.open_run(run.run_id)
        done = {answer.collector for answer in ledger.answers(run.run_id)}
        publish_jobs(run, [e.name for e in asked if e.name not in done], bus=bus, at=clock.now())
        ledger.mark_dispatched(run.run_id, clock.now())
    if run.phase is Phase.FINAL or run.asked == 0:
        finisher.finish(run.run_id)
    return ledger.run(run.run_id) or run


def publish_jobs(run: Run, collectors: Sequence[str], *, bus: Bus, at: datetime) -> None:
    """Publish the jobs of *collectors*, and return once all are confirmed."""
    for batch in _batches(collectors):
        bus.publish(
            topology.COLLECTOR_JOBS,
            [events.encode_job(run.run_id, name, trace_id=run.trace_id, at=at) for name in batch],
        )


def refuse(
    problems: Sequence[str],
    message: Message,
    arrival: Arrival,
    *,
    ledger: Ledger,
    clock: Clock,
    writer: str,
    keep_s: float,
) -> Run:
    """Record a request that cannot start a run, where the people who sent it will look.

    The record's id is made from the message, so a redelivery finds it there.
    """
    run_id = f"{names.ad_hoc_run_id(arrival.published_at, arrival.message_id)}-rejected"
    schedule = message.attributes.get("schedule")
    trigger = Trigger(
        "schedule" if schedule else "ad_hoc",
        by=schedule[:100] if schedule else None,
        message_id=arrival.message_id,
    )
    about = "not started: " + "; ".join(problem[:300] for problem in problems[:10])
    return _note(
        ledger,
        notice(
            run_id,
            RunStatus.REJECTED,
            about,
            trigger=trigger,
            at=clock.now(),
            writer=writer,
            keep_s=keep_s,
        ),
    )


def notice(
    run_id: str,
    status: RunStatus,
    about: str,
    *,
    trigger: Trigger,
    at: datetime,
    writer: str,
    keep_s: float,
    scheduled_for: datetime | None = None,
) -> Run:
    """Return a record that stands among the runs and asked nobody, final from the start."""
    blank = Run(
        run_id=run_id,
        writer=writer,
        trigger=trigger,
        start_time=at,
        deadline=at,
        scheduled_for=scheduled_for,
        total=0,
        asked=0,
        timezone="UTC",
        tolerated_failures=0,
        report_to="",
        config_version="",
        retry_of=None,
        expires_at=at + timedelta(seconds=keep_s),
    )
    return _as_notice(blank, status, about)


def _as_notice(run: Run, status: RunStatus, about: str) -> Run:
    return replace(
        run,
        phase=Phase.FINAL,
        verdict=status,
        about=about,
        dispatched_at=run.start_time,
        announced_at=run.start_time,
        end_time=run.start_time,
    )


def _note(ledger: Ledger, record: Run) -> Run:
    ledger.create_run(record, ())
    return ledger.run(record.run_id) or record


def _plan_text(manifest: Sequence[Entry]) -> str:
    asked = [entry.name for entry in manifest if entry.skip is None]
    skipped = [f"{entry.name} ({entry.skip.reason})" for entry in manifest if entry.skip]
    text = f"planned only: would run {', '.join(asked) or 'nothing'}"
    return text + (f"; would skip {', '.join(skipped)}" if skipped else "")


def _batches(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[start : start + BATCH] for start in range(0, len(items), BATCH)]
