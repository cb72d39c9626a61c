"""``fanfold run``: ask collectors now, and wait for the report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from fanfold.cli import selection
from fanfold.cli.codes import OK, CommandError
from fanfold.cli.hosting import Wanted, start_and_follow
from fanfold.cli.outcome import FORMS
from fanfold.cli.session import Session
from fanfold.cli.wording import form_of, seconds_of

if TYPE_CHECKING:
    from fanfold.domain.request import RunRequest
    from fanfold.domain.run import Entry, Run


def command(
    context: typer.Context,
    collectors: selection.Names = None,
    *,
    tag: selection.Tags = None,
    exclude: selection.Exclude = None,
    param: selection.Param = None,
    params_json: selection.ParamsJson = None,
    due: selection.Due = False,
    force: selection.Force = False,
    run_id: selection.RunId = None,
    reason: selection.Reason = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait, or only ask and print the run's id.")
    ] = True,
    wait_timeout: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Wait at most 90s, 10m, 2h; the run goes on (exit 3)."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would run; ask nobody, keep nothing.")
    ] = False,
    output: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="table, json or markdown.")
    ] = "table",
) -> int:
    """Run collectors now and wait for the one report.

    It hosts the functions itself, so nothing else need be running; beside a `fanfold serve` on the
    same file both work on it. Asking again with the same --run-id goes on with that run.

    \b
    Examples:
      fanfold run                                   # every enabled collector
      fanfold run dvf --param 'years=[2024]'        # one, with a parameter
      fanfold run --tag daily --exclude plu --reason "backfill after the API fix"
      fanfold run --due --dry-run                   # what would the schedule ask now?
      fanfold run --format json | jq .summary       # stdout is the report alone
      id=$(fanfold run --no-wait)                   # only ask; a serve does the work

    \b
    Exit codes: 0 succeeded, nothing due or planned · 1 something failed · 2 refused, nothing
    started · 3 gave up waiting · 5 the file cannot be used · 130 interrupted, the run is kept
    """  # noqa: D301
    session = Session.of(context)
    form = form_of(output, FORMS)
    wait_s = None if wait_timeout is None else seconds_of(wait_timeout, "--wait-timeout")
    if not wait and wait_s is not None:
        raise CommandError("--wait-timeout goes with --wait", "fanfold run --help")
    request = selection.request_of(
        collectors,
        tags=tag,
        exclude=exclude,
        param=param,
        params_json=params_json,
        due=due,
        force=force,
        run_id=run_id,
        reason=reason,
    )
    if dry_run:
        return _print_plan(session, request, form)
    return start_and_follow(session, Wanted(request, form, wait=wait, wait_s=wait_s))


def _print_plan(session: Session, request: RunRequest, form: str) -> int:
    """Print the report that a run would begin with; ask nobody and store nothing."""
    from fanfold.cli.look import Seen  # noqa: PLC0415
    from fanfold.cli.outcome import print_outcome  # noqa: PLC0415
    from fanfold.domain.fold import fold  # noqa: PLC0415
    from fanfold.domain.states import Phase, RunStatus  # noqa: PLC0415
    from fanfold.report import to_bytes  # noqa: PLC0415

    run, manifest = _plan(session, request)
    asked = [entry.name for entry in manifest if entry.skip is None]
    about = f"planned only: would run {', '.join(asked) or 'nothing'}"
    notice = replace(
        run, phase=Phase.FINAL, verdict=RunStatus.PLANNED, about=about, end_time=run.start_time
    )
    report = fold(notice, manifest, ())
    print_outcome(session, notice, Seen(report, to_bytes(report)), form)
    return OK


def _plan(session: Session, request: RunRequest) -> tuple[Run, tuple[Entry, ...]]:
    from fanfold.adapters.clock import SystemClock  # noqa: PLC0415

    catalogue = session.load().catalogue
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
