"""Start one run and follow it to its end, or only plan it: what run, retry and demo share."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from fanfold.adapters.clock import SystemClock
from fanfold.adapters.embedded.bus import SqliteBus
from fanfold.adapters.embedded.owners import Owner
from fanfold.app.note_schedules import note_schedules
from fanfold.app.retried import retried_by
from fanfold.cli import run_options
from fanfold.cli.exit_codes import (
    CODE_OF_STATUS,
    GAVE_UP,
    INTERRUPTED,
    OK,
    UNREACHABLE,
    USAGE,
    CommandError,
)
from fanfold.cli.interrupt import interruptible
from fanfold.cli.output import nights
from fanfold.cli.output.outcome import LoadedReport, append_summary, print_outcome
from fanfold.cli.output.progress import CountingProgress, PlainProgress, ProgressView
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import (
    CHECK,
    RUN_WITH_ANOTHER_ID,
    SWEEP_LATER,
    go_on_with,
    next_line,
)
from fanfold.cli.run_options import RunOptions
from fanfold.cli.runs.backend import open_parts
from fanfold.cli.runs.follow import POLL_EVERY_S, POLL_FAR_EVERY_S, End, Follower
from fanfold.cli.runs.reports import check_report_folder, report_of
from fanfold.cli.runs.store import has_store, open_store
from fanfold.cli.session import Session
from fanfold.domain.model import names
from fanfold.domain.model.collector import Catalogue, Mode, sources_of
from fanfold.domain.model.errors import FanfoldError, Transient
from fanfold.domain.model.request import RunRequest
from fanfold.domain.model.run import Entry, Run
from fanfold.domain.report.fold import fold
from fanfold.domain.rules.overdue import answers_since
from fanfold.domain.rules.slots import already_has, instead_of_slot
from fanfold.domain.rules.upstream_words import source_lines
from fanfold.messages.run_request import encode_run_request
from fanfold.messages.topology import NOTIFICATIONS, RUN_REQUESTS
from fanfold.ports.ledger import Ledger
from fanfold.rendering import to_bytes
from fanfold.runtime.parts import Parts
from fanfold.runtime.service import embedded_service

#: How long a stop waits for calls under way, in seconds.
GRACE_S = 10.0

#: How long a run that is final waits until its targets of ``notify`` are told, in seconds.
TELL_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class RunCommand:
    """What to do with a request.

    ``wait_s`` bounds the waiting, in seconds; None does not. ``hint`` is the next command to
    type; None: what the report suggests.
    """

    request: RunRequest
    form: str = "table"
    wait: bool = True
    wait_s: float | None = None
    hint: str | None = None


def ask(
    session: Session, request: RunRequest, options: RunOptions, catalogue: Catalogue | None = None
) -> int:
    """Ask for *request*, or only say what would run; return the exit code.

    With a *catalogue*, that is the configuration, whatever the file says.
    """
    if options.dry_run:
        return _print_plan(session, request, options.form, catalogue or session.load().catalogue)
    command = RunCommand(request, options.form, wait=options.wait, wait_s=options.wait_s)
    return start_and_follow(session, command, catalogue)


def start_and_follow(
    session: Session, command: RunCommand, catalogue: Catalogue | None = None
) -> int:
    """Publish the request, work on it until its run is final, print it; return the exit code.

    With a *catalogue*, that is the configuration, whatever the file says.
    """
    given = None if catalogue is None else partial(_constant, catalogue)
    catalogue = catalogue or _configured(session)
    if catalogue is not None:
        check_report_folder(session, catalogue)
    with interruptible() as interrupt, open_parts(session, catalogue=given) as (parts, owner):
        run_id, message_id = publish(session, parts, command.request, catalogue)
        if not command.wait:
            out(run_id)
            return OK
        known = catalogue or Catalogue(())
        progress = progress_of(
            session,
            concurrency=known.max_concurrent_collectors,
            has_table=command.form == "table",
        )
        follower = Follower(
            parts,
            run_id,
            message_id,
            progress,
            interrupt,
            wait_s=command.wait_s,
            poll_every_s=POLL_FAR_EVERY_S if owner is None else POLL_EVERY_S,
        )
        with hosted(session, parts, owner, catalogue):
            try:
                end = follower.follow()
            finally:
                progress.close()
            if end is End.ANNOUNCED:
                if owner is not None:
                    wait_for_notifications(parts)
                return _conclude(session, parts, follower, end, command)
            if owner is not None:
                session.note(f"stopping: up to {GRACE_S:.0f} s for calls under way")
        return _conclude(session, parts, follower, end, command)


def _new_id(request: RunRequest, now: datetime) -> str:
    """Return the id of a run that is asked for by hand: a retry's follows from its run's."""
    if request.retry_of is not None:
        return names.retry_run_id(request.retry_of)
    return names.ad_hoc_run_id(now, uuid.uuid4().hex)


def wait_for_notifications(parts: Parts) -> None:
    """Return once the targets of ``notify`` were told, or :data:`TELL_WITHIN_S` are over.

    What is not told by then waits on the bus for the next process that works on the file.
    """
    bus = parts.bus
    assert isinstance(bus, SqliteBus)  # noqa: S101 - only the embedded backend is hosted here
    until = parts.clock.now() + timedelta(seconds=TELL_WITHIN_S)
    with suppress(Transient):  # the run is over, whatever keeps the file from being read
        while NOTIFICATIONS in bus.waiting() and parts.clock.now() < until:
            parts.clock.wait(POLL_EVERY_S)


def _constant(catalogue: Catalogue) -> Catalogue:
    return catalogue


def _configured(session: Session) -> Catalogue | None:
    """Return the configuration; None where it cannot be read here and need not be.

    On Google Cloud the dispatcher has its own, with the collectors' addresses: whoever asks for a
    run from elsewhere needs none.
    """
    if session.settings.backend == "embedded":
        return session.load().catalogue
    return session.catalogue_or_none("the dispatcher checks the request with its own")


def progress_of(session: Session, *, concurrency: int, has_table: bool = False) -> ProgressView:
    """Return the display that stderr can carry; one that counts where the table is read, too.

    With *has_table* stdout gets the table of collectors at the end: nobody is to read a row twice.
    """
    terminal = session.terminal
    if not terminal.is_live():
        plain = CountingProgress if has_table and terminal.has_one_reader() else PlainProgress
        return plain(terminal.note, concurrency=concurrency)
    from fanfold.cli.output.live import LiveProgress  # noqa: PLC0415 - rich is for terminals alone

    return LiveProgress(terminal, concurrency=concurrency)


def publish(
    session: Session, parts: Parts, request: RunRequest, catalogue: Catalogue | None
) -> tuple[str, str | None]:
    """Publish *request* unless its run is there; return the run's id and the message's.

    The message's id is None if the run is there, which is then gone on with.

    Raises:
        Rejected: It would be refused.
        CommandError: Its id belongs to a record that never runs, or its slot has a run.
    """
    if request.slot is not None:
        return _publish_slot(session, parts, request, catalogue)
    run_id = request.run_id or _new_id(request, parts.clock.now())
    request = replace(request, run_id=run_id)
    there = parts.ledger.run(run_id)
    if there is not None and there.is_notice:
        raise CommandError(
            f"the id {run_id} belongs to a record that never runs: {there.about}",
            RUN_WITH_ANOTHER_ID,
        )
    if there is not None:
        session.note(f"run {run_id} is there already: going on with it, as it was asked for then")
        return run_id, None
    # Refused here, nothing is published, and the refusal is not a record to clean up.
    if catalogue is not None:
        now = parts.clock.now()
        retried = retried_by(request, parts.ledger)
        run_options.planned(request, catalogue, now=now, histories={}, busy={}, retried=retried)
    return run_id, parts.bus.publish(RUN_REQUESTS, [encode_run_request(request)])[0]


def _publish_slot(
    session: Session, parts: Parts, request: RunRequest, catalogue: Catalogue | None
) -> tuple[str, str]:
    """Publish *request*, which is for a slot that has no run.

    Raises:
        Rejected: It would be refused.
        CommandError: The slot has a run, or nobody here knows the slots.
    """
    catalogue = catalogue or session.load().catalogue
    now = parts.clock.now()
    run, _ = run_options.planned(request, catalogue, now=now, histories={}, busy={})
    there = run_of_slot(parts.ledger, run.run_id, request.slot or now, now)
    if there is not None and not (request.force and there.run_id != run.run_id):
        raise CommandError(already_has(there), instead_of_slot(there))
    return run.run_id, parts.bus.publish(RUN_REQUESTS, [encode_run_request(request)])[0]


def run_of_slot(ledger: Ledger, own_id: str, slot: datetime, now: datetime) -> Run | None:
    """Return the slot's own run, or another one that was asked for by hand for this slot."""
    own = ledger.run(own_id)
    if own is not None:
        return own
    made_for = answers_since(slot, {}, ledger, now).made_for
    return ledger.run(made_for[slot]) if slot in made_for else None


@contextmanager
def hosted(
    session: Session, parts: Parts, owner: Owner | None, catalogue: Catalogue | None
) -> Iterator[None]:
    """Run the functions in this process until the end of the block; google runs them itself."""
    if owner is None or catalogue is None:
        yield
        return
    with suppress(
        FanfoldError
    ):  # a longer run sweeps: then it is noted, too, or told what is wrong
        note_schedules(parts.ledger, catalogue, parts.clock.now())
    answers_later = any(each.spec.mode is Mode.ASYNC for each in catalogue.collectors)
    service = embedded_service(
        parts,
        owner,
        max_concurrent=catalogue.max_concurrent_collectors,
        schedules=False,
        listen=("127.0.0.1", 0) if answers_later and not session.settings.callback_url else None,
    )
    service.start()
    try:
        yield
    finally:
        try:
            service.stop(GRACE_S)
        except FanfoldError as exc:
            # What became of the run is known by now, and decides the exit code.
            session.note(f"warning: {exc}; what this process still held is free when it has ended")


def _conclude(
    session: Session, parts: Parts, follower: Follower, end: End, command: RunCommand
) -> int:
    """Print the final run and return its code, or say why it is not final.

    Raises:
        CommandError: It was refused, takes longer than the command waits, or its report cannot be
            written.
    """
    run, run_id = follower.run, follower.run_id
    again = go_on_with(run_id, command.request.retry_of)
    if end is End.INTERRUPTED:
        session.note(f"interrupted: run {run_id} is kept, and goes on with a serve or with")
        session.note(next_line(again))
        return INTERRUPTED
    if end is End.TIMED_OUT or run is None:
        raise CommandError(f"gave up waiting; run {run_id} goes on", again, GAVE_UP)
    if end is End.REFUSED:
        raise CommandError(run.about, CHECK, USAGE)
    if end is End.UNWRITTEN:
        raise CommandError(
            f"run {run_id} is final ({run.about}), but its report cannot be written to "
            f"{run.report_to}",
            SWEEP_LATER,
            UNREACHABLE,
        )
    loaded = report_of(run, parts.ledger, parts.sink, parts.clock.now(), session.note)
    print_outcome(session.terminal, run, loaded, command.form, hint=command.hint)
    append_summary(session.terminal, loaded)
    return CODE_OF_STATUS[run.status.value]


def _print_plan(session: Session, request: RunRequest, form: str, catalogue: Catalogue) -> int:
    """Print the record of the plan, as a dispatcher would keep it; ask nobody and store nothing."""
    run, manifest = _plan(session, replace(request, dry_run=True), catalogue)
    report = fold(run, manifest, ())
    print_outcome(session.terminal, run, LoadedReport(report, to_bytes(report)), form)
    asked = sources_of(entry.spec for entry in manifest if entry.skip is None)
    for line in source_lines(asked):
        session.note(line)
    if session.settings.backend == "google":
        lengths_s = nights.lengths_by_history(manifest)
        for line in nights.night_lines(lengths_s, catalogue, basis="as long as usual"):
            session.note(line)
    return OK


def _plan(
    session: Session, request: RunRequest, catalogue: Catalogue
) -> tuple[Run, Sequence[Entry]]:
    now = SystemClock().now()
    if not has_store(session):
        return run_options.planned(request, catalogue, now=now, histories={}, busy={})
    every = [collector.name for collector in catalogue.collectors]
    with open_store(session) as (ledger, _):
        return run_options.planned(
            request,
            catalogue,
            now=now,
            histories=ledger.histories(every),
            busy=ledger.busy(every),
            retried=retried_by(request, ledger),
            paused=ledger.pauses(),
        )
