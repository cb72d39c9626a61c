"""What becomes of a request, planned only or started and waited for: ``run`` and ``retry``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from fanfold.cli import run_options
from fanfold.cli.exit_codes import OK, CommandError
from fanfold.cli.output.outcome import FORMS
from fanfold.cli.output.words import form_of, seconds_of
from fanfold.cli.runs.execute import RunCommand, start_and_follow

if TYPE_CHECKING:
    from fanfold.cli.session import Session
    from fanfold.domain.model.collector import Catalogue
    from fanfold.domain.model.request import RunRequest
    from fanfold.domain.model.run import Entry, Run

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
class RunOptions:
    """How to ask. ``wait_s`` bounds the waiting, in seconds; None does not."""

    form: str
    wait: bool
    wait_s: float | None
    dry_run: bool


def manner_of(
    output: str, *, wait: bool, wait_timeout: str | None, dry_run: bool, command: str
) -> RunOptions:
    """Return the manner that the options of *command* ask for.

    Raises:
        CommandError: They do not go together, or one cannot be read.
    """
    form = form_of(output, FORMS)
    wait_s = None if wait_timeout is None else seconds_of(wait_timeout, "--wait-timeout")
    if not wait and wait_s is not None:
        raise CommandError("--wait-timeout goes with --wait", f"fanfold {command} --help")
    return RunOptions(form, wait, wait_s, dry_run)


def ask(
    session: Session, request: RunRequest, manner: RunOptions, catalogue: Catalogue | None = None
) -> int:
    """Ask for *request*, or only say what would run; return the exit code.

    With a *catalogue*, that is the configuration, whatever the file says.
    """
    if manner.dry_run:
        return _print_plan(session, request, manner.form, catalogue or session.load().catalogue)
    wanted = RunCommand(request, manner.form, wait=manner.wait, wait_s=manner.wait_s)
    return start_and_follow(session, wanted, catalogue)


def _print_plan(session: Session, request: RunRequest, form: str, catalogue: Catalogue) -> int:
    """Print the record of the plan, as a dispatcher would keep it; ask nobody and store nothing."""
    from fanfold.cli.output.outcome import print_outcome  # noqa: PLC0415
    from fanfold.cli.runs.reports import LoadedReport  # noqa: PLC0415
    from fanfold.domain.report.fold import fold  # noqa: PLC0415
    from fanfold.rendering import to_bytes  # noqa: PLC0415

    run, manifest = _plan(session, replace(request, dry_run=True), catalogue)
    report = fold(run, manifest, ())
    print_outcome(session, run, LoadedReport(report, to_bytes(report)), form)
    return OK


def _plan(
    session: Session, request: RunRequest, catalogue: Catalogue
) -> tuple[Run, Sequence[Entry]]:
    from fanfold.adapters.clock import SystemClock  # noqa: PLC0415

    now = SystemClock().now()
    if not session.has_store():
        return run_options.planned(request, catalogue, now=now, pasts={}, busy={})
    every = [collector.name for collector in catalogue.collectors]
    with session.store() as (ledger, _):
        return run_options.planned(
            request, catalogue, now=now, pasts=ledger.pasts(every), busy=ledger.busy(every)
        )
