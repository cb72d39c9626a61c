"""``/runs/RUN``: one run, as its report shows it."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, url_for
from werkzeug.wrappers import Response

from fanfold.console.errors import NotHere
from fanfold.console.shown.home import clock
from fanfold.console.site import site
from fanfold.domain.model.run import Run
from fanfold.domain.model.states import RunStatus
from fanfold.domain.model.unreadable import UnreadableRun
from fanfold.domain.syntax.text import one_line
from fanfold.rendering.page import page_values
from fanfold.views.find import MOST_LISTED, NoSuchRun, find_run
from fanfold.views.reports import report_now

blueprint = Blueprint("runs", __name__)


@blueprint.get("/runs/<text>")
def run(text: str) -> str | Response:
    """Return the page of a run; the start of an id and ``latest`` lead to it."""
    here = site()
    try:
        found = find_run(here.parts.ledger, text)
    except NoSuchRun as exc:
        near = [(f"{each.run_id}: {each.status.value}", each.run_id) for each in exc.near]
        paths = [(label, url_for("runs.run", text=run_id)) for label, run_id in near]
        raise NotHere(exc.sentence, paths[:MOST_LISTED]) from exc
    if found.run_id != text:
        return redirect(url_for("runs.run", text=found.run_id))
    if isinstance(found, UnreadableRun):
        abort(503, f"run {one_line(found.run_id, 100)}: {found.why}")
    now = here.parts.clock.now()
    report = report_now(found, here.parts.ledger, now)
    return render_template(
        "run.html.j2",
        acts=acts_of(found),
        here="runs",
        clock=clock(now, found.timezone),
        **page_values(report),
    )


def acts_of(run: Run) -> list[tuple[str, str, str]]:
    """Return what can be done with *run* now: label, path of the page that asks first, class."""
    if run.is_notice:
        return []
    if run.verdict is None:
        return [
            ("Cancel the run…", url_for("acts_on_runs.ask_to_cancel", text=run.run_id), "danger")
        ]
    if run.verdict is RunStatus.SUCCEEDED:
        return []
    return [("Retry…", url_for("acts_on_runs.ask_to_retry", text=run.run_id), "main")]
