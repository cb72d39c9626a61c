"""What is printed once a run is final: the table or the document, where it is, one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fanfold.cli.output.terminal import out, out_bytes
from fanfold.cli.runs.reports import LoadedReport

if TYPE_CHECKING:
    from fanfold.cli.session import Session
    from fanfold.domain.model.run import Run

#: What ``run`` and ``status RUN`` can print.
FORMS = ("table", "json", "markdown")

#: What a retry of the run asks again.
_RETRIED = ("failed", "timed_out", "cancelled")


def print_outcome(
    session: Session, run: Run, seen: LoadedReport, form: str, *, hint: str | None = None
) -> None:
    """Print the report *seen* of the final *run*; all but the document goes to stderr."""
    from fanfold.rendering import to_markdown  # noqa: PLC0415
    from fanfold.rendering.table import verdict  # noqa: PLC0415

    if form == "table":
        following_lines = [f"  next    {hint}"] if hint else following(seen.report)
        for line in [*table(session, seen.report)[:-1], *places(run), *following_lines]:
            out(line)
        out(verdict(seen.report, colour=session.is_coloured()))
        return
    for line in places(run):
        session.note(line)
    if form == "json":
        out_bytes(seen.content)
    else:
        out(to_markdown(seen.report).rstrip("\n"))
    session.note(verdict(seen.report))


def table(session: Session, report: Mapping[str, Any]) -> list[str]:
    """Return the report's table for stdout; the last line is the verdict."""
    from fanfold.rendering import table_lines  # noqa: PLC0415

    return table_lines(report, width=session.width(), colour=session.is_coloured())


def places(run: Run) -> list[str]:
    """Return where the report is: the page, and the JSON beside it."""
    if run.report is None:
        return []
    page = run.report
    document = page.removesuffix(".html") + ".json"
    return [f"  report  {page}", f"  json    {document}"]


def following(report: Mapping[str, Any]) -> list[str]:
    """Return the next command to type, where there is one."""
    collectors = report["collectors"]
    failed = [name for name, one in collectors.items() if one["status"] in _RETRIED]
    if failed and len(failed) <= 5:
        return [f"  next    fanfold retry {report['run_id']}   # {', '.join(failed)} only"]
    if failed:
        return [f"  next    fanfold report {report['run_id']} --open"]
    if any(one["reason"] == "overlap" for one in collectors.values()):
        return ["  next    fanfold status   # the earlier run that still has them"]
    return []


def append_summary(session: Session, seen: LoadedReport) -> None:
    """Append the report as Markdown to the CI job's summary, if there is one."""
    from fanfold.rendering import to_markdown  # noqa: PLC0415

    path = session.env.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8", errors="replace") as file:
            file.write(to_markdown(seen.report) + "\n")
    except OSError as exc:
        session.note(f"warning: the job summary {path} cannot be written: {exc.strerror}")
