"""``fanfold status``: who is not well, which run is missing, what was refused, what is next?"""

from __future__ import annotations

from typing import Annotated

import typer

from fanfold.adapters.clock import SystemClock
from fanfold.cli.completions import RunName
from fanfold.cli.output.overview_table import print_overview
from fanfold.cli.output.words import FORMS, form_of
from fanfold.cli.runs.store import has_store, open_store, place_of
from fanfold.cli.session import Session
from fanfold.domain.rules.health import Known, health_of
from fanfold.views.overview import Overview, overview_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def status(
    context: typer.Context,
    run: RunName = None,
    *,
    output: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="table, json or markdown.")
    ] = "table",
) -> int:
    """Say whether every collector is well and what is next; or how far one RUN is.

    A collector is well if it succeeded when it was last asked, whichever run that was.

    Examples:
      fanfold status                          # at a glance; exit 4 if a run is missing
      fanfold status latest~1                 # one run, collector by collector
      fanfold status RUN --format json | jq -r .status
      fanfold status --format json | jq '.collectors | map_values(.state)'

    Exit codes, the highest that is true: 0 all is well · 1 a collector did not succeed when it was
    last asked, or a request was refused in the last 24 h · 4 a run is missing, or past its deadline
    5 the database, or the schedule in the configuration, cannot be read
    Of one RUN: 0 it succeeded or still runs · 1 it failed · 2 it was refused, or there is none
    """
    session = Session.of(context)
    form = form_of(output, FORMS)
    if run is not None:
        # How a report looks is not needed for the overview.
        from fanfold.cli.runs.one_run import print_run  # noqa: PLC0415

        with open_store(session) as (ledger, sink):
            return print_run(session, ledger, sink, run, form)
    overview = _overview(session)
    print_overview(overview, form)
    return overview.health.code


def _overview(session: Session) -> Overview:
    slots, now, place = session.slots(), SystemClock().now(), place_of(session)
    if has_store(session):
        with open_store(session, names_unreadable=False) as (ledger, _):  # the overview names them
            return overview_of(ledger, slots, now, place=place)
    # Absence is no success: it may be the wrong folder, or a name that was mistyped.
    absent = f"there is no database at {place}: nothing ever ran, or it is another file"
    known = Known(now, slots.catalogue, absent, slots.unknown)
    return Overview(now, health_of(known), slots.catalogue, place, unread=slots.unread)
