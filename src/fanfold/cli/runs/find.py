"""Which run somebody means: an id, the start of one, ``latest``, ``latest~1``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

import typer

from fanfold.app.notices import refused_id
from fanfold.cli.completions import run_ids
from fanfold.cli.exit_codes import CommandError
from fanfold.cli.output.words import FIRST_RUN, STATUS_LATEST, status_of
from fanfold.domain.model import names
from fanfold.domain.model.run import Run
from fanfold.domain.model.states import RunStatus
from fanfold.ports.ledger import Ledger

#: What the help says of RUN.
RUN_HELP = "An id, the start of one, latest or latest~1."

RunName = Annotated[
    str | None, typer.Argument(metavar="[RUN]", help=RUN_HELP, autocompletion=run_ids)
]

_LATEST = re.compile(r"latest(?:~(\d{1,4}))?", re.ASCII)

#: Most runs that an error lists.
MOST_LISTED = 8


def latest_runs(ledger: Ledger, limit: int) -> list[Run]:
    """Return the newest that was asked for, refusals and missed slots too, at most *limit*."""
    # Plans, which were never to run, may lie between; a few more rows make up for them.
    recent = ledger.recent_runs(limit * 2 + 50)
    return [run for run in recent if run.verdict is not RunStatus.PLANNED][:limit]


def find_run(ledger: Ledger, text: str) -> Run:
    """Return the run that *text* names.

    Raises:
        CommandError: None, or several; it lists those that may have been meant.
    """
    match = _LATEST.fullmatch(text)
    if match is not None:
        return _latest(ledger, int(match[1] or 0))
    if not names.is_run_id(text):  # nor the start of one; stores differ in what they make of it
        raise CommandError(_unknown(ledger, text), STATUS_LATEST)
    # A refusal is kept under an id of its own; who asked knows only the id that was asked for.
    run = ledger.run(text) or ledger.run(refused_id(text))
    if run is not None:
        return run
    starting = ledger.find_runs(text, MOST_LISTED + 1)
    if len(starting) == 1:
        return starting[0]
    if starting:
        raise CommandError(
            f"{text!r} could be any of these runs:\n{_listed(starting)}",
            status_of(starting[0].run_id),
        )
    raise CommandError(_unknown(ledger, text), STATUS_LATEST)


def retry_of(ledger: Ledger, run: Run) -> Run | None:
    """Return the run that retries *run*, if there is one.

    A report is never written again, so that of the first try does not know its retry: the id of
    the retry follows from the first's.
    """
    found = ledger.run(names.retry_run_id(run.run_id))
    return found if found is not None and found.retry_of == run.run_id else None


def newest_try(ledger: Ledger, run: Run) -> Run:
    """Return the last of the retries of *run* and of its retries, or *run* itself."""
    while (following := retry_of(ledger, run)) is not None:
        run = following
    return run


def _latest(ledger: Ledger, back: int) -> Run:
    runs = latest_runs(ledger, back + 1)
    if not runs:
        raise CommandError("no runs yet", FIRST_RUN)
    if len(runs) <= back:
        raise CommandError(
            f"there are only {len(runs)} runs, so there is no latest~{back}",
            status_of(f"latest~{len(runs) - 1}"),
        )
    return runs[back]


def _unknown(ledger: Ledger, text: str) -> str:
    if not text.strip():
        return "RUN is empty: is a variable of the script not set?"
    recent = ledger.recent_runs(50)
    near = names.did_you_mean(text[:200], [*(run.run_id for run in recent), "latest"])
    sentence = f"there is no run {text!r:.110}{near}"
    if recent and not near:
        sentence += f"; the newest are:\n{_listed(recent[:MOST_LISTED])}"
    return sentence


def _listed(runs: Sequence[Run]) -> str:
    shown = [f"  {run.run_id}   {run.status.value}" for run in runs[:MOST_LISTED]]
    return "\n".join(shown + (["  and more"] if len(runs) > len(shown) else []))
