"""``fanfold sweep``: one pass now: close what is overdue, repair what stopped half-way."""

from __future__ import annotations

import typer

from fanfold.cli.completions import TABLE_OR_JSON, TableOrJson
from fanfold.cli.exit_codes import OK, UNREACHABLE
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import SERVE_WORKS, form_of, json_text, next_row
from fanfold.cli.runs.backend import open_parts
from fanfold.cli.runs.store import require_store
from fanfold.cli.session import Session

_WORDS = {
    "resumed": "dispatch resumed",
    "redriven": "jobs published again",
    "timed_out": "timed out",
    "finished": "finished",
    "revised": "report revised with a late answer",
    "missed": "missed",
    "trouble": "trouble",
}


app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def sweep(
    context: typer.Context,
    *,
    output: TableOrJson = "table",
) -> int:
    """Sweep once: time out what is past its deadline, finish what is full, note missed slots.

    `fanfold serve` does it by itself; by hand it is for a file that no process works on. Jobs that
    it publishes again wait for the next `fanfold run` or `fanfold serve`.

    Examples:
      fanfold sweep
      fanfold sweep --format json

    Exit codes: 0 done · 5 some run could not be swept
    """
    session = Session.of(context)
    form = form_of(output, TABLE_OR_JSON)
    require_store(session)
    with open_parts(session) as (parts, _):
        catalogue = session.catalogue_or_none("slots whose run never came are not noted")
        swept = parts.sweeper.sweep(catalogue)
    did = swept.by_action
    if form == "json":
        out(json_text(did))
    else:
        for name, what in did.items():
            for each in what:
                out(f"{_WORDS[name]}: {each}")
        if not any(did.values()):
            out("nothing to sweep")
        if did["redriven"] or did["resumed"]:
            out(next_row(SERVE_WORKS))
    return UNREACHABLE if did["trouble"] else OK
