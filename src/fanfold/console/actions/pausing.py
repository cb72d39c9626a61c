"""Pause and resume collectors and schedules."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from fanfold.console import doing
from fanfold.console.actions.answers import back, form_page, own_path
from fanfold.domain.model.pause import Target

blueprint = Blueprint("acts_on_pauses", __name__)


@blueprint.get("/pause")
def ask_to_pause() -> str:
    """Return the form: for how long, and why."""
    targets = _targets(request.args)
    fields = [
        (name, text)
        for name in ("collector", "schedule", "all")
        for text in request.args.getlist(name)
    ]
    what = ", ".join(map(str, targets))
    return form_page(
        "pause.html.j2",
        f"Pause {what}",
        button=f"Pause {what}",
        fields=fields,
        next=own_path(request.args.get("next", "/")),
    )


@blueprint.post("/pause")
def pause() -> Response:
    """Pause what the form names."""
    form = request.form
    doing.pause_now(_targets(form), length=form.get("for", ""), reason=form.get("reason", ""))
    return back()


@blueprint.post("/resume")
def resume() -> Response:
    """Resume what the form names."""
    doing.resume_now(_targets(request.form))
    return back()


def _targets(form: MultiDict[str, str]) -> tuple[Target, ...]:
    return doing.targets_of(
        form.getlist("collector"), form.getlist("schedule"), everything=bool(form.get("all"))
    )
