"""``fanfold resume``: end a pause."""

from __future__ import annotations

from typing import Annotated

import typer

from fanfold.adapters.clock import SystemClock
from fanfold.app.pause import resume as resume_targets
from fanfold.cli.completions import TABLE_OR_JSON, TableOrJson
from fanfold.cli.exit_codes import OK, CommandError
from fanfold.cli.output.pauses import print_pauses
from fanfold.cli.output.words import PAUSED_NOW, form_of
from fanfold.cli.runs.backend import open_parts
from fanfold.cli.runs.pausing import CollectorNames, Names, Schedules, require_one, targets_of, who
from fanfold.cli.runs.store import require_store
from fanfold.cli.session import Session
from fanfold.domain.rules import pauses

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def resume(
    context: typer.Context,
    name: CollectorNames = None,
    *,
    schedule: Schedules = None,
    every: Annotated[bool, typer.Option("--all", help="The pause of every schedule.")] = False,
    everything: Annotated[
        bool, typer.Option("--everything", help="Whatever is paused: collectors and schedules.")
    ] = False,
    output: TableOrJson = "table",
) -> int:
    """End a pause: the next slot asks again. What the pause kept from running is not made up for.

    --all ends the pause that fanfold pause --all began. To run the slots of the pause, ask for
    them: fanfold backfill FROM TO.

    Examples:
      fanfold resume plu
      fanfold resume --schedule "15 3 * * *"
      fanfold resume --all
      fanfold resume --everything

    Exit codes: 0 resumed, or it was not paused · 2 no such collector or schedule
    5 the file cannot be used
    """
    session = Session.of(context)
    form = form_of(output, TABLE_OR_JSON)
    names = Names.typed(name, schedule, every=every)
    if names.is_empty and not everything:
        raise CommandError(
            "name what to resume, or give --schedule, --all or --everything", PAUSED_NOW
        )
    require_one(names)
    require_store(session)
    now = SystemClock().now()
    catalogue = session.catalogue_or_none("the names are taken as they are")
    with open_parts(session) as (parts, _):
        if everything:
            lasting = pauses.current(parts.ledger.pauses(), now)
            targets = tuple(each.target for each in lasting)
        else:
            targets = targets_of(catalogue, parts.ledger, names)
        ended = resume_targets(targets, by=who(), ledger=parts.ledger, now=now)
    print_pauses(ended, catalogue, form, "nothing of it was paused")
    return OK
