"""What ``fanfold status RUN`` prints: one run, collector by collector."""

from __future__ import annotations

from fanfold.adapters.clock import SystemClock
from fanfold.cli.exit_codes import CODE_OF_STATUS, OK, CommandError
from fanfold.cli.output.outcome import print_document, print_table
from fanfold.cli.output.terminal import out, out_bytes
from fanfold.cli.output.words import SERVE_WORKS_TOO, json_text, next_row
from fanfold.cli.runs.find import find_run
from fanfold.cli.runs.reports import end_lines, report_of
from fanfold.cli.session import Session
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import ReportSink
from fanfold.rendering import to_bytes
from fanfold.runtime.embedded import is_requested


def print_run(session: Session, ledger: Ledger, sink: ReportSink, text: str, form: str) -> int:
    """Print how far the run that *text* names is, or how it ended; return its exit code.

    Raises:
        CommandError: There is no such run.
    """
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
