"""``fanfold cancel``: end a run now, with what it has."""

from __future__ import annotations

from typing import Annotated

import typer

from fanfold.cli.exit_codes import OK, CommandError
from fanfold.cli.output.terminal import out
from fanfold.cli.runs.find import find_run
from fanfold.cli.session import Session


def command(
    context: typer.Context,
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="An id, the start of one, latest or latest~1.")
    ],
    *,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the report.")
    ] = "by hand",
) -> int:
    """End a run now: collectors without an answer count as cancelled, and the report is written.

    A call under way is not interrupted; its answer is kept as late evidence.

    \b
    Examples:
      fanfold cancel latest
      fanfold cancel 2026-11-23T0215Z-nightly --reason "the source is down"
    """  # noqa: D301
    session = Session.of(context)
    from fanfold.app.cancel import cancel  # noqa: PLC0415
    from fanfold.domain.syntax.text import plural  # noqa: PLC0415

    session.require_store()
    with session.parts() as (parts, _):
        found = find_run(parts.ledger, run)
        if found.is_notice or found.verdict is not None:
            raise CommandError(
                f"run {found.run_id} is over: {found.about}", f"fanfold report {found.run_id}"
            )
        number = cancel(
            found.run_id,
            reason=reason,
            ledger=parts.ledger,
            finisher=parts.finisher,
            clock=parts.clock,
            writer=parts.writer,
        )
    out(f"run {found.run_id}: {plural(number, 'collector')} cancelled")
    out(f"  next    fanfold report {found.run_id}")
    return OK
