"""Run the functions in this process until one run is final: what ``run`` and ``demo`` share."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

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
from fanfold.cli.output.outcome import append_summary, print_outcome
from fanfold.cli.output.progress import progress_for
from fanfold.cli.run_options import planned
from fanfold.cli.runs.follow import LOOK_EVERY_S, LOOK_FAR_EVERY_S, End, Follower
from fanfold.cli.runs.reports import report_of
from fanfold.domain.model import names
from fanfold.domain.model.collector import Catalogue, Mode
from fanfold.domain.model.request import RunRequest
from fanfold.messages.topology import RUN_REQUESTS

if TYPE_CHECKING:
    from fanfold.adapters.embedded.owners import Owner
    from fanfold.cli.session import Session
    from fanfold.domain.model.run import Run
    from fanfold.runtime.parts import Parts

#: How long a stop waits for calls under way, in seconds.
GRACE_S = 10.0


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


def start_and_follow(
    session: Session, wanted: RunCommand, catalogue: Catalogue | None = None
) -> int:
    """Publish the request, work on it until its run is final, print it; return the exit code.

    With a *catalogue*, that is the configuration, whatever the file says.
    """
    given = None if catalogue is None else partial(_constant, catalogue)
    catalogue = catalogue or _configured(session)
    if catalogue is not None:
        check_report_folder(session, catalogue)
    with interruptible() as interrupt, session.parts(catalogue=given) as (parts, owner):
        run_id = wanted.request.run_id or names.ad_hoc_run_id(parts.clock.now(), uuid.uuid4().hex)
        request = replace(wanted.request, run_id=run_id)
        message_id = _publish(session, parts, request, catalogue)
        if not wanted.wait:
            from fanfold.cli.output.terminal import out  # noqa: PLC0415

            out(run_id)
            return OK
        known = catalogue or Catalogue(())
        progress = progress_for(session, concurrency=known.max_concurrent_collectors)
        follower = Follower(
            parts,
            run_id,
            message_id,
            progress,
            interrupt,
            wait_s=wanted.wait_s,
            look_every_s=LOOK_EVERY_S if owner is not None else LOOK_FAR_EVERY_S,
        )
        with _hosted(session, parts, owner, catalogue):
            try:
                end = follower.follow()
            finally:
                progress.close()
            if end is End.ANNOUNCED:
                return _conclude(session, parts, follower, end, wanted)
            if owner is not None:
                session.note(f"stopping: up to {GRACE_S:.0f} s for calls under way")
        return _conclude(session, parts, follower, end, wanted)


def _constant(catalogue: Catalogue) -> Catalogue:
    return catalogue


def _configured(session: Session) -> Catalogue | None:
    """Return the configuration; None where it cannot be read here and need not be.

    On Google Cloud the dispatcher has its own, with the collectors' addresses: whoever asks for a
    run from elsewhere needs none.
    """
    from fanfold.config import ConfigError  # noqa: PLC0415

    try:
        return session.load().catalogue
    except ConfigError as exc:
        if session.settings.backend == "embedded":
            raise
        session.note(
            f"{session.settings.config} cannot be read here ({len(exc.problems)} problems): the "
            "dispatcher checks the request with its own"
        )
        return None


def check_report_folder(session: Session, catalogue: Catalogue) -> None:
    """Return if a report can be written where the configuration wants it.

    Found out now, this costs nothing; found out at the end, a night.

    Raises:
        CommandError: It cannot.
    """
    if session.settings.backend != "embedded":
        return
    if catalogue.report_to.startswith("gs://"):
        raise CommandError(
            f"reports go to {catalogue.report_to}, which the embedded backend cannot write",
            "set report.folder in the configuration, then fanfold check",
        )
    folder = Path(catalogue.report_to)
    probe = folder / f".{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as exc:
        raise CommandError(
            f"reports cannot be written to {folder}: {exc.strerror}; nothing was started",
            f"ls -ld {folder}   # or set report.folder to another one",
        ) from exc


def _publish(
    session: Session, parts: Parts, request: RunRequest, catalogue: Catalogue | None
) -> str | None:
    """Publish *request* unless its run is there; return the message id, None if it is.

    Raises:
        Rejected: It would be refused.
        CommandError: Its id belongs to a record that never runs.
    """
    from fanfold.messages.run_request import encode_run_request  # noqa: PLC0415

    run_id = request.run_id or ""
    there = parts.ledger.run(run_id)
    if there is not None and there.is_notice:
        raise CommandError(
            f"the id {run_id} belongs to a record that never runs: {there.about}",
            "fanfold run   # without --run-id",
        )
    if there is not None:
        session.note(f"run {run_id} is there already: going on with it, as it was asked for then")
        return None
    # Refused here, nothing is published, and the refusal is not a record to clean up.
    if catalogue is not None:
        planned(request, catalogue, now=parts.clock.now(), pasts={}, busy={})
    return parts.bus.publish(RUN_REQUESTS, [encode_run_request(request)])[0]


@contextmanager
def _hosted(
    session: Session, parts: Parts, owner: Owner | None, catalogue: Catalogue | None
) -> Iterator[None]:
    """Run the functions in this process until the end of the block; google runs them itself."""
    if owner is None or catalogue is None:
        yield
        return
    from fanfold.runtime.service import embedded_service  # noqa: PLC0415

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
        service.stop(GRACE_S)


def _conclude(
    session: Session, parts: Parts, follower: Follower, end: End, wanted: RunCommand
) -> int:
    run, run_id = follower.run, follower.run_id
    again = f"fanfold run --run-id {run_id}   # goes on with it; fanfold status looks at it"
    if end is End.INTERRUPTED:
        session.note(f"interrupted: run {run_id} is kept, and goes on with a serve or with")
        session.note(f"  next: {again}")
        return INTERRUPTED
    if end is End.TIMED_OUT:
        raise CommandError(f"gave up waiting; run {run_id} goes on", again, GAVE_UP)
    assert run is not None  # noqa: S101 - the other ends are those of a run that was seen
    if end is End.REFUSED:
        raise CommandError(run.about, "fanfold check", USAGE)
    if end is End.UNWRITTEN:
        raise CommandError(
            f"run {run_id} is final ({run.about}), but its report cannot be written to "
            f"{run.report_to}",
            "fanfold sweep   # once it can: writes what is missing",
            UNREACHABLE,
        )
    return finish(session, parts, run, wanted)


def finish(session: Session, parts: Parts, run: Run, wanted: RunCommand) -> int:
    """Print the final *run* and return its exit code."""
    seen = report_of(run, parts.ledger, parts.sink, parts.clock.now())
    print_outcome(session, run, seen, wanted.form, hint=wanted.hint)
    append_summary(session, seen)
    return CODE_OF_STATUS[run.status.value]
