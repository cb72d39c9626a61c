"""Notices: records that stand among the runs and asked nobody: rejected, missed, planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from fanfold.domain.model import names
from fanfold.domain.model.request import Arrival
from fanfold.domain.model.run import Entry, Run, Trigger
from fanfold.domain.model.states import Phase, RunStatus
from fanfold.domain.syntax.traceparent import ids_of
from fanfold.messages import events
from fanfold.ports.bus import Message
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import Clock


def refuse(
    problems: Sequence[str],
    message: Message,
    arrival: Arrival,
    *,
    asked_id: str | None,
    ledger: Ledger,
    clock: Clock,
    writer: str,
    keep_s: float,
) -> Run:
    """Record a request that cannot start a run, where the people who sent it will look.

    The record's id is the one that the request asked for with ``-rejected`` behind it, or else one
    made from the message: a redelivery finds it there, and the id stays free for a better request.

    Args:
        problems: A sentence for each thing that is wrong.
        message: The request.
        arrival: How it came.
        asked_id: The id that its run would have had, where that much can be read.
        ledger: Where the record goes.
        clock: Tells its time.
        writer: Whoever writes it.
        keep_s: How long it is kept, in seconds.
    """
    by_message = names.ad_hoc_run_id(arrival.published_at, arrival.message_id)
    schedule = message.attributes.get("schedule")
    record = notice(
        names.refused_id(asked_id or by_message),
        RunStatus.REJECTED,
        "not started: " + "; ".join(problem[:300] for problem in problems[:10]),
        trigger=Trigger(
            "schedule" if schedule else "ad_hoc",
            by=schedule[:100] if schedule else None,
            message_id=arrival.message_id,
        ),
        at=clock.now(),
        writer=writer,
        keep_s=keep_s,
    )
    trace = ids_of(events.traceparent_in(message) or "")
    record = replace(record, trace_id=trace[0] if trace else "")
    stored = keep(ledger, record)
    if stored.trigger.message_id == arrival.message_id:
        return stored
    # An earlier request asked for the same id and was refused too: each has its record.
    return keep(ledger, replace(record, run_id=names.refused_id(by_message)))


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
    return as_notice(blank, status, about)


def planned(run: Run, manifest: Sequence[Entry]) -> Run:
    """Return *run* as the record of what it would do; its sentence names who would be asked."""
    asked = [entry.name for entry in manifest if entry.skip is None]
    kept = [entry.name for entry in manifest if entry.carried]
    skipped = [
        f"{entry.name} ({entry.skip.reason})"
        for entry in manifest
        if entry.skip and not entry.carried
    ]
    text = f"planned only: would run {', '.join(asked) or 'nothing'}"
    text += f"; would keep the answers of {', '.join(kept)}" if kept else ""
    text += f"; would skip {', '.join(skipped)}" if skipped else ""
    return as_notice(run, RunStatus.PLANNED, text)


def as_notice(run: Run, status: RunStatus, about: str) -> Run:
    """Return *run* as a record of *status* that never runs."""
    return replace(
        run,
        phase=Phase.FINAL,
        verdict=status,
        about=about,
        dispatched_at=run.start_time,
        announced_at=run.start_time,
        end_time=run.start_time,
    )


def keep(ledger: Ledger, record: Run) -> Run:
    """Store *record* if its id is free, and return what is stored under it."""
    ledger.create_run(record, ())
    return ledger.run(record.run_id) or record
