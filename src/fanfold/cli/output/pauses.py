"""What is paused, as ``pause``, ``resume`` and ``history`` print it."""

from __future__ import annotations

from collections.abc import Sequence

from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import json_text
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.pause import Pause
from fanfold.domain.rules import pauses
from fanfold.domain.syntax.text import weekday
from fanfold.messages.pauses import pauses_document


def print_pauses(
    found: Sequence[Pause], catalogue: Catalogue | None, form: str, nothing: str
) -> None:
    """Print *found* as *form*, table or json; *nothing* where there is none."""
    if form == "json":
        out(json_text(pauses_document(found)))
        return
    for each in found:
        out(pause_line(each, catalogue.timezone if catalogue else "UTC"))
    if not found:
        out(nothing)


def pause_line(pause: Pause, zone: str) -> str:
    """Return the line of *pause*; one that is over says since when."""
    if pause.resumed_at is None:
        return pauses.sentence(pause, zone)
    by = f" by {pause.resumed_by}" if pause.resumed_by else ""
    return f"{pauses.sentence(pause, zone)}; resumed {weekday(pause.resumed_at, zone)}{by}"
