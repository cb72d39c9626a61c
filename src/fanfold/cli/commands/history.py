"""``fanfold history``: the runs, missed slots and refused requests, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

import typer

from fanfold.adapters.clock import SystemClock
from fanfold.cli.completions import collector_names, words
from fanfold.cli.exit_codes import OK, CommandError
from fanfold.cli.output.history import print_history
from fanfold.cli.output.history_grid import print_grid
from fanfold.cli.output.pauses import pause_line
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import CHECK_LISTS, form_of, help_of, seconds_of
from fanfold.cli.runs.past import grid_of
from fanfold.cli.runs.store import open_store
from fanfold.cli.session import Session
from fanfold.domain.model import names
from fanfold.domain.model.pause import Pause, PauseKind
from fanfold.domain.model.states import Outcome, RunStatus
from fanfold.ports.ledger import Ledger
from fanfold.views.find import latest_runs
from fanfold.views.past import Wanted, past_of

#: What ``--format`` takes.
FORMS = ("table", "json", "csv")

#: What ``--status`` takes: statuses of runs, outcomes of a collector, and ``refused`` for rejected.
STATUSES = tuple(dict.fromkeys([*RunStatus, *Outcome, "skipped", "refused"]))

#: Among so many of the newest records a run is looked for that says which collectors there are.
MOST_READ = 50

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def history(
    context: typer.Context,
    *,
    collector: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Only its last 30 runs, with what became of it.",
            autocompletion=collector_names,
        ),
    ] = None,
    status: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STATUS",
            help="failed, missed, refused, … May be repeated.",
            autocompletion=words(*STATUSES),
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Not older than this, such as 14d.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=5000, metavar="N", help="At most so many.")] = 30,
    grid: Annotated[
        bool, typer.Option("--grid", help="Collectors by slots, a character each.")
    ] = False,
    output: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="table, json or csv.")
    ] = "table",
) -> int:
    """List runs, missed slots and refused requests, newest first, one line each.

    A line has the slot (or when it began), how long it took, the sentence of its report, and of
    which run it is a retry. At most the newest 5000 records are looked through. Below stand the
    pauses of that time: their slots have no run and are not missed.

    With --grid it shows what became of each collector in the last slots, as far as is remembered
    (30 runs): a slot that was tried again counts once, by its best outcome, and runs by hand stand
    below. --limit counts slots there; --status does not go with it.

    Examples:
      fanfold history                               # the last 30
      fanfold history --status failed --since 14d
      fanfold history --collector plu               # its own outcomes
      fanfold history --grid --since 14d            # who failed in which slot
      fanfold history --limit 500 --format csv > runs.csv

    Exit codes: 0 listed, whatever the outcomes · 2 no such status or collector, or nothing ever ran
    5 the database cannot be used
    """
    session = Session.of(context)
    form = form_of(output, FORMS)
    began = _since(since)
    if grid:
        if status:
            raise CommandError("--status does not go with --grid", help_of("history"))
        _print_grid(session, Wanted(limit, began, collector=collector), form)
        return OK
    wanted = Wanted(limit, began, frozenset(map(_status, status or [])), collector)
    with open_store(session) as (ledger, _):
        rows = past_of(ledger, wanted)
        paused = _pauses_of(ledger, wanted) if form == "table" else ()
    if not rows and collector is not None and (catalogue := session.slots().catalogue):
        _require_known(collector, [each.name for each in catalogue.collectors])
    print_history(rows, form)
    zone = next((each.run.timezone for each in rows if not each.run.is_notice), "UTC")
    for each in paused:
        out(f"\N{DOUBLE VERTICAL LINE} {pause_line(each, zone)}")
    if not rows:
        session.note("nothing of the kind was recorded")
    return OK


def _pauses_of(ledger: Ledger, wanted: Wanted) -> Sequence[Pause]:
    """Return the newest pauses in the time and of the collector that are *wanted*, newest first."""
    found = [
        each
        for each in ledger.pauses()
        if not (wanted.collector and each.kind is PauseKind.COLLECTOR)
        or each.name == wanted.collector
        if wanted.since is None or each.end is None or each.end >= wanted.since
    ]
    return found[::-1][: wanted.limit]


def _print_grid(session: Session, wanted: Wanted, form: str) -> None:
    """Print the grid of the collectors of the configuration, or of the newest run if unread.

    Raises:
        CommandError: There is no such collector.
    """
    catalogue = session.slots().catalogue
    with open_store(session) as (ledger, _):
        if catalogue is not None:
            known, zone = [each.name for each in catalogue.collectors], catalogue.timezone
        else:
            newest = next((run for run in latest_runs(ledger, MOST_READ) if run.total), None)
            entries = ledger.manifest(newest.run_id) if newest else ()
            known, zone = [each.name for each in entries], newest.timezone if newest else "UTC"
        shown = known if wanted.collector is None else [wanted.collector]
        found = grid_of(ledger, shown, wanted, timezone=zone)
    if wanted.collector is not None and wanted.collector not in known:
        row = found.rows[0]
        if not row.slots and not row.by_hand:
            _require_known(wanted.collector, known)
    print_grid(found, form, width=session.terminal.columns())


def _require_known(collector: str, known: Sequence[str]) -> None:
    """Return if *collector*, of which nothing is recorded, is one of the *known*.

    Raises:
        CommandError: It is not: most likely it was mistyped.
    """
    if collector not in known:
        near = names.did_you_mean(collector, known)
        raise CommandError(f"no collector {collector!r:.80}{near}", CHECK_LISTS)


def _since(text: str | None) -> datetime | None:
    if text is None:
        return None
    return SystemClock().now() - timedelta(seconds=seconds_of(text, "--since"))


def _status(text: str) -> str:
    if text not in STATUSES:
        near = names.did_you_mean(text, STATUSES) or f": use one of {', '.join(STATUSES)}"
        raise CommandError(f"--status {text!r:.60}{near}", help_of("history"))
    return RunStatus.REJECTED.value if text == "refused" else text
