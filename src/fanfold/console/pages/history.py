"""``/runs``: what ran, what was missed and what was refused, the newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import Blueprint, abort, render_template, request

from fanfold.console.paging import Sheet, page_number, sheet
from fanfold.console.shown.frame import frame
from fanfold.console.site import site
from fanfold.domain.model.states import Outcome, RunStatus
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import one_line, plural, weekday, zone
from fanfold.views.past import Listed, Wanted, kind_of, past_of

blueprint = Blueprint("history", __name__)

#: Runs of one page.
ROWS = 50

#: What the filters offer: outcomes and what asked for a run, each with its word.
OUTCOMES = {
    each.value: each.value.replace("_", " ")
    for each in (*RunStatus, *(one for one in Outcome if one.value not in set(RunStatus)))
}
TRIGGERS = {"schedule": "schedule", "ad_hoc": "by hand", "retry": "retry"}

_ICONS = {
    "succeeded": "ok",
    "failed": "bad",
    "timed_out": "late",
    "cancelled": "off",
    "rejected": "bad",
    "missed": "bad",
    "planned": "skip",
    "skipped": "skip",
}


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """A run, a missed slot or a refused request, in words."""

    run_id: str
    icon: str
    status: str
    began: str
    took: str
    about: str
    trigger: str
    chain: tuple[tuple[str, str], ...]


@blueprint.get("/runs")
def runs() -> str:
    """Return the page of the list."""
    found = listed()
    catalogue = site().slots().catalogue
    timezone = catalogue.timezone if catalogue else "UTC"
    return render_template(
        "history.html.j2",
        sheet=Sheet([_line(row, timezone) for row in found.rows], *_of(found)),
        chosen=request.args,
        outcomes=OUTCOMES,
        triggers=TRIGGERS,
        is_filtered=any(value for key, value in request.args.items() if key != "page"),
        **frame("runs"),
    )


def listed() -> Sheet[Listed]:
    """Return the runs that the query asks for, a page of them.

    Raises:
        NotHere: The list has no such page.
    """
    number = page_number()
    rows = past_of(site().parts.ledger, _wanted(number * ROWS + 1))
    return sheet(rows, ROWS, "run", is_all=len(rows) <= number * ROWS)


def _of(found: Sheet[Listed]) -> tuple[int, str, str, str]:
    return found.number, found.newer, found.older, found.words


def _wanted(limit: int) -> Wanted:
    asked = request.args
    outcome, trigger = _one_of("outcome", OUTCOMES), _one_of("trigger", TRIGGERS)
    until = _day("to")
    return Wanted(
        limit=limit,
        since=_day("from"),
        until=until + timedelta(days=1) if until else None,
        statuses=frozenset({outcome} if outcome else ()),
        collector=asked.get("collector", "").strip()[:63] or None,
        trigger=trigger or None,
    )


def _one_of(key: str, known: Mapping[str, str]) -> str:
    """Return what the query has as *key*, empty if it has nothing."""
    text = request.args.get(key, "")[:60]
    if text and text not in known:
        abort(400, f"{key} {text!r} is none of {', '.join(known)}")
    return text


def _day(key: str) -> datetime | None:
    """Return the beginning of the day that the query names, in the schedule's zone."""
    text = request.args.get(key, "")[:60]
    if not text:
        return None
    catalogue = site().slots().catalogue
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        there = day.replace(tzinfo=zone(catalogue.timezone if catalogue else "UTC"))
        return there.astimezone(UTC)
    except (ValueError, OverflowError):
        abort(400, f"{key} {text!r} is no day such as 2026-11-27")


def _line(row: Listed, timezone: str) -> HistoryLine:
    run = row.run
    about = one_line(run.about, 300) or run.status.value
    if row.outcome is not None:
        records = row.outcome.figures.records
        about = plural(records, "record") if records is not None else ""
    chain = [("retry of", run.retry_of)] if run.retry_of else []
    chain += [("retried by", each) for each in row.retried_by]
    chain += [("made up for by", row.made_up_by)] if row.made_up_by else []
    trigger = TRIGGERS.get(kind_of(run), one_line(run.trigger.kind, 40))
    reason = f": {one_line(run.trigger.reason, 200)}" if run.trigger.reason else ""
    return HistoryLine(
        run_id=run.run_id,
        icon=_ICONS.get(row.status, "run"),
        status=row.status.replace("_", " "),
        began=weekday(run.scheduled_for or run.start_time, timezone),
        took="" if row.seconds is None else duration(row.seconds),
        about=about,
        trigger="" if run.is_notice else trigger + reason,
        chain=tuple(chain),
    )
