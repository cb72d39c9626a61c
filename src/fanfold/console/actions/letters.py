"""Replay a dead letter."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from fanfold.console import doing
from fanfold.console.actions.answers import back, form_page
from fanfold.domain.syntax.text import one_line

blueprint = Blueprint("acts_on_letters", __name__)


@blueprint.get("/dead-letters/<path:letter_id>/replay")
def ask_to_replay(letter_id: str) -> str:
    """Return the page that asks first."""
    letter = doing.a_letter(letter_id)
    return form_page(
        "confirm.html.j2",
        f"Publish dead letter {one_line(letter_id, 100)} again",
        names=[],
        button="Publish it again",
        hint=f"It was given up for: {one_line(letter.reason, 300)}",
        fields=[("next", "/dead-letters")],
        cancel="/dead-letters",
    )


@blueprint.post("/dead-letters/<path:letter_id>/replay")
def replay(letter_id: str) -> Response:
    """Publish the letter's message again, as it was."""
    doing.replay_letter(letter_id)
    return back()
