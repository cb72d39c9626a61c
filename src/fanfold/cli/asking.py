"""What becomes of a request, planned only or started and waited for: ``run`` and ``retry``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from fanfold.cli import selection
from fanfold.cli.codes import OK, CommandError
from fanfold.cli.hosting import Wanted, start_and_follow
from fanfold.cli.outcome import FORMS
from fanfold.cli.wording import form_of, seconds_of

if TYPE_CHECKING:
    from fanfold.cli.session import Session
    from fanfold.domain.collector import Catalogue
    from fanfold.domain.request import RunRequest
    from fanfold.domain.run import Entry, Run

Wait = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Wait, or only ask and print the run's id.")
]
WaitTimeout = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Wait at most 90s, 10m, 2h; the run goes on (exit 3)."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would run; ask nobody, keep nothing.")
]
Form = Annotated[str, typer.Option("--format", metavar="FORMAT", help="table, json or markdown.")]


@dataclass(frozen=True, slots=True)
class Manner:
    """How to ask. ``wait_s`` bounds the waiting, in seconds; None does not."""

    form: str
    wait: bool
    wait_s: float | None
    dry_run: bool


def manner_of(
    output: str, *, wait: bool, wait_timeout: str | None, dry_run: bool, command: str
) -> Manner:
    """Return the manner that the options of *command* ask for.

    Raises:
        CommandError: They do not go together, or one cannot be read.
    """
    form = form_of(output, FORMS)
    wait_s = None if wait_timeout is None else seconds_of(wait_timeout, "--wait-timeout")
    if not wait and wait_s is not None:
        raise CommandError("--wait-timeout goes with --wait", f"fanfold {command} --help")
    return Manner(form, wait, wait_s, dry_run)


def ask(
    session: Session, request: RunRequest, manner: Manner, catalogue: Catalogue | None = None
) -> int:
    """Ask for *request*, or only say what would run; return the exit code.

    With a *catalogue*, that is the configuration, whatever the file says.
    """
    if manner.dry_run:
        return _print_plan(session, request, manner.form, catalogue or session.load().catalogue)
    wanted = Wanted(request, manner.form, wait=manner.wait, wait_s=manner.wait_s)
    return start_and_follow(session, wanted, catalogue)


def _print_plan(session: Session, request: RunRequest, form: str, catalogue: Catalogue) -> int:
    """Print the report that a run would begin with; ask nobody and store nothing."""
    from fanfold.cli.look import Seen  # noqa: PLC0415
    from fanfold.cli.outcome import print_outcome  # noqa: PLC0415
    from fanfold.domain.fold import fold  # noqa: PLC0415
    from fanfold.domain.states import Phase, RunStatus  # noqa: PLC0415
    from fanfold.report import to_bytes  # noqa: PLC0415

    run, manifest = _plan(session, request, catalogue)
    asked = [entry.name for entry in manifest if entry.skip is None]
    about = f"planned only: would run {', '.join(asked) or 'nothing'}"
    notice = replace(
        run, phase=Phase.FINAL, verdict=RunStatus.PLANNED, about=about, end_time=run.start_time
    )
    report = fold(notice, manifest, ())
    print_outcome(session, notice, Seen(report, to_bytes(report)), form)
    return OK


def _plan(
    session: Session, request: RunRequest, catalogue: Catalogue
) -> tuple[Run, tuple[Entry, ...]]:
    from fanfold.adapters.clock import SystemClock  # noqa: PLC0415

    run_id = request.run_id or "planned"
    now = SystemClock().now()
    if not session.has_store():
        return selection.planned(request, catalogue, run_id=run_id, now=now, pasts={}, busy={})
    every = [collector.name for collector in catalogue.collectors]
    with session.store() as (ledger, _):
        return selection.planned(
            request,
            catalogue,
            run_id=run_id,
            now=now,
            pasts=ledger.pasts(every),
            busy=ledger.busy(every),
        )
