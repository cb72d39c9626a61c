"""``fanfold doctor``: is everything there that a run needs?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import typer

from fanfold.cli.exit_codes import FAILED, OK
from fanfold.cli.findings import collectors, google, machine
from fanfold.cli.findings.finding import Finding, Level
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import STATUS_OF_ANOTHER_FILE, next_row
from fanfold.cli.runs.backend import has_store
from fanfold.cli.session import Session
from fanfold.domain.model.errors import FanfoldError
from fanfold.domain.syntax.text import one_line, plural

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def doctor(context: typer.Context) -> int:
    """Look at all that a run needs, start nothing, and say what to paste where something is wrong.

    It looks at the configuration, the database and its disk, the clock, and each enabled collector:
    credentials, name, proxy, connection, certificate. No request is sent to a collector. With the
    google backend it looks at Firestore, the topics and the subscriptions, on emulators, too.

    Examples:
      fanfold doctor
      fanfold --backend google doctor

    Exit codes: 0 a run can begin, perhaps with warnings · 1 something is wrong
    """
    counts = dict.fromkeys(Level, 0)
    for each in findings(Session.of(context)):
        counts[each.level] += 1
        out(f"{each.level} {one_line(each.subject, 60):<22}  {one_line(each.text)}")
        if each.command:
            out(next_row(each.command))
    errors, warnings = counts[Level.ERROR], counts[Level.WARNING]
    out(f"{plural(errors, 'error')}, {plural(warnings, 'warning')}")
    return FAILED if errors else OK


def findings(session: Session) -> Iterator[Finding]:
    """Give all findings, as they are found."""
    catalogue, finding = machine.configuration(session)
    yield finding
    is_google = session.settings.backend == "google"
    if not is_google:
        yield from machine.database(session.settings.database)
    newest: datetime | None = None
    if has_store(session):
        try:
            newest = machine.newest_run(session)
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
    if is_google and session.settings.project:
        yield from google.pubsub(session)
    yield machine.clock(catalogue, newest)
    if catalogue is not None:
        yield from collectors.collectors(catalogue, session.env)
