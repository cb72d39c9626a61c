"""``fanfold retry``: ask again what did not succeed in a run, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from fanfold.cli import run_options
from fanfold.cli.exit_codes import OK, CommandError
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import CHECK_LISTS, RUN_SOMETHING, status_of
from fanfold.cli.runs.backend import open_store, require_store
from fanfold.cli.runs.execute import ask
from fanfold.cli.runs.find import RunName, find_run, latest_runs
from fanfold.cli.session import Session
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.run import Run
from fanfold.domain.rules.retry import (
    ASKED_SINCE,
    DISABLED_NOW,
    GONE,
    RetryPlan,
    joined,
    retry_plan,
)
from fanfold.domain.rules.standing import failing_by_run
from fanfold.ports.ledger import Ledger

#: Most collectors that are named of those that are not asked again, for each reason.
MOST_NAMED = 8

#: Why collectors are not asked again: of one, and of several.
_WHY_NOT = {
    "succeeded": ("succeeded", "succeeded"),
    "not_due": ("was not due", "were not due"),
    "disabled": ("was disabled", "were disabled"),
    "excluded": ("was excluded", "were excluded"),
    "not_selected": ("was not selected", "were not selected"),
    "overlap": ("was still busy in an earlier run", "were still busy in an earlier run"),
    ASKED_SINCE: ("was asked again since", "were asked again since"),
    GONE: ("is not in the configuration any more", "are not in the configuration any more"),
    DISABLED_NOW: ("is disabled now", "are disabled now"),
}

#: Among so many of the newest records the newest run is looked for.
MOST_READ = 200

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def retry(
    context: typer.Context,
    run: RunName = None,
    *,
    wait: run_options.Wait = True,
    wait_timeout: run_options.WaitTimeout = None,
    dry_run: run_options.DryRun = False,
    output: run_options.Form = "table",
) -> int:
    """Ask again the collectors that failed, timed out or were cancelled in RUN, and no others.

    Without RUN it asks every collector that did not succeed when it was last asked, whichever run
    that was. It is a run of its own, with a report of its own; what the earlier runs were given as
    parameters goes along. It says first, on stderr, which collectors it asks, and why not others.

    Examples:
      fanfold retry                     # whoever fanfold status says does not succeed
      fanfold retry latest~1 --dry-run  # only say what it would ask
      fanfold retry RUN --no-wait       # only ask, and print the new run's id

    Exit codes: 0 succeeded, planned, or nothing to retry · 1 something failed again · 2 refused,
    RUN still running or never run · 3 gave up waiting · 5 the file cannot be used
    130 interrupted, the run is kept
    """
    session = Session.of(context)
    options = run_options.options_of(
        output, wait=wait, wait_timeout=wait_timeout, dry_run=dry_run, command="retry"
    )
    require_store(session)
    catalogue = session.load().catalogue
    with open_store(session) as (ledger, _):
        if run is None:
            repeat = _plan_of_failing(ledger, catalogue)
        else:
            repeat = _plan_of(ledger, find_run(ledger, run), catalogue)
    if not repeat.collectors:
        return _nothing(session, repeat, options.form)
    session.note(_sentence(repeat))
    return ask(session, repeat.request, options, catalogue)


def _plan_of_failing(ledger: Ledger, catalogue: Catalogue) -> RetryPlan:
    """Return the plan that asks whoever failed when last asked; else that of the newest run.

    Raises:
        CommandError: The newest run is still running, or there is none.
    """
    newest = next((each for each in latest_runs(ledger, MOST_READ) if not each.is_notice), None)
    if newest is None or newest.verdict is None:
        return _plan_of(ledger, newest or find_run(ledger, "latest"), catalogue)
    enabled = [each.name for each in catalogue.collectors if each.enabled]
    plans = [
        _plan_of(ledger, found, catalogue, failing)
        for run_id, failing in failing_by_run(ledger.past_runs(enabled)).items()
        if (found := ledger.run(run_id)) is not None and not found.is_notice
    ]
    return joined(plans) if plans else _plan_of(ledger, newest, catalogue)


def _plan_of(
    ledger: Ledger, run: Run, catalogue: Catalogue, failing: Sequence[str] | None = None
) -> RetryPlan:
    """Return what a retry of *run* asks; only those that are *failing*, if given.

    Raises:
        CommandError: The run never ran, or is not over.
    """
    _require_over(run)
    manifest, answers = ledger.manifest(run.run_id), ledger.answers(run.run_id)
    return retry_plan(run.run_id, manifest, answers, catalogue, failing=failing)


def _sentence(repeat: RetryPlan) -> str:
    """Return which collectors are asked again, and why the others are not."""
    asked = f"retry of {repeat.run_id}: {', '.join(repeat.collectors)}"
    return f"{asked}   ({_others(repeat)})" if repeat.others else asked


def _others(repeat: RetryPlan) -> str:
    return "; ".join(
        f"{_named(names)} {_WHY_NOT.get(reason, (reason, reason))[len(names) > 1]}"
        for reason, names in repeat.others.items()
    )


def _named(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _require_over(run: Run) -> None:
    """Return if *run* ran and is over.

    Raises:
        CommandError: It did not, or is not.
    """
    if run.is_notice:
        raise CommandError(f"{run.run_id} never ran: {run.about}", RUN_SOMETHING)
    if run.verdict is None:
        raise CommandError(
            f"run {run.run_id} is still running: what failed is known when it is over",
            status_of(run.run_id, why="how far it is; fanfold cancel ends it now"),
        )


def _nothing(session: Session, repeat: RetryPlan, form: str) -> int:
    """Say that there is nothing to ask again; return 0 if that is as it should be.

    Raises:
        CommandError: Something did not succeed, and cannot be asked.
    """
    succeeded = repeat.others.get("succeeded", ())
    if GONE in repeat.others or DISABLED_NOW in repeat.others:
        raise CommandError(
            f"nothing of run {repeat.run_id} can be asked again: {_others(repeat)}",
            CHECK_LISTS,
        )
    if len(succeeded) > 1:
        why = f"all {len(succeeded)} succeeded"
    else:
        why = f"{succeeded[0]} succeeded" if succeeded else f"run {repeat.run_id} asked nobody"
    write = out if form == "table" else session.note
    write(f"Nothing to retry: {why}.")
    return OK
