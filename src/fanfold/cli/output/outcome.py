"""What is printed of a run: the table or the document, where it is, the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fanfold.cli.output.terminal import Terminal, out_bytes, out_styled
from fanfold.cli.output.words import EARLIER_RUN, next_row, retry_of
from fanfold.domain.model.run import Run
from fanfold.rendering import table_lines, to_markdown
from fanfold.rendering.table import verdict

#: What a retry of the run asks again.
_RETRIED = ("failed", "timed_out", "cancelled")


@dataclass(frozen=True, slots=True)
class LoadedReport:
    """A report, and its bytes as report.json has them."""

    report: Mapping[str, Any]
    content: bytes


def print_outcome(
    terminal: Terminal, run: Run, loaded: LoadedReport, form: str, *, hint: str | None = None
) -> None:
    """Print the report of the final *run*; beside a document, where it is goes to stderr.

    Args:
        terminal: Where to.
        run: The run.
        loaded: Its report.
        form: table, json or markdown.
        hint: The next command to type; that which the report suggests if absent.
    """
    if form == "table":
        following = hint or next_command(loaded.report)
        print_table(terminal, run, loaded.report, [next_row(following)] if following else [])
        return
    for place in places(run):
        terminal.note(place)
    print_document(loaded, form)
    terminal.note(verdict(loaded.report))


def print_table(
    terminal: Terminal, run: Run, report: Mapping[str, Any], before_verdict: list[str]
) -> None:
    """Print the table on stdout, where the report is, *before_verdict*, and the verdict last."""
    *rows, last = table_lines(report, width=terminal.width(), colour=terminal.is_coloured())
    for row in [*rows, *places(run), *before_verdict, last]:
        out_styled(row)


def print_document(loaded: LoadedReport, form: str) -> None:
    """Print the report on stdout as *form*, json or markdown, and nothing else."""
    if form == "json":
        out_bytes(loaded.content)
    else:
        out_styled(to_markdown(loaded.report).rstrip("\n"))


def places(run: Run) -> list[str]:
    """Return where the report is: the page, and the JSON beside it."""
    if run.report is None:
        return []
    page = run.report
    document = page.removesuffix(".html") + ".json"
    return [f"  report  {page}", f"  json    {document}"]


def next_command(report: Mapping[str, Any]) -> str:
    """Return the next command to type, empty where there is none."""
    collectors = report["collectors"]
    failed = [name for name, one in collectors.items() if one["status"] in _RETRIED]
    if failed:
        return retry_of(report["run_id"], failed)
    if any(one["reason"] == "overlap" for one in collectors.values()):
        return EARLIER_RUN
    return ""


def append_summary(terminal: Terminal, loaded: LoadedReport) -> None:
    """Append the report as Markdown to the CI job's summary, if there is one."""
    path = terminal.env.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8", errors="replace") as file:
            file.write(to_markdown(loaded.report) + "\n")
    except OSError as exc:
        terminal.note(f"warning: the job summary {path} cannot be written: {exc.strerror}")
