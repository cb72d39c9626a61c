"""Which run the RUN of a command means, and what to type where it means none."""

from __future__ import annotations

from collections.abc import Sequence

from fanfold.cli.exit_codes import CommandError
from fanfold.cli.output.words import FIRST_RUN, STATUS_LATEST, status_of
from fanfold.domain.model.run import Run
from fanfold.ports.ledger import Ledger
from fanfold.views import find


def find_run(ledger: Ledger, text: str) -> Run:
    """Return the run that *text* names.

    Raises:
        CommandError: None, or several; it lists those that may have been meant.
    """
    try:
        return find.find_run(ledger, text)
    except find.NoSuchRun as exc:
        raise _command_error(exc, text) from exc


def _command_error(exc: find.NoSuchRun, text: str) -> CommandError:
    if exc.is_ambiguous:
        return CommandError(f"{exc.sentence}:\n{_listed(exc.near)}", status_of(exc.near[0].run_id))
    if find.is_latest(text):
        known = len(exc.near)
        return CommandError(exc.sentence, status_of(f"latest~{known - 1}") if known else FIRST_RUN)
    newest = f"; the newest are:\n{_listed(exc.near[: find.MOST_LISTED])}" if exc.near else ""
    return CommandError(exc.sentence + newest, STATUS_LATEST)


def _listed(runs: Sequence[Run]) -> str:
    shown = [f"  {run.run_id}   {run.status.value}" for run in runs[: find.MOST_LISTED]]
    return "\n".join(shown + (["  and more"] if len(runs) > len(shown) else []))
