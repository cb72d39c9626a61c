"""``fanfold report``: print the report of a run, in any of its forms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fanfold.cli.exit_codes import OK, CommandError
from fanfold.cli.output.terminal import out_bytes
from fanfold.cli.output.words import form_of, json_text
from fanfold.cli.runs.find import RunName, find_run
from fanfold.cli.session import Session

if TYPE_CHECKING:
    from fanfold.cli.runs.reports import LoadedReport
    from fanfold.domain.model.run import Run

#: What ``--format`` takes.
FORMS = ("table", "json", "markdown", "html", "v1")


def command(
    context: typer.Context,
    run: RunName = "latest",
    *,
    output: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="table, json, markdown, html or v1.")
    ] = "table",
    file: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write there instead of stdout."),
    ] = None,
    open_page: Annotated[
        bool, typer.Option("--open", help="Open the page in the browser.")
    ] = False,
) -> int:
    """Print the report of a run: the newest, if none is named.

    json is report.json byte for byte; v1 is the report of the old scheduler, its keys and words.

    \b
    Examples:
      fanfold report                              # the newest run, as a table
      fanfold report latest~1 --format markdown
      fanfold report 2026-11-23T02 --format html -o report.html
      fanfold report --open                       # the page, in the browser
      fanfold report --format v1                  # for consumers of the old report
    """  # noqa: D301
    session = Session.of(context)
    form = form_of(output, FORMS)
    from fanfold.adapters.clock import SystemClock  # noqa: PLC0415
    from fanfold.cli.runs.reports import report_of  # noqa: PLC0415

    with session.store() as (ledger, sink):
        found = find_run(ledger, run or "latest")
        seen = report_of(found, ledger, sink, SystemClock().now())
    content = _content(session, seen, form, coloured=file is None)
    if file is not None:
        _write(file, content)
    elif not open_page:
        out_bytes(content)
    if open_page:
        _open(session, found, seen)
    return OK


def _content(session: Session, seen: LoadedReport, form: str, *, coloured: bool) -> bytes:
    from fanfold import rendering as forms  # noqa: PLC0415

    if form == "json":
        return seen.content
    if form == "v1":
        return (json_text(forms.to_v1(seen.report)) + "\n").encode()
    if form == "markdown":
        return forms.to_markdown(seen.report).encode("utf-8", "replace")
    if form == "html":
        return forms.to_html(seen.report).encode("utf-8", "replace")
    lines = forms.table_lines(
        seen.report,
        width=session.width() if coloured else 0,
        colour=coloured and session.is_coloured(),
    )
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as exc:
        raise CommandError(
            f"{file} cannot be written: {exc.strerror}", "fanfold report -o OTHER"
        ) from exc


def _open(session: Session, run: Run, seen: LoadedReport) -> None:
    import tempfile  # noqa: PLC0415
    import webbrowser  # noqa: PLC0415

    from fanfold.rendering import to_html  # noqa: PLC0415

    page = Path(run.report) if run.report else None
    if page is None or not page.is_file():
        page = Path(tempfile.mkdtemp(prefix="fanfold-")) / f"{run.run_id}.html"
        page.write_bytes(to_html(seen.report).encode("utf-8", "replace"))
    session.note(f"opening {page}")
    if not webbrowser.open(page.resolve().as_uri()):
        raise CommandError("no browser could be started", f"xdg-open {page.resolve()}")
