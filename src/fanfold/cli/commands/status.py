"""``fanfold status``: who is not well, which run is missing, what was refused, what is next?"""

from __future__ import annotations

from typing import Annotated

import typer

from fanfold.adapters.clock import SystemClock
from fanfold.cli.exit_codes import CODE_OF_STATUS, OK, CommandError
from fanfold.cli.output.outcome import print_document, print_table
from fanfold.cli.output.overview_table import print_overview
from fanfold.cli.output.terminal import out, out_bytes
from fanfold.cli.output.words import SERVE_WORKS_TOO, form_of, json_text, next_row
from fanfold.cli.run_options import FORMS
from fanfold.cli.runs.backend import has_store, open_store, place_of
from fanfold.cli.runs.find import RunName, find_run
from fanfold.cli.runs.reports import end_lines, report_of
from fanfold.cli.session import Session
from fanfold.domain.rules.health import Known, health_of
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import ReportSink
from fanfold.rendering import to_bytes
from fanfold.runtime.embedded import is_requested
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
        with open_store(session) as (ledger, sink):
            return _one(session, ledger, sink, run, form)
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


def _one(session: Session, ledger: Ledger, sink: ReportSink, text: str, form: str) -> int:
    try:
        run = find_run(ledger, text)
    except CommandError:
        if session.settings.backend == "embedded" and is_requested(session.settings, text):
            return _requested(text, form)
        # Its request may have become a run meanwhile; now it is there, or is not.
        run = find_run(ledger, text)
    loaded = report_of(run, ledger, sink, SystemClock().now(), session.note)
    if form == "table":
        print_table(session.terminal, run, loaded.report, end_lines(session, run, loaded.report))
    elif form == "json":
        out_bytes(to_bytes(loaded.report))
    else:
        print_document(loaded, form)
    return CODE_OF_STATUS[loaded.report["status"]]


def _requested(run_id: str, form: str) -> int:
    """Say that the request of *run_id* waits, and no process has made a run of it yet."""
    about = "asked for, and not taken up yet"
    if form == "json":
        out(json_text({"run_id": run_id, "status": "dispatching", "about": about}))
    else:
        out(f"run {run_id}: {about}")
        out(next_row(SERVE_WORKS_TOO))
    return OK
