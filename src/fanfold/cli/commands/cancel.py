"""``fanfold cancel``: end a run now, with what it has, or one collector of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from fanfold.app.cancel import cancel as cancel_run
from fanfold.app.cancel import cancel_collectors
from fanfold.cli.completions import RUN_HELP, collector_names
from fanfold.cli.exit_codes import OK, CommandError
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import next_row, report_of, status_of
from fanfold.cli.runs.backend import open_parts
from fanfold.cli.runs.find import find_run
from fanfold.cli.runs.store import require_store
from fanfold.cli.session import Session
from fanfold.domain.model.errors import UnknownCollector
from fanfold.domain.model.names import did_you_mean
from fanfold.domain.model.unreadable import is_over
from fanfold.domain.syntax.text import plural
from fanfold.runtime.parts import Parts

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def cancel(
    context: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help=RUN_HELP)],
    *,
    collector: Annotated[
        list[str] | None,
        typer.Option(
            "--collector",
            metavar="NAME",
            help="Only this one; the run goes on. May be repeated.",
            autocompletion=collector_names,
        ),
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; the report says it.")
    ] = "by hand",
) -> int:
    """End a run now: collectors without an answer count as cancelled, and the report is written.

    With --collector only that one is cancelled, and the run goes on without it. A call under way is
    not interrupted; its answer is kept as late evidence.

    Examples:
      fanfold cancel latest
      fanfold cancel latest --collector plu           # plu alone
      fanfold cancel 2026-11-23T0215Z-nightly --reason "the source is down"

    Exit codes: 0 cancelled, or answered in that moment · 2 no such run or collector, or it is over
    5 the file cannot be used
    """
    session = Session.of(context)
    require_store(session)
    with open_parts(session) as (parts, _):
        found = find_run(parts.ledger, run)
        if is_over(found):
            raise CommandError(
                f"run {found.run_id} is over: {found.about}", report_of(found.run_id)
            )
        if collector:
            _cancel_some(parts, found.run_id, tuple(dict.fromkeys(collector)), reason)
            return OK
        number = cancel_run(
            found.run_id,
            reason=reason,
            ledger=parts.ledger,
            finisher=parts.finisher,
            clock=parts.clock,
            writer=parts.writer,
        )
    out(f"run {found.run_id}: {plural(number, 'collector')} cancelled")
    out(next_row(report_of(found.run_id)))
    return OK


def _cancel_some(parts: Parts, run_id: str, names: Sequence[str], reason: str) -> None:
    """Cancel the collectors *names* and say what became of them.

    Raises:
        CommandError: The run did not ask one of them, or all have their answers.
    """
    try:
        cancelled = cancel_collectors(
            run_id,
            names,
            reason=reason,
            ledger=parts.ledger,
            finisher=parts.finisher,
            clock=parts.clock,
            writer=parts.writer,
        )
    except UnknownCollector as exc:
        asked = [each.name for each in parts.ledger.manifest(run_id) if each.skip is None]
        near = did_you_mean(exc.collector, asked)
        raise CommandError(f"{exc}{near}", status_of(run_id, why="whom it asks")) from exc
    if not cancelled:
        raise CommandError(
            f"run {run_id}: nothing to cancel, {', '.join(names)} answered already",
            report_of(run_id),
        )
    out(f"run {run_id}: {', '.join(cancelled)} cancelled")
    out(next_row(status_of(run_id)))
