"""``fanfold retry``: the second try of a run: ask what did not succeed, keep the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer

from fanfold.adapters.clock import SystemClock
from fanfold.app.retry import plan_retry, read_for_retry, require_over
from fanfold.cli import run_options
from fanfold.cli.completions import RunName
from fanfold.cli.exit_codes import OK, CommandError
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import CHECK_LISTS, PAUSED_NOW, RUN_SOMETHING, run_anew, status_of
from fanfold.cli.runs.execute import ask
from fanfold.cli.runs.find import find_run
from fanfold.cli.runs.store import open_store, require_store
from fanfold.cli.session import Session
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import NotRetried
from fanfold.domain.model.request import RunRequest
from fanfold.domain.model.run import Run
from fanfold.domain.model.unreadable import UnreadableRun
from fanfold.domain.rules.pauses import PAUSED, names_of
from fanfold.domain.rules.retry import (
    ASKED_SINCE,
    DISABLED_NOW,
    GONE,
    Retried,
    RetryPlan,
    joined,
    retry_plan,
)
from fanfold.domain.rules.standing import failing_by_run
from fanfold.domain.syntax.text import listed
from fanfold.ports.ledger import Ledger
from fanfold.views.find import latest_runs, newest_try

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
    PAUSED: ("is paused", "are paused"),
}

#: Among so many of the newest records the newest run is looked for.
MOST_READ = 200

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def retry(
    context: typer.Context,
    run: RunName = None,
    *,
    collector: run_options.OnlyCollectors = None,
    wait: run_options.Wait = True,
    wait_timeout: run_options.WaitTimeout = None,
    dry_run: run_options.DryRun = False,
    output: run_options.Form = "table",
) -> int:
    """Try RUN again: ask what failed, timed out or was cancelled, and keep the other answers.

    It is a run for the same slot, with a report that has every collector of RUN: those that are not
    asked again keep their answers. Its id is that of RUN with -try2 behind it, whoever asks for it,
    so two people who retry at once make one run. If RUN was retried, its last retry is tried again.

    Without RUN it asks every collector that did not succeed when it was last asked, whichever run
    that was. What the earlier runs were given as parameters goes along. It says first, on stderr,
    which collectors it asks, and why not others.

    Examples:
      fanfold retry                     # whoever fanfold status says does not succeed
      fanfold retry latest~1 --dry-run  # only say what it would ask
      fanfold retry RUN --collector plu # only this one, however it ended
      fanfold retry RUN --no-wait       # only ask, and print the new run's id

    Exit codes: 0 succeeded, planned, or nothing to retry · 1 something failed again · 2 refused,
    RUN still running, never run or not kept · 3 gave up waiting · 5 the file cannot be used
    130 interrupted, the run is kept
    """
    session = Session.of(context)
    options = run_options.options_of(
        output, wait=wait, wait_timeout=wait_timeout, dry_run=dry_run, command="retry"
    )
    require_store(session)
    catalogue = session.load().catalogue
    named = tuple(dict.fromkeys(collector or ()))
    with open_store(session) as (ledger, _):
        tried = find_run(ledger, run) if run is not None else _newest_run(ledger)
        newest = newest_try(ledger, tried)
        under_way = newest is not tried and newest.verdict is None
        if under_way:
            _say_under_way(session, ledger, newest, named)
        elif run is None:
            repeat = _plan_of_failing(ledger, newest, catalogue, named)
        else:
            repeat = _plan_of(ledger, newest, catalogue, named)
    if under_way:
        request = RunRequest(run_id=newest.run_id, retry_of=newest.retry_of)
        return OK if dry_run else ask(session, request, options, catalogue)
    if not repeat.collectors:
        return _nothing(session, repeat, options.form)
    session.note(_sentence(repeat))
    return ask(session, repeat.request, options, catalogue)


def _newest_run(ledger: Ledger) -> Run:
    """Return the newest run: of a retry that is under way, the run that it retries.

    Raises:
        CommandError: There is none.
    """
    newest = next((each for each in latest_runs(ledger, MOST_READ) if not each.is_notice), None)
    if newest is None:
        return find_run(ledger, "latest")
    if newest.verdict is None and newest.retry_of is not None:
        return ledger.run(newest.retry_of) or newest
    return newest


def _say_under_way(session: Session, ledger: Ledger, run: Run, named: Sequence[str]) -> None:
    """Say that *run*, a retry, is under way.

    Raises:
        CommandError: It does not ask all that are *named*.
    """
    asked = [each.name for each in ledger.manifest(run.run_id) if each.skip is None]
    missing = [name for name in named if name not in asked]
    words = f"run {run.run_id}, a retry of {run.retry_of}, is under way: it asks "
    words += listed(asked, MOST_NAMED)
    if missing:
        raise CommandError(
            f"{words}, and not {listed(missing, MOST_NAMED)}",
            status_of(run.run_id, why="how far it is; retry again when it is over"),
        )
    session.note(words)


def _plan_of_failing(
    ledger: Ledger, newest: Run, catalogue: Catalogue, named: Sequence[str]
) -> RetryPlan:
    """Return the plan that asks whoever failed when last asked; else that of the *newest* run.

    If collectors are *named*, only those count.

    Raises:
        CommandError: The newest run is still running, or that of who failed is not kept any more.
    """
    if not isinstance(newest, UnreadableRun):
        with _explained(newest):
            require_over(newest)
    wanted = [each.name for each in catalogue.collectors if each.enabled]
    wanted = [name for name in wanted if not named or name in named]
    plans: list[tuple[RetryPlan, Retried]] = []
    lost: list[str] = []
    for run_id, failing in failing_by_run(ledger.past_runs(wanted)).items():
        found = ledger.run(run_id)
        last = found and newest_try(ledger, found)
        if last is None or isinstance(last, UnreadableRun):
            lost += failing
        elif last.verdict is not None and not last.is_notice:
            with _explained(last):
                retried = read_for_retry(last, ledger, failing)
            paused = _paused(ledger, named)
            plan = retry_plan(retried, catalogue, failing=failing, paused=paused)
            plans.append((plan, retried))
    plans = [each for each in plans if each[0].collectors]
    if lost and not plans:
        raise CommandError(
            f"{listed(lost, MOST_NAMED)} did not succeed in a run that is not kept any more, "
            "or unreadable",
            run_anew(lost),
        )
    if plans and set(named) <= {name for plan, _ in plans for name in plan.collectors}:
        return joined(plans, catalogue)
    return _plan_of(ledger, newest, catalogue, named)


def _plan_of(
    ledger: Ledger, run: Run, catalogue: Catalogue, named: Sequence[str] = ()
) -> RetryPlan:
    """Return what a retry of *run* asks: what did not succeed, or those that are *named*.

    Raises:
        CommandError: The run never ran, is not over or cannot be read.
    """
    with _explained(run):
        return plan_retry(run, ledger, catalogue, SystemClock().now(), named)


@contextmanager
def _explained(run: Run) -> Iterator[None]:
    """Raise what keeps *run* from a retry with the next command to type."""
    try:
        yield
    except NotRetried as exc:
        following = RUN_SOMETHING
        if exc.is_running:
            following = status_of(run.run_id, why="how far it is; fanfold cancel ends it now")
        raise CommandError(str(exc), following) from exc


def _paused(ledger: Ledger, named: Sequence[str] = ()) -> frozenset[str]:
    """Return the collectors that are paused now and not *named*."""
    return names_of(ledger.pauses(), SystemClock().now()).difference(named)


def _sentence(repeat: RetryPlan) -> str:
    """Return which collectors are asked again, and why the others are not."""
    asked = f"retry of {repeat.run_id}: {', '.join(repeat.collectors)}"
    return f"{asked}   ({_others(repeat)})" if repeat.others else asked


def _others(repeat: RetryPlan) -> str:
    return "; ".join(
        f"{listed(names, MOST_NAMED)} {_WHY_NOT.get(reason, (reason, reason))[len(names) > 1]}"
        for reason, names in repeat.others.items()
    )


def _nothing(session: Session, repeat: RetryPlan, form: str) -> int:
    """Say that there is nothing to ask again; return 0 if that is as it should be.

    Raises:
        CommandError: Something did not succeed, and cannot be asked.
    """
    succeeded = repeat.others.get("succeeded", ())
    if PAUSED in repeat.others:
        raise CommandError(
            f"nothing of run {repeat.run_id} is asked again: {_others(repeat)}", PAUSED_NOW
        )
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
