"""``fanfold backfill``: make up for every slot of a stretch of time that has no run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

from fanfold.adapters.clock import SystemClock
from fanfold.cli import run_options
from fanfold.cli.completions import TABLE_OR_JSON, TableOrJson, collector_names, missed_slots
from fanfold.cli.exit_codes import OK, CommandError
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import (
    FAILED_RUNS,
    form_of,
    help_of,
    json_text,
    next_line,
    seconds_of,
)
from fanfold.cli.runs.backfill import Backfilled, run_slots
from fanfold.cli.runs.store import has_store, open_store
from fanfold.cli.session import Session
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.names import scheduled_run_id
from fanfold.domain.model.request import RunRequest
from fanfold.domain.model.run import Run
from fanfold.domain.model.states import RunStatus
from fanfold.domain.rules.backfill import BackfillPlan, backfill_plan, read_stretch
from fanfold.domain.rules.plan import why_not_chosen
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import instant, listed, plural, weekday

#: So many slots are run without being asked for by ``--limit``.
SANE = 100

#: Most collectors that a line names.
MOST_NAMED = 6

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def backfill(
    context: typer.Context,
    first: Annotated[
        str,
        typer.Argument(
            metavar="FROM", help="A day, or an instant with its zone.", autocompletion=missed_slots
        ),
    ],
    last: Annotated[
        str,
        typer.Argument(
            metavar="TO", help="Likewise; a day is meant whole.", autocompletion=missed_slots
        ),
    ],
    *,
    collector: Annotated[
        list[str] | None,
        typer.Option(
            "--collector",
            metavar="NAME",
            help="Only this one, where it was due. May be repeated.",
            autocompletion=collector_names,
        ),
    ] = None,
    tag: run_options.Tags = None,
    exclude: run_options.Exclude = None,
    reason: run_options.Reason = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say which slots would be run.")
    ] = False,
    limit: Annotated[
        int, typer.Option(min=1, max=5000, metavar="N", help="Refuse to run more slots than this.")
    ] = SANE,
    wait_timeout: Annotated[
        str | None, typer.Option(metavar="TIME", help="Wait at most 90s, 10m, 2h for each run.")
    ] = None,
    output: TableOrJson = "table",
) -> int:
    """Run every slot from FROM to TO that has no run, one after the other, the oldest first.

    Each run has its slot's own id and asks who was due in it; a collector is told the slot as
    scheduled_for. Slots that came while their schedule was paused are run as well.
    FROM and TO are days in the configuration's zone, or instants such as
    2026-11-23T02:15Z. On the google backend the functions there do the work, one run at a time.
    Ctrl-C stops after the run that is under way; the same command goes on where it stopped.

    Examples:
      fanfold backfill 2026-11-20 2026-11-23 --dry-run
      fanfold backfill 2026-11-20 2026-11-23
      fanfold backfill 2026-11-22T22:00Z 2026-11-23T04:00Z --collector plu

    Exit codes: 0 all succeeded, planned, or nothing to run · 1 something failed · 2 refused,
    nothing more was started · 3 gave up waiting · 5 the file cannot be used
    130 interrupted, after the run that was under way
    """
    session = Session.of(context)
    form = form_of(output, TABLE_OR_JSON)
    wait_s = None if wait_timeout is None else seconds_of(wait_timeout, "--wait-timeout")
    catalogue = session.load().catalogue
    request = RunRequest(
        collectors=tuple(dict.fromkeys(collector)) if collector else None,
        tags=tuple(tag or ()),
        exclude=tuple(exclude or ()),
        reason=reason,
    )
    plan = _plan(session, catalogue, request, first, last)
    if dry_run:
        _print_plan(plan, catalogue, form)
        return OK
    _require_sane(plan, limit, session)
    done = Backfilled()
    if plan.paused:
        session.note(f"{plural(len(plan.paused), 'slot')} of it came while its schedule was paused")
    if plan.to_run:
        tell = _print_run if form == "table" else _print_nothing
        done = run_slots(session, plan.to_run, request, catalogue, wait_s=wait_s, on_end=tell)
    return _conclude(session, plan, done, form)


def _plan(
    session: Session, catalogue: Catalogue, request: RunRequest, first: str, last: str
) -> BackfillPlan:
    """Return which slots are to be run.

    Raises:
        CommandError: The time cannot be read, or has too many slots.
        Rejected: A collector or tag is unknown.
    """
    now = SystemClock().now()
    # Names that do not exist are refused as ``run`` refuses them.
    run_options.planned(request, catalogue, now=now, histories={}, busy={})
    chosen = [each for each in catalogue.collectors if why_not_chosen(each, request) is None]
    try:
        stretch = read_stretch(first, last, catalogue.timezone, now)
        if not has_store(session):
            return backfill_plan(catalogue, stretch, chosen, None, now)
        with open_store(session) as (ledger, _):
            return backfill_plan(catalogue, stretch, chosen, ledger, now)
    except ValueError as exc:
        raise CommandError(str(exc), help_of("backfill")) from exc


def _require_sane(plan: BackfillPlan, limit: int, session: Session) -> None:
    """Return if there are no more slots to run than somebody would mean.

    Raises:
        CommandError: There are more than *limit*.
    """
    number = len(plan.to_run)
    if number > limit:
        session.note(_counts(number, plan.answered))
        raise CommandError(
            f"that would be {plural(number, 'run')}, and more than {limit} are not started "
            f"unless --limit {number} is said",
            f"the same command with --limit {number}, or with --dry-run",
        )


def _print_plan(plan: BackfillPlan, catalogue: Catalogue, form: str) -> None:
    if form == "json":
        slots = [_planned(slot, due, catalogue) for slot, due in plan.to_run.items()]
        out(json_text({"slots": slots, "had_run": plan.answered}))
        return
    for slot, due in plan.to_run.items():
        run_id = scheduled_run_id(slot, catalogue.schedule)
        when = weekday(slot, catalogue.timezone)
        paused = f" ({plan.paused[slot]})" if slot in plan.paused else ""
        out(f"\N{EN DASH} {run_id}  {when}  would ask {listed(due, MOST_NAMED)}{paused}")
    out(f"planned only: {_counts(len(plan.to_run), plan.answered)}")


def _planned(slot: datetime, due: Sequence[str], catalogue: Catalogue) -> Mapping[str, Any]:
    run_id = scheduled_run_id(slot, catalogue.schedule)
    return {"slot": instant(slot), "run_id": run_id, "status": "planned", "collectors": list(due)}


def _conclude(session: Session, plan: BackfillPlan, done: Backfilled, form: str) -> int:
    """Print what became of the slots, and return the exit code."""
    had_run = plan.answered + done.had_run
    if form == "json":
        out(json_text({"slots": [_document(run) for run in done.runs], "had_run": had_run}))
    succeeded = sum(run.verdict is RunStatus.SUCCEEDED for run in done.runs)
    failed = len(done.runs) - succeeded
    left = len(plan.to_run) - len(done.runs) - done.had_run
    words = [f"{succeeded} succeeded", f"{failed} failed"] if done.runs else []
    words += [f"{left} left"] if left else []
    counted = f"{_counts(len(plan.to_run), had_run)}" + (f": {', '.join(words)}" if words else "")
    mark = "✗" if failed or done.stopped else "✓"
    (out if form == "table" else session.note)(f"{mark} {counted}")
    if done.stopped:
        session.note(f"{done.stopped}; the same command goes on with the slots that are left")
    elif failed:
        session.note(next_line(FAILED_RUNS))
    return done.code


def _print_nothing(_: Run) -> None:
    """Print nothing: the document comes at the end."""


def _print_run(run: Run) -> None:
    mark = "✓" if run.verdict is RunStatus.SUCCEEDED else "✗"
    seconds = ((run.end_time or run.start_time) - run.start_time).total_seconds()
    slot = weekday(run.scheduled_for or run.start_time, run.timezone)
    out(f"{mark} {run.run_id}  {slot}  {duration(seconds):>7}  {run.about}")


def _document(run: Run) -> Mapping[str, Any]:
    slot = run.scheduled_for or run.start_time
    keys = {"slot": instant(slot), "run_id": run.run_id, "status": run.status.value}
    return {**keys, "about": run.about, "report": run.report}


def _counts(to_run: int, had_run: int) -> str:
    slots = "no slot to run" if not to_run else f"{plural(to_run, 'slot')} to run"
    return f"{slots}, {had_run} had a run already" if had_run else slots
