"""Heartbeat: what the monitor of ``notify.heartbeat`` hears of an event, or that it hears nothing.

A monitor such as Healthchecks expects a beat for each slot. It raises the alarm if none comes, if
one says *fail*, or if a start is not followed by an end. So runs by hand send nothing, no start is
sent after its run's end, and an older slot is not told after a newer one.
"""

from __future__ import annotations

from datetime import datetime

from fanfold.domain.model.run import Run
from fanfold.domain.model.states import Phase, RunStatus
from fanfold.messages import events, records
from fanfold.messages.events import RunEvent
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import Beat

#: How many of the newest runs are looked at for the run of a newer slot.
_LOOKED_AT = 100


def beat_of(event: RunEvent, ledger: Ledger) -> Beat | None:
    """Return what a monitor is sent for *event*, None for nothing."""
    if event.kind == events.RUN_MISSED:
        slot = _instant(event.document.get("scheduled_for"))
        about = str(event.document.get("about", ""))
        return _newest(Beat(event.run_id, "fail", about), slot, ledger)
    run = ledger.run(event.run_id)
    if run is None or run.scheduled_for is None:
        return None
    if event.kind == events.RUN_STARTED:
        if run.phase is Phase.FINAL:
            return None
        # The end of an older slot's run, as of a backfill, is not sent: nor is its start.
        return _newest(Beat(run.run_id, "start", ""), run.scheduled_for, ledger)
    is_end = event.kind == events.RUN_FINISHED and event.document.get("revision") == 1
    return end_of(run, ledger) if is_end else None


def end_of(run: Run | None, ledger: Ledger) -> Beat | None:
    """Return the beat that ends *run*, None if it goes on or the run of a newer slot has ended."""
    if run is None or run.phase is not Phase.FINAL:
        return None
    signal = "success" if run.status is RunStatus.SUCCEEDED else "fail"
    return _newest(Beat(run.run_id, signal, run.about), run.scheduled_for, ledger)


def _newest(beat: Beat, slot: datetime | None, ledger: Ledger) -> Beat | None:
    if slot is None:
        return None
    newer = any(
        run.scheduled_for is not None and run.scheduled_for > slot
        for run in ledger.runs_between(slot, None, _LOOKED_AT)
        if run.phase is Phase.FINAL
    )
    return None if newer else beat


def _instant(text: object) -> datetime | None:
    try:
        return records.instant(str(text))
    except ValueError:
        return None
