"""Run now, retry, cancel: each has a page that asks first, and a POST that does it."""

from __future__ import annotations

import uuid

from flask import Blueprint, request
from werkzeug.wrappers import Response

from fanfold.console import doing
from fanfold.console.actions.answers import form_page, to_run
from fanfold.console.site import site
from fanfold.domain.model import names
from fanfold.domain.model.request import RunRequest
from fanfold.domain.syntax.text import plural

blueprint = Blueprint("acts_on_runs", __name__)


@blueprint.get("/run")
def ask_to_run() -> str:
    """Return the form: all collectors, some, or those with a tag."""
    catalogue = doing.catalogue()
    enabled = [each for each in catalogue.collectors if each.enabled]
    tags = sorted({tag for each in enabled for tag in each.spec.tags})
    paused = {each.name for each in site().parts.ledger.pauses() if each.end is None}
    # Two clicks are one run: the id is chosen with the form.
    run_id = names.ad_hoc_run_id(site().parts.clock.now(), uuid.uuid4().hex)
    return form_page(
        "run_now.html.j2",
        "Run now",
        names=[each.name for each in enabled],
        chosen=request.args.getlist("collector"),
        tags=tags,
        paused=paused,
        run_id=run_id,
    )


@blueprint.post("/run")
def run() -> Response:
    """Ask for the run that the form describes."""
    form = request.form
    collectors = tuple(dict.fromkeys(form.getlist("collector")))
    wanted = RunRequest(
        collectors=collectors or None,
        tags=() if collectors else tuple(dict.fromkeys(form.getlist("tag"))),
        run_id=form.get("run_id") or None,
        reason=doing.because(form.get("reason", "")),
    )
    return to_run(doing.run_now(wanted))


@blueprint.get("/runs/<text>/retry")
def ask_to_retry(text: str) -> str | Response:
    """Return the page that says whom a retry asks, and asks first."""
    named = request.args.getlist("collector")
    try:
        plan = doing.retry_plan_of(text, named)
    except doing.UnderWay as exc:
        return to_run(doing.Done("", exc.run_id))
    return form_page(
        "confirm.html.j2",
        f"Retry {plural(len(plan.collectors), 'collector')} of {plan.run_id}",
        names=plan.collectors,
        button=f"Retry {_few(plan.collectors)}",
        fields=[("of", plan.run_id), *(("collector", name) for name in named)],
        cancel=f"/runs/{plan.run_id}",
    )


@blueprint.post("/runs/<text>/retry")
def retry(text: str) -> Response:
    """Try the run again; whoever pressed it first, it is one run."""
    form = request.form
    named, reason = form.getlist("collector"), form.get("reason", "")
    return to_run(doing.retry(text, named, reason, form.get("of", "")))


@blueprint.get("/runs/<text>/cancel")
def ask_to_cancel(text: str) -> str:
    """Return the page that asks first."""
    named, run = request.args.getlist("collector"), doing.a_run(text)
    return form_page(
        "confirm.html.j2",
        f"Cancel {', '.join(named) + ' in ' if named else ''}run {run.run_id}",
        names=named,
        button=f"Cancel {_few(named) if named else 'the run'}",
        is_danger=True,
        hint="A call under way is not interrupted; what it answers is kept as late evidence.",
        fields=[("collector", name) for name in named],
        cancel=f"/runs/{run.run_id}",
    )


@blueprint.post("/runs/<text>/cancel")
def cancel(text: str) -> Response:
    """Cancel the run, or the collectors that the form names."""
    form = request.form
    return to_run(doing.cancel_run(text, form.getlist("collector"), form.get("reason", "")))


def _few(named: tuple[str, ...] | list[str]) -> str:
    return named[0] if len(named) == 1 else plural(len(named), "collector")
