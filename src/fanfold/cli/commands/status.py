"""``fanfold status``: how did the last run go, what runs now, when is the next, is one missing?"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated

import typer

from fanfold.cli.exit_codes import CODE_OF_STATUS, OK, CommandError
from fanfold.cli.output.outcome import FORMS, places, table
from fanfold.cli.output.terminal import out, out_bytes
from fanfold.cli.output.words import form_of
from fanfold.cli.runs.find import RunName, find_run
from fanfold.cli.session import Session

if TYPE_CHECKING:
    from fanfold.ports.ledger import Ledger
    from fanfold.ports.outside import ReportSink


#: Most waiting requests that a run is looked for among.
MOST_WAITING = 1000


def command(
    context: typer.Context,
    run: RunName = None,
    *,
    output: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="table, json or markdown.")
    ] = "table",
) -> int:
    """Say how the last run went, what runs now and when the next is due; or how one RUN stands.

    \b
    Examples:
      fanfold status                          # at a glance; exit 4 if a run is missing
      fanfold status latest~1                 # one run, collector by collector
      fanfold status RUN --format json | jq -r .status

    \b
    Exit codes: 0 fine or still running · 1 the run failed · 2 no such run
    4 a run is missing or overdue · 5 the file cannot be used
    """  # noqa: D301
    session = Session.of(context)
    form = form_of(output, FORMS)
    if run is not None:
        with session.store() as (ledger, sink):
            return _one(session, ledger, sink, run, form)
    from fanfold.cli.output.overview import print_overview  # noqa: PLC0415

    if not session.has_store():
        return _nothing_yet(session, form)
    with session.store() as (ledger, _):
        return print_overview(session, ledger, form)


def _one(session: Session, ledger: Ledger, sink: ReportSink, text: str, form: str) -> int:
    from fanfold.adapters.clock import SystemClock  # noqa: PLC0415
    from fanfold.cli.runs.reports import report_of  # noqa: PLC0415
    from fanfold.rendering import to_markdown  # noqa: PLC0415

    try:
        run = find_run(ledger, text)
    except CommandError:
        if _is_requested(session, text):
            return _requested(text, form)
        # Its request may have become a run between the two looks; now it is there, or is not.
        run = find_run(ledger, text)
    seen = report_of(run, ledger, sink, SystemClock().now())
    if form == "json":
        out_bytes(seen.content)
    elif form == "markdown":
        out(to_markdown(seen.report).rstrip("\n"))
    else:
        lines = table(session, seen.report)
        for line in [*lines[:-1], *places(run), lines[-1]]:
            out(line)
    return CODE_OF_STATUS[seen.report["status"]]


def _is_requested(session: Session, run_id: str) -> bool:
    """Return whether a request for *run_id* waits on the embedded bus."""
    from fanfold.adapters.embedded.bus import SqliteBus  # noqa: PLC0415
    from fanfold.domain.model.errors import Rejected  # noqa: PLC0415
    from fanfold.messages.run_request import decode_run_request  # noqa: PLC0415
    from fanfold.messages.topology import RUN_REQUESTS  # noqa: PLC0415

    with session.parts() as (parts, _):
        if not isinstance(parts.bus, SqliteBus):
            return False
        for subscription in parts.bus.topology.of_topic(RUN_REQUESTS):
            for delivery in parts.bus.messages(subscription.name, MOST_WAITING):
                with contextlib.suppress(Rejected):
                    if decode_run_request(delivery.message).run_id == run_id:
                        return True
    return False


def _requested(run_id: str, form: str) -> int:
    """Say that the request of *run_id* waits, and no process has made a run of it yet."""
    from fanfold.cli.output.words import json_text  # noqa: PLC0415

    about = "asked for, and not taken up yet"
    if form == "json":
        out(json_text({"run_id": run_id, "status": "dispatching", "about": about}))
    else:
        out(f"run {run_id}: {about}")
        out("  next    fanfold serve   # or any fanfold run on this file works on it too")
    return OK


def _nothing_yet(session: Session, form: str) -> int:
    if form == "json":
        from fanfold.cli.output.overview import EMPTY  # noqa: PLC0415
        from fanfold.cli.output.words import json_text  # noqa: PLC0415

        out(json_text(EMPTY))
    else:
        out(f"no runs yet: {session.settings.database} does not exist")
        out("  next    fanfold run   # or fanfold demo")
    return OK
