"""``fanfold run``: ask collectors now, and wait for the report."""

from __future__ import annotations

import typer

from fanfold.cli import run_options
from fanfold.cli.runs.execute import ask
from fanfold.cli.session import Session
from fanfold.domain.model.request import RunRequest

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
@run_options.asks
def run(
    context: typer.Context,
    *,
    request: RunRequest,
    wait: run_options.Wait = True,
    wait_timeout: run_options.WaitTimeout = None,
    dry_run: run_options.DryRun = False,
    output: run_options.Form = "table",
) -> int:
    """Run collectors now and wait for the one report.

    It hosts the functions itself, so nothing else need be running; beside a `fanfold serve` on the
    same file both work on it. Asking again with the same --run-id goes on with that run.

    Examples:
      fanfold run                                   # every enabled collector
      fanfold run dvf --param 'years=[2024]'        # one, with a parameter
      fanfold run --tag daily --exclude plu --reason "backfill after the API fix"
      fanfold run --due --dry-run                   # what would the schedule ask now?
      fanfold run --slot 2026-11-23T02:15Z          # makes up for a slot that was missed
      fanfold run --format json | jq .summary       # stdout is the report alone
      id=$(fanfold run --no-wait)                   # only ask; a serve does the work

    Exit codes: 0 succeeded, nothing due or planned · 1 something failed · 2 refused, nothing
    started · 3 gave up waiting · 5 the file cannot be used · 130 interrupted, the run is kept
    """
    session = Session.of(context)
    options = run_options.options_of(
        output, wait=wait, wait_timeout=wait_timeout, dry_run=dry_run, command="run"
    )
    return ask(session, request, options)
