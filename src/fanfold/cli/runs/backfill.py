"""Run one slot after the other, each under its own id, until all have their run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from fanfold.adapters.embedded.owners import Owner
from fanfold.cli.exit_codes import (
    CODE_OF_STATUS,
    FAILED,
    GAVE_UP,
    INTERRUPTED,
    OK,
    UNREACHABLE,
    USAGE,
    CommandError,
)
from fanfold.cli.interrupt import Interrupt, interruptible
from fanfold.cli.runs.backend import open_parts
from fanfold.cli.runs.execute import hosted, progress_of, publish, wait_for_notifications
from fanfold.cli.runs.follow import POLL_EVERY_S, POLL_FAR_EVERY_S, End, Follower
from fanfold.cli.runs.reports import check_report_folder
from fanfold.cli.session import Session
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.request import RunRequest
from fanfold.domain.model.run import Run
from fanfold.domain.syntax.text import weekday
from fanfold.runtime.parts import Parts

#: The codes of the ways in which a run is not waited for to its end.
_CODES = {End.TIMED_OUT: GAVE_UP, End.REFUSED: USAGE, End.UNWRITTEN: UNREACHABLE}


@dataclass(slots=True)
class Backfilled:
    """What became of the slots: their runs in order, and why it ended before all were run."""

    runs: list[Run] = field(default_factory=list)
    had_run: int = 0
    stopped: str = ""
    code: int = OK


def run_slots(
    session: Session,
    slots: Mapping[datetime, Sequence[str]],
    request: RunRequest,
    catalogue: Catalogue,
    *,
    wait_s: float | None,
    on_end: Callable[[Run], None],
) -> Backfilled:
    """Run *slots* one after the other; a signal stops it after the run that is under way.

    Args:
        session: Where, and what is told on the way.
        slots: The slots, in order.
        request: What to ask for in each of them.
        catalogue: The configuration.
        wait_s: How long to wait for each run, in seconds; None: as long as it takes.
        on_end: Told each run that ended.
    """
    done = Backfilled()
    check_report_folder(session, catalogue)
    with interruptible() as interrupt, open_parts(session) as (parts, owner):
        each_slot = _Slots(session, parts, owner, catalogue, wait_s)
        with hosted(session, parts, owner, catalogue):
            for number, slot in enumerate(slots, start=1):
                if interrupt.is_set():
                    done.stopped, done.code = "interrupted", INTERRUPTED
                    break
                when = f"{weekday(slot, catalogue.timezone)} {catalogue.timezone}"
                session.note(f"slot {number} of {len(slots)}: {when}")
                of_slot = replace(request, slot=slot)
                end = each_slot.run(of_slot, done)
                if end is not None:
                    on_end(end)
                if done.stopped:
                    break
            if owner is not None:
                wait_for_notifications(parts)
    failed = any(CODE_OF_STATUS[run.status.value] for run in done.runs)
    done.code = done.code or (FAILED if failed else OK)
    return done


@dataclass(frozen=True, slots=True)
class _Slots:
    """What each slot is run with."""

    session: Session
    parts: Parts
    owner: Owner | None
    catalogue: Catalogue
    wait_s: float | None

    def run(self, request: RunRequest, done: Backfilled) -> Run | None:
        """Run one slot to its end, note it in *done* and return its run, None if it has none."""
        session, parts = self.session, self.parts
        try:
            run_id, message_id = publish(session, parts, request, self.catalogue)
        except CommandError as exc:  # somebody else was quicker
            session.note(exc.text)
            done.had_run += 1
            return None
        progress = progress_of(session, concurrency=self.catalogue.max_concurrent_collectors)
        follower = Follower(
            parts,
            run_id,
            message_id,
            progress,
            Interrupt(),  # never set: a signal lets this run end
            wait_s=self.wait_s,
            poll_every_s=POLL_FAR_EVERY_S if self.owner is None else POLL_EVERY_S,
        )
        try:
            end = follower.follow()
        finally:
            progress.close()
        if follower.run is not None and end is End.ANNOUNCED:
            done.runs.append(follower.run)
            return follower.run
        about = follower.run.about if follower.run is not None else ""
        done.code = _CODES.get(end, UNREACHABLE)
        done.stopped = {
            End.TIMED_OUT: f"gave up waiting for run {run_id}, which goes on",
            End.UNWRITTEN: f"run {run_id} is final, but its report cannot be written",
        }.get(end, about or f"run {run_id} was refused")
        return None
