"""``/``: how everything stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, render_template

from fanfold.console.shown.home import clock, home_of
from fanfold.console.site import Site, site
from fanfold.domain.model.errors import FanfoldError
from fanfold.domain.model.pause import PauseKind
from fanfold.domain.rules import pauses
from fanfold.views.overview import Overview
from fanfold.views.reports import report_now

blueprint = Blueprint("home", __name__)

#: Most runs under way that are shown with their progress.
MAX_LIVE = 3


@blueprint.get("/")
def home() -> str:
    """Return the first page."""
    here = site()
    overview = here.overview()
    page = home_of(overview, live_reports(here, overview))
    return render_template(
        "home.html.j2",
        page=page,
        here="home",
        clock=clock(overview.now, overview.timezone),
        paused=paused_now(overview),
    )


def live_reports(here: Site, overview: Overview) -> Sequence[dict[str, Any]]:
    """Return the reports so far of the runs under way, the newest first."""
    under_way = [run for run in overview.running if run.verdict is None]
    reports = []
    for run in sorted(under_way, key=lambda run: run.start_time, reverse=True)[:MAX_LIVE]:
        try:
            reports.append(report_now(run, here.parts.ledger, overview.now))
        except FanfoldError:  # its record cannot be read: a finding of the overview says so
            continue
    return reports


def paused_now(overview: Overview) -> Sequence[Mapping[str, Any]]:
    """Return what is paused: its sentence, what it is of, and the fields of a form that resumes."""
    names = {PauseKind.COLLECTOR: "collector", PauseKind.SCHEDULE: "schedule", PauseKind.ALL: "all"}
    return [
        {
            "sentence": pauses.sentence(each, overview.timezone),
            "target": str(each.target),
            "fields": [(names[each.kind], each.name or "1"), ("next", "/")],
        }
        for each in pauses.current(overview.paused, overview.now)
    ]
