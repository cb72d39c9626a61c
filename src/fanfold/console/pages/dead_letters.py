"""``/dead-letters``: messages that nobody could work, and why."""

from __future__ import annotations

import json
from collections.abc import Sequence

from flask import Blueprint, render_template, url_for

from fanfold.console.errors import NotHere
from fanfold.console.paging import sheet
from fanfold.console.shown.frame import frame
from fanfold.console.site import site
from fanfold.domain.model import names
from fanfold.domain.syntax.text import one_line, printable
from fanfold.ports.ledger import DeadLetter
from fanfold.views.dead_letters import letter_document

blueprint = Blueprint("dead_letters", __name__)

#: Letters of one page, most that are listed, and among which an id is searched.
ROWS, MOST_LISTED = 50, 500

#: Most characters of a letter's content that a page shows.
MOST_SHOWN = 20_000


@blueprint.get("/dead-letters")
def letters() -> str:
    """Return the list."""
    found = sheet(site().parts.ledger.dead_letters(MOST_LISTED), ROWS, "letter")
    return render_template("dead_letters.html.j2", sheet=found, **frame("letters"))


@blueprint.get("/dead-letters/<path:letter_id>")
def letter(letter_id: str) -> str:
    """Return one letter, its tokens masked."""
    found = find_letter(letter_id)
    document = letter_document(found)
    data = document["data"]
    text = data.get("text", data.get("base64", ""))
    return render_template(
        "dead_letter.html.j2",
        letter=found,
        attributes=document["attributes"],
        text=_indented(text)[:MOST_SHOWN],
        is_cut=len(text) > MOST_SHOWN,
        is_text="text" in data,
        **frame("letters"),
    )


def find_letter(letter_id: str) -> DeadLetter:
    """Return the letter called *letter_id*.

    Raises:
        NotHere: There is none, among the newest that are listed.
    """
    known: Sequence[DeadLetter] = site().parts.ledger.dead_letters(MOST_LISTED)
    for each in known:
        if each.letter_id == letter_id:
            return each
    near = names.did_you_mean(letter_id[:200], [each.letter_id for each in known])
    close = [each for each in known if each.letter_id.startswith(letter_id)] or known
    paths = [
        (one_line(each.letter_id, 100), url_for("dead_letters.letter", letter_id=each.letter_id))
        for each in close[:8]
    ]
    text = letter_id[:80]
    raise NotHere(f"there is no dead letter {text!r}{near}", paths)


def _indented(text: str) -> str:
    """Return JSON on lines of its own, and any other text as it is."""
    try:
        return printable(json.dumps(json.loads(text), ensure_ascii=False, indent=2))
    except (ValueError, RecursionError):
        return printable(text)
