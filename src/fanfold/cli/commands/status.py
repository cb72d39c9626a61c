"""``fanfold status``: how did the last run go, what runs now, when is the next, is one missing?"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from fanfold.adapters.clock import SystemClock
from fanfold.cli.exit_codes import CODE_OF_STATUS, OK, CommandError
from fanfold.cli.output.outcome import print_document, print_table
from fanfold.cli.output.overview import EMPTY, Overview, print_overview
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import FIRST_RUN, SERVE_WORKS_TOO, form_of, json_text, next_row
from fanfold.cli.run_options import FORMS
from fanfold.cli.runs.backend import has_store, open_store
from fanfold.cli.runs.find import RunName, find_run, latest_runs
from fanfold.cli.runs.reports import report_of
from fanfold.cli.session import Session
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.rules.overdue import overdue_slot
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import ReportSink
from fanfold.runtime.embedded import is_requested

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
    """Say how the last run went, what runs now and when the next is due; or how far one RUN is.

    Examples:
      fanfold status                          # at a glance; exit 4 if a run is missing
      fanfold status latest~1                 # one run, collector by collector
      fanfold status RUN --format json | jq -r .status

    Exit codes: 0 fine or still running · 1 the run failed · 2 no such run
    4 a run is missing or overdue · 5 the file cannot be used
    """
    session = Session.of(context)
    form = form_of(output, FORMS)
    if run is not None:
        with open_store(session) as (ledger, sink):
            return _one(session, ledger, sink, run, form)
    if not has_store(session):
        return _nothing_yet(session, form)
    with open_store(session) as (ledger, _):
        catalogue = session.catalogue_or_none("slots are unknown")
        overview = overview_of(ledger, catalogue, SystemClock().now())
    print_overview(overview, form)
    return overview.code


def overview_of(ledger: Ledger, catalogue: Catalogue | None, now: datetime) -> Overview:
    """Return the overview of *ledger* at *now*; without a *catalogue* the slots are unknown."""
    runs = latest_runs(ledger, 1)
    every = [each.name for each in catalogue.collectors] if catalogue else []
    return Overview(
        now=now,
        latest=runs[0] if runs else None,
        running=[run for run in ledger.unannounced() if not run.is_notice],
        catalogue=catalogue,
        overdue=overdue_slot(catalogue, ledger, now) if catalogue else None,
        histories=ledger.histories(every),
    )


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
        print_table(session.terminal, run, loaded.report, [])
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


def _nothing_yet(session: Session, form: str) -> int:
    if form == "json":
        out(json_text(EMPTY))
    else:
        out(f"no runs yet: {session.settings.database} does not exist")
        out(next_row(FIRST_RUN))
    return OK
