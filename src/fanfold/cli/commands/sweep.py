"""``fanfold sweep``: one pass now: close what is overdue, repair what stopped half-way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from fanfold.cli.exit_codes import FAILED, OK
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import form_of, json_text
from fanfold.cli.session import Session

if TYPE_CHECKING:
    from fanfold.domain.model.collector import Catalogue

#: What ``--format`` takes.
FORMS = ("table", "json")

_WORDS = {
    "resumed": "dispatch resumed",
    "redriven": "jobs published again",
    "timed_out": "timed out",
    "finished": "finished",
    "missed": "missed",
    "trouble": "trouble",
}


def command(
    context: typer.Context,
    *,
    output: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="table or json.")
    ] = "table",
) -> int:
    """Sweep once: time out what is past its deadline, finish what is full, note missed slots.

    `fanfold serve` does it by itself; by hand it is for a file that no process works on. Jobs that
    it publishes again wait for the next `fanfold run` or `fanfold serve`.

    \b
    Examples:
      fanfold sweep
      fanfold sweep --format json

    \b
    Exit codes: 0 done · 1 some run could not be swept
    """  # noqa: D301
    session = Session.of(context)
    form = form_of(output, FORMS)
    session.require_store()
    with session.parts() as (parts, _):
        swept = parts.sweeper.sweep(_catalogue(session))
    did = {name: list(getattr(swept, name)) for name in _WORDS}
    if form == "json":
        out(json_text(did))
    else:
        for name, what in did.items():
            for each in what:
                out(f"{_WORDS[name]}: {each}")
        if not any(did.values()):
            out("nothing to sweep")
        if did["redriven"] or did["resumed"]:
            out("  next    fanfold serve   # works on what was published")
    return FAILED if did["trouble"] else OK


def _catalogue(session: Session) -> Catalogue | None:
    """Return the configuration, or None with a note: the rest of the sweep needs none."""
    from fanfold.domain.model.errors import FanfoldError  # noqa: PLC0415

    try:
        return session.load().catalogue
    except FanfoldError:
        session.note(
            "warning: the configuration cannot be read, so missed slots are not looked for"
        )
        session.note("  next: fanfold check")
        return None
