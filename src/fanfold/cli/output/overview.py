"""The glance that ``fanfold status`` gives: latest, running, next, overdue, last successes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fanfold.cli.exit_codes import CODE_OF_STATUS, OK, OVERDUE
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import in_or_ago, json_text, slot_words, weekday
from fanfold.cli.runs.find import latest_runs
from fanfold.domain.model.errors import FanfoldError
from fanfold.domain.rules import schedule
from fanfold.domain.rules.overdue import overdue_slot
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import instant

if TYPE_CHECKING:
    from fanfold.cli.session import Session
    from fanfold.domain.model.collector import Catalogue, CollectorHistory
    from fanfold.domain.model.run import Run
    from fanfold.ports.ledger import Ledger

#: The overview as JSON where nothing ever ran.
EMPTY: Mapping[str, Any] = {
    "latest": None,
    "running": [],
    "next": None,
    "overdue": None,
    "last_success": {},
}

#: Most collectors whose last success is listed.
MOST_LISTED = 12

_NOTHING = "\N{EN DASH}"
_MARKS = {"succeeded": "✓", "cancelled": _NOTHING}


@dataclass(frozen=True, slots=True)
class Overview:
    """What there is to say. ``overdue`` is the slot whose run never came, if there is one."""

    now: datetime
    latest: Run | None
    running: Sequence[Run]
    catalogue: Catalogue | None
    overdue: datetime | None
    pasts: Mapping[str, CollectorHistory]

    @property
    def code(self) -> int:
        """The exit code: a missing run weighs more than a failed one."""
        if self.overdue is not None:
            return OVERDUE
        return OK if self.latest is None else CODE_OF_STATUS[self.latest.status.value]

    @property
    def timezone(self) -> str:
        """The zone in which times are shown."""
        return self.catalogue.timezone if self.catalogue else "UTC"

    def next_slot(self) -> datetime | None:
        """Return when a schedule fires next."""
        return next_slot(self.catalogue, self.now) if self.catalogue else None


def next_slot(catalogue: Catalogue, now: datetime) -> datetime | None:
    """Return the next instant after *now* at which an enabled collector is due."""
    crons = {each.cron for each in catalogue.collectors if each.enabled and each.cron}
    fires = (schedule.next_fire(cron, catalogue.timezone, now) for cron in crons)
    return min((fire for fire in fires if fire is not None), default=None)


def print_overview(session: Session, ledger: Ledger, form: str) -> int:
    """Print how things stand, and return the exit code that says the same."""
    from fanfold.adapters.clock import SystemClock  # noqa: PLC0415

    overview = overview_of(ledger, _catalogue(session), SystemClock().now())
    if form == "json":
        out(json_text(_document(overview)))
    else:
        lines = _lines(overview)
        for line in lines if form == "table" else [f"- {line}" for line in lines]:
            out(line)
    return overview.code


def overview_of(ledger: Ledger, catalogue: Catalogue | None, now: datetime) -> Overview:
    """Return how things stand at *now*; without a *catalogue* the slots are unknown."""
    runs = latest_runs(ledger, 1)
    every = [each.name for each in catalogue.collectors] if catalogue else []
    return Overview(
        now=now,
        latest=runs[0] if runs else None,
        running=[run for run in ledger.unannounced() if not run.is_notice],
        catalogue=catalogue,
        overdue=overdue_slot(catalogue, ledger, now) if catalogue else None,
        pasts=ledger.pasts(every),
    )


def _catalogue(session: Session) -> Catalogue | None:
    """Return the configuration, or None with a note: the ledger can be looked at without it."""
    try:
        return session.load().catalogue
    except FanfoldError:
        session.note(
            f"warning: {session.settings.config} cannot be read, so slots are unknown\n"
            "  next: fanfold check"
        )
        return None


def _lines(seen: Overview) -> list[str]:
    lines = []
    if seen.overdue is not None:
        late = duration((seen.now - seen.overdue).total_seconds())
        lines.append(
            f"overdue  expected {slot_words(seen.overdue, seen.timezone)}, and no run after {late}"
            " — is a fanfold serve running?"
        )
    lines.append(f"latest   {_run_words(seen.latest, seen.now) if seen.latest else 'no runs yet'}")
    running = [f"{run.run_id} since {in_or_ago(run.start_time, seen.now)}" for run in seen.running]
    lines.append(f"running  {', '.join(running) or _NOTHING}")
    lines.append(f"next     {_next_words(seen)}")
    if seen.pasts:
        lines.append(f"last success  {_successes(seen)}")
    lines += _following(seen)
    return lines


def _run_words(run: Run, now: datetime) -> str:
    mark = _MARKS.get(run.status.value, "…" if run.verdict is None else "✗")
    parts = [run.run_id, f"{mark} {run.about or run.status.value}"]
    if run.end_time is not None:
        parts.append(duration((run.end_time - run.start_time).total_seconds()))
    return "   ".join([*parts, in_or_ago(run.end_time or run.start_time, now)])


def _next_words(seen: Overview) -> str:
    slot = seen.next_slot()
    if slot is None:
        return "unknown" if seen.catalogue is None else "no schedule"
    return f"{slot_words(slot, seen.timezone)} ({in_or_ago(slot, seen.now)})"


def _successes(seen: Overview) -> str:
    known = [
        f"{name} {duration((seen.now - past.last_success).total_seconds())}"
        if past.last_success
        else f"{name} never"
        for name, past in seen.pasts.items()
    ]
    more = len(known) - MOST_LISTED
    return "   ".join(known[:MOST_LISTED]) + (f"   and {more} more" if more > 0 else "")


def _following(seen: Overview) -> list[str]:
    if seen.overdue is not None:
        return ["  next: fanfold run --due   # makes up for it; fanfold serve keeps the schedule"]
    if seen.running:
        return [f"  next: fanfold status {seen.running[0].run_id}"]
    if seen.latest is None:
        return ["  next: fanfold run   # or fanfold demo"]
    if seen.code != OK:
        return ["  next: fanfold report latest"]
    return []


def _document(seen: Overview) -> Mapping[str, Any]:
    slot = seen.next_slot()
    return {
        "latest": _run_document(seen.latest) if seen.latest else None,
        "running": [_run_document(run) for run in seen.running],
        "next": instant(slot) if slot else None,
        "next_local": weekday(slot, seen.timezone) if slot else None,
        "overdue": instant(seen.overdue) if seen.overdue else None,
        "last_success": {
            name: instant(past.last_success) if past.last_success else None
            for name, past in seen.pasts.items()
        },
    }


def _run_document(run: Run) -> Mapping[str, Any]:
    return {
        "run_id": run.run_id,
        "status": run.status.value,
        "about": run.about,
        "start_time": instant(run.start_time),
        "end_time": instant(run.end_time) if run.end_time else None,
        "summary": run.summary,
        "report": run.report,
    }
