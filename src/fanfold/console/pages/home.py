"""``/``: how everything stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, render_template

from fanfold.console.live_reports import live_reports
from fanfold.console.shown.frame import frame
from fanfold.console.shown.home import home_of
from fanfold.console.site import site
from fanfold.domain.model.pause import PauseKind
from fanfold.domain.rules import pauses
from fanfold.views.overview import Overview

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
def home() -> str:
    """Return the first page."""
    overview = site().overview()
    page = home_of(overview, live_reports(site(), overview))
    return render_template("home.html.j2", page=page, paused=paused_now(overview), **frame("home"))


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
