"""``fanfold pause``: keep a collector or a schedule from being asked, and say why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from fanfold.adapters.clock import SystemClock
from fanfold.app.pause import pause as pause_targets
from fanfold.cli.completions import TABLE_OR_JSON, TableOrJson
from fanfold.cli.exit_codes import OK, CommandError
from fanfold.cli.output.pauses import print_pauses
from fanfold.cli.output.words import form_of, help_of, seconds_of
from fanfold.cli.runs.backend import open_parts
from fanfold.cli.runs.pausing import CollectorNames, Names, Schedules, require_one, targets_of, who
from fanfold.cli.runs.store import has_store, open_store
from fanfold.cli.session import Session
from fanfold.domain.model.pause import Pause
from fanfold.domain.rules import pauses

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def pause(
    context: typer.Context,
    name: CollectorNames = None,
    *,
    schedule: Schedules = None,
    every: Annotated[bool, typer.Option("--all", help="Every schedule.")] = False,
    length: Annotated[
        str | None,
        typer.Option(
            "--for", metavar="TIME", help="How long: 90m, 3d. Without it: until it is resumed."
        ),
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why; shown wherever it matters.")
    ] = None,
    output: TableOrJson = "table",
) -> int:
    """Pause collectors, a schedule, or every schedule; without any, list what is paused.

    A paused collector is skipped in every run that does not name it, with the reason `paused`. A
    paused schedule starts no runs: its slots are neither missed nor overdue. What is asked for by
    hand runs all the same: fanfold run NAME asks a paused collector, fanfold run and fanfold
    backfill run while a schedule is paused. What runs already goes on. To pause again changes
    the reason and the end.

    Examples:
      fanfold pause                                   # what is paused?
      fanfold pause plu --for 3d --reason "the source is down"
      fanfold pause --schedule "15 3 * * *"           # no runs at 03:15
      fanfold pause --all --reason "the disk is full"

    Exit codes: 0 paused, or listed · 2 no such collector or schedule · 5 the file cannot be used
    """
    session = Session.of(context)
    form = form_of(output, TABLE_OR_JSON)
    names = Names.typed(name, schedule, every=every)
    now = SystemClock().now()
    if names.is_empty:
        if length is not None or reason is not None:
            raise CommandError("name what to pause, or give --schedule or --all", help_of("pause"))
        read = session.slots().catalogue
        print_pauses(pauses.current(_stored(session), now), read, form, "nothing is paused")
        return OK
    require_one(names)
    until = None if length is None else _end_of(length, now)
    catalogue = session.catalogue_or_none("the names are taken as they are")
    with open_parts(session) as (parts, _):
        begun = pause_targets(
            targets_of(catalogue, parts.ledger, names),
            by=who(),
            reason=reason,
            until=until,
            ledger=parts.ledger,
            now=now,
        )
    print_pauses(begun, catalogue, form, "nothing is paused")
    return OK


def _end_of(text: str, now: datetime) -> datetime:
    try:
        return pauses.end_of(seconds_of(text, "--for"), now)
    except ValueError as exc:
        raise CommandError(f"--for {text!r:.80}: {exc}", help_of("pause")) from exc


def _stored(session: Session) -> Sequence[Pause]:
    if not has_store(session):
        return ()
    with open_store(session) as (ledger, _):
        return ledger.pauses()
