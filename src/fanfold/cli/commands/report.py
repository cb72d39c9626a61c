"""``fanfold report``: print the report of a run, in any of its forms."""

from __future__ import annotations

import tempfile
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from fanfold.adapters.clock import SystemClock
from fanfold.cli.completions import RunName, run_ids
from fanfold.cli.exit_codes import CODE_OF_STATUS, FAILED, OK, CommandError
from fanfold.cli.output.comparison import comparison_lines
from fanfold.cli.output.outcome import LoadedReport
from fanfold.cli.output.terminal import out_bytes
from fanfold.cli.output.words import (
    REPORT_COMPARED,
    REPORT_ONLY_FAILED,
    REPORT_TO_A_FILE,
    form_of,
    json_text,
    open_page,
)
from fanfold.cli.runs.find import find_run
from fanfold.cli.runs.reports import report_of
from fanfold.cli.runs.store import open_store
from fanfold.cli.session import Session
from fanfold.domain.model.errors import FanfoldError
from fanfold.domain.model.run import Run
from fanfold.domain.report.compare import compare
from fanfold.ports.outside import ReportSink
from fanfold.rendering import table_lines, to_html, to_markdown, to_v1

#: What ``--format`` takes.
FORMS = ("table", "json", "markdown", "html", "v1")

#: What ``--format`` takes beside ``--compare``.
COMPARED_FORMS = ("table", "json")


app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def report(
    context: typer.Context,
    run: RunName = "latest",
    *,
    output: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="table, json, markdown, html or v1.")
    ] = "table",
    only: Annotated[
        str | None,
        typer.Option("--only", metavar="STATUS", help="Of the table only who failed: failed."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write there instead of stdout."),
    ] = None,
    show_page: Annotated[
        bool, typer.Option("--open", help="Open the page in the browser.")
    ] = False,
    other: Annotated[
        str | None,
        typer.Option(
            "--compare",
            metavar="RUN",
            help="Say how it differs from that run.",
            autocompletion=run_ids,
        ),
    ] = None,
) -> int:
    """Print the report of a run: the newest, if none is named.

    json is report.json byte for byte; v1 is the report of the old scheduler, its keys and words.

    Examples:
      fanfold report                              # the newest run, as a table
      fanfold report --only failed                # what went wrong, and nothing else
      fanfold report latest~1 --format markdown
      fanfold report 2026-11-23T02 --format html -o report.html
      fanfold report --open                       # the page, in the browser
      fanfold report --format v1                  # for consumers of the old report
      fanfold report --compare latest~1           # what is new since the run before

    Exit codes: 0 printed, whatever the run's outcome · 2 there is none, or RUN is a request that
    was refused · 4 RUN is a slot that was missed · 5 the file cannot be used
    With --compare: 0 nothing new failed · 1 a collector did not succeed that had not failed in the
    other run · 2 one of the two never ran
    """
    session = Session.of(context)
    if other is not None:
        if only is not None or show_page:
            raise CommandError("--compare goes with --format and -o alone", REPORT_COMPARED)
        return _compare(session, run or "latest", other, form_of(output, COMPARED_FORMS), file)
    form = form_of(output, FORMS)
    if only not in {None, "failed"} or (only and form != "table"):
        raise CommandError("--only takes failed, and needs --format table", REPORT_ONLY_FAILED)
    with open_store(session) as (ledger, sink):
        found = find_run(ledger, "latest" if run is None else run)
        loaded = report_of(found, ledger, sink, SystemClock().now(), session.note)
        stored = _stored_page(found, sink) if show_page else None
    content = _content(session, loaded, form, coloured=file is None, only_failed=only is not None)
    if file is not None:
        _write(file, content)
    elif not show_page:
        out_bytes(content)
    if show_page:
        _open(session, found, loaded, stored)
    # A record that never ran has the code that `status RUN` gives it.
    return CODE_OF_STATUS[found.status.value] if found.is_notice else OK


def _compare(session: Session, run: str, other: str, form: str, file: Path | None) -> int:
    """Print how *run* differs from *other*, and return 1 if something new failed in it."""
    with open_store(session) as (ledger, sink):
        runs = [find_run(ledger, text) for text in (run, other)]
        for each in runs:
            if each.is_notice:
                text = f"{each.run_id} never ran: there is nothing to compare ({each.about:.200})"
                raise CommandError(text, REPORT_COMPARED)
        now = SystemClock().now()
        here, there = (report_of(each, ledger, sink, now, session.note).report for each in runs)
    compared = compare(here, there)
    if form == "json":
        text = json_text(compared)
    else:
        lines = comparison_lines(
            compared,
            here["timezone"],
            width=session.terminal.width() if file is None else 0,
            colour=file is None and session.terminal.is_coloured(),
        )
        text = "\n".join(lines)
    content = (text + "\n").encode("utf-8", "replace")
    if file is not None:
        _write(file, content)
    else:
        out_bytes(content)
    return FAILED if compared["new_failures"] else OK


def _content(
    session: Session, loaded: LoadedReport, form: str, *, coloured: bool, only_failed: bool
) -> bytes:
    if form == "json":
        return loaded.content
    if form == "v1":
        return (json_text(to_v1(loaded.report)) + "\n").encode()
    if form == "markdown":
        return to_markdown(loaded.report).encode("utf-8", "replace")
    if form == "html":
        return to_html(loaded.report).encode("utf-8", "replace")
    lines = table_lines(
        loaded.report,
        width=session.terminal.width() if coloured else 0,
        colour=coloured and session.terminal.is_coloured(),
        only_failed=only_failed,
    )
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as exc:
        raise CommandError(f"{file} cannot be written: {exc.strerror}", REPORT_TO_A_FILE) from exc


def _stored_page(run: Run, sink: ReportSink) -> bytes | None:
    if not run.report:
        return None
    with suppress(FanfoldError):
        return sink.read(run.report_to, run.run_id, Path(run.report).name)
    return None


def _open(session: Session, run: Run, loaded: LoadedReport, stored: bytes | None) -> None:
    """Open the stored page if it is what the ledger says, and otherwise the ledger's."""
    content = to_html(loaded.report).encode("utf-8", "replace")
    page = Path(run.report or "")
    if content != stored:
        page = Path(tempfile.mkdtemp(prefix="fanfold-")) / f"{run.run_id}.html"
        page.write_bytes(content)
    session.note(f"opening {page}")
    if not webbrowser.open(page.resolve().as_uri()):
        raise CommandError("no browser could be started", open_page(page.resolve()))
