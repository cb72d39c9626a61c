"""Dispatch: turn a run request into a run, and publish one job for each asked collector.

Every step is safe to repeat. A repeated request finds the run and goes on at the step that was
not done (DESIGN, "the protocol"): an existing record never means that somebody else will finish.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from fanfold.app import notices
from fanfold.app.finish import Finisher
from fanfold.app.retried import retried_by
from fanfold.domain.model.collector import Catalogue, CollectorHistory
from fanfold.domain.model.errors import Rejected
from fanfold.domain.model.request import Arrival, RunRequest
from fanfold.domain.model.run import Entry, Run
from fanfold.domain.model.states import Phase
from fanfold.domain.rules import claim, pacing, plan, slots
from fanfold.domain.rules.pauses import Pauses
from fanfold.domain.rules.retry import Retried
from fanfold.domain.syntax.traceparent import trace_id_of
from fanfold.messages import events, topology
from fanfold.ports.bus import Bus
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import Clock

T = TypeVar("T")

#: Jobs made or published in one call: what one Firestore commit and one Pub/Sub publish take.
BATCH = 450


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
    is_paced: bool = False,
) -> Run:
    """Start the run that *request* asks for, or take it further, and return it.

    Args:
        request: What was asked for.
        arrival: How the request came.
        catalogue: The configuration.
        ledger: Where the run is kept.
        bus: Where the jobs go.
        clock: Gives the run's start.
        writer: Whoever creates the record.
        finisher: Finishes a run that asks nobody.
        is_paced: Whether too many jobs at once would be refused; see
            :mod:`fanfold.domain.rules.pacing`.

    Raises:
        Rejected: The request cannot start a run; see :func:`fanfold.app.notices.refuse`.
        SchedulePaused: A schedule asks, and it is paused: there is no run, and no record.
    """
    run = ledger.run(plan.identify(request, arrival, catalogue))
    if run is not None and slots.is_asked_again(request, arrival, run, catalogue.timezone):
        instead = slots.instead_of_slot(run)
        again = Rejected([f"{slots.already_has(run)}; `{instead}`"])
        again.run_id = run.run_id
        raise again
    manifest: Sequence[Entry] = ()
    if run is not None and run.retry_of != request.retry_of and request.retry_of is not None:
        raise Rejected([f"the id of a retry of {request.retry_of} is taken: {run.run_id}"])
    if run is None:
        every = [collector.name for collector in catalogue.collectors]
        run, manifest = draft(
            request,
            arrival,
            catalogue,
            histories=ledger.histories(every),
            busy=ledger.busy(every),
            now=clock.now(),
            writer=writer,
            retried=retried_by(request, ledger),
            paused=ledger.pauses(),
        )
        if run.is_notice:
            return notices.keep(ledger, run)
        if is_paced:
            manifest = pacing.chained(manifest, catalogue)
        if not ledger.create_run(run, manifest):
            # Somebody else's record stands; it is taken further, not left to them.
            run, manifest = ledger.run(run.run_id) or run, ()
    return carry_on(
        run,
        ledger=ledger,
        bus=bus,
        clock=clock,
        finisher=finisher,
        manifest=manifest,
        tell_start="heartbeat" in catalogue.notify,
    )


def draft(
    request: RunRequest,
    arrival: Arrival,
    catalogue: Catalogue,
    *,
    histories: Mapping[str, CollectorHistory],
    busy: Mapping[str, str],
    now: datetime,
    writer: str,
    retried: Retried | None = None,
    paused: Pauses = (),
) -> tuple[Run, tuple[Entry, ...]]:
    """Return the run that *request* starts, and its manifest; store nothing.

    For a dry run that is the record of the plan, which never runs. The dispatcher and the command
    line both ask here, so they say the same.

    Args:
        request: What was asked for.
        arrival: How the request came.
        catalogue: The configuration.
        histories: What earlier runs know of the collectors.
        busy: The open run that still waits for a collector, by collector.
        now: The run's start.
        writer: Whoever creates the record.
        retried: The run that the request retries, if it does: see :mod:`fanfold.app.retried`.
        paused: What is paused.

    Raises:
        Rejected: It cannot start; ``run_id`` is the id that the run would have had.
        SchedulePaused: A schedule asks, and it is paused.
    """
    run_id = plan.identify(request, arrival, catalogue)
    try:
        plan.check_age(arrival, catalogue, now=now)
        manifest = plan.plan(
            request,
            arrival,
            catalogue,
            histories=histories,
            busy=busy,
            retried=retried,
            paused=paused,
        )
    except Rejected as exc:
        exc.run_id = run_id
        raise
    run = plan.make_run(
        run_id,
        request,
        arrival,
        catalogue,
        manifest,
        now=now,
        writer=writer,
        trace_id=trace_id_of(run_id, request.traceparent),
        retried=retried,
    )
    return (notices.planned(run, manifest) if request.dry_run else run), manifest


def carry_on(
    run: Run,
    *,
    ledger: Ledger,
    bus: Bus,
    clock: Clock,
    finisher: Finisher,
    manifest: Sequence[Entry] = (),
    tell_start: bool = False,
) -> Run:
    """Do the steps of dispatching *run* that are not done, and return the run as it then stands.

    *manifest* saves reading it again for whoever has just stored it. ``tell_start`` publishes the
    event that the run of a slot began, for the monitor of ``notify.heartbeat``.
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
        unwanted = done.union(pacing.released_by(asked))
        wanted = [entry.name for entry in asked if entry.name not in unwanted]
        publish_jobs(run, wanted, bus=bus, at=clock.now())
        if tell_start and run.scheduled_for is not None:
            bus.publish(topology.RUN_REPORTS, [events.encode_started(run, at=clock.now())])
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


def _batches(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[start : start + BATCH] for start in range(0, len(items), BATCH)]
