"""``fanfold doctor``: is everything there that a run needs?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import typer

from fanfold.cli.exit_codes import FAILED, OK
from fanfold.cli.findings import collectors, google, machine
from fanfold.cli.findings.finding import Finding, Level
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import STATUS_OF_ANOTHER_FILE, next_row, seconds_of
from fanfold.cli.runs.store import has_store
from fanfold.cli.session import Session
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import FanfoldError
from fanfold.domain.syntax.text import one_line, plural

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def doctor(
    context: typer.Context,
    *,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="TIME", help="Most time for Google Cloud.")
    ] = "20s",
) -> int:
    """Look at all that a run needs, start nothing, and say what to paste where something is wrong.

    It looks at the configuration, the database and its disk, the clock, and each enabled collector:
    credentials, name, proxy, connection, certificate. No request is sent to a collector. With the
    google backend it looks at Firestore, the topics and the subscriptions, on emulators, too. It
    looks at what is deployed: who may call the services, whether dead letters can be moved, the
    Scheduler jobs and the queue beside the file, the report bucket, and which alerts are armed.
    What you may not see is a warning that names the right.

    Examples:
      fanfold doctor
      fanfold --backend google doctor --timeout 1m

    Exit codes: 0 a run can begin, perhaps with warnings · 1 something is wrong
    """
    counts = dict.fromkeys(Level, 0)
    timeout_s = seconds_of(timeout, "--timeout")
    for each in findings(Session.of(context), timeout_s):
        counts[each.level] += 1
        out(f"{each.level} {one_line(each.subject, 60):<22}  {one_line(each.text)}")
        if each.command:
            out(next_row(each.command))
    errors, warnings = counts[Level.ERROR], counts[Level.WARNING]
    out(f"{plural(errors, 'error')}, {plural(warnings, 'warning')}")
    return FAILED if errors else OK


def findings(session: Session, timeout_s: float) -> Iterator[Finding]:
    """Give all findings, as they are found; those of Google Cloud within *timeout_s*."""
    catalogue, finding = machine.configuration(session)
    yield finding
    is_google = session.settings.backend == "google"
    if not is_google:
        yield from machine.database(session.settings.database)
    newest: list[datetime] = []
    if is_google:
        yield from _of_google(session, catalogue, newest, timeout_s)
    elif has_store(session):
        yield from _ledger(session, newest)
    yield machine.clock(catalogue, newest[0] if newest else None)
    if catalogue is not None:
        yield from collectors.collectors(catalogue, session.env)


def _of_google(
    session: Session, catalogue: Catalogue | None, newest: list[datetime], timeout_s: float
) -> Iterator[Finding]:
    """Give the findings of Google Cloud; the time is for all of them together."""
    until = time.monotonic() + timeout_s
    yield from google.within(until, "Firestore", lambda: _ledger(session, newest))
    if session.settings.project:
        yield from google.within(until, "Pub/Sub", lambda: google.pubsub(session))
        left_s = max(0.0, until - time.monotonic())
        yield from google.within(
            until, "deployment", lambda: google.deployed(session, catalogue, left_s)
        )


def _ledger(session: Session, newest: list[datetime]) -> Iterator[Finding]:
    """Give whether the ledger can be read, and put into *newest* when its newest run began."""
    is_google = session.settings.backend == "google"
    try:
        began = machine.newest_run(session)
        newest += [began] if began is not None else []
        if is_google:
            yield Finding(Level.OK, "Firestore", f"project {session.settings.project}")
    except FanfoldError as exc:
        yield (
            google.unreachable(session, exc)
            if is_google
            else Finding(
                Level.ERROR, str(session.settings.database), str(exc), STATUS_OF_ANOTHER_FILE
            )
        )
