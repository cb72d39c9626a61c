"""``fanfold cancel``: end a run now, with what it has."""

from __future__ import annotations

from typing import Annotated

import typer

from fanfold.app.cancel import cancel as cancel_run
from fanfold.cli.exit_codes import OK, CommandError
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import next_row, report_of
from fanfold.cli.runs.backend import open_parts, require_store
from fanfold.cli.runs.find import RUN_HELP, find_run
from fanfold.cli.session import Session
from fanfold.domain.model.unreadable import UnreadableRun
from fanfold.domain.syntax.text import plural

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def cancel(
    context: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help=RUN_HELP)],
    *,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; the report says it.")
    ] = "by hand",
) -> int:
    """End a run now: collectors without an answer count as cancelled, and the report is written.

    A call under way is not interrupted; its answer is kept as late evidence.

    Examples:
      fanfold cancel latest
      fanfold cancel 2026-11-23T0215Z-nightly --reason "the source is down"
    """
    session = Session.of(context)
    require_store(session)
    with open_parts(session) as (parts, _):
        found = find_run(parts.ledger, run)
        ended = found.verdict is not None and not isinstance(found, UnreadableRun)
        if found.is_notice or ended or found.announced_at is not None:
            raise CommandError(
                f"run {found.run_id} is over: {found.about}", report_of(found.run_id)
            )
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
