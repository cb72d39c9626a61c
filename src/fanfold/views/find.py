"""Which run somebody means: an id, the start of one, ``latest``, ``latest~1``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fanfold.domain.model import names
from fanfold.domain.model.run import Run
from fanfold.domain.model.states import RunStatus
from fanfold.ports.ledger import Ledger

_LATEST = re.compile(r"latest(?:~(\d{1,4}))?", re.ASCII)

#: Most runs that may have been meant, as they are told.
MOST_LISTED = 8

#: So many of the newest records are searched for an id like the one that was asked for.
MOST_COMPARED = 50

#: Records that are read for the newest runs, beside those that are wanted: plans may lie between.
_SPARE = 8


class NoSuchRun(Exception):
    """No run, or none alone, is called what somebody asked for.

    Args:
        sentence: What is wrong, with what was most likely meant.
        near: The runs that may have been meant, newest first.
        is_ambiguous: Whether each of *near* begins with what was asked for.
    """

    def __init__(
        self, sentence: str, near: Sequence[Run] = (), *, is_ambiguous: bool = False
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.near = tuple(near)
        self.is_ambiguous = is_ambiguous


def is_latest(text: str) -> bool:
    """Return whether *text* is ``latest`` or ``latest~N``."""
    return _LATEST.fullmatch(text) is not None


def latest_runs(ledger: Ledger, limit: int) -> list[Run]:
    """Return the newest that was asked for, refusals and missed slots too, at most *limit*."""
    found: list[Run] = []
    # Plans were never to run. A few more rows make up for them, and where they do not, many.
    for rows in (limit + _SPARE, limit * 2 + MOST_COMPARED):
        recent = ledger.recent_runs(rows)
        found = [run for run in recent if run.verdict is not RunStatus.PLANNED][:limit]
        if len(found) == limit or len(recent) < rows:
            break
    return found


def find_run(ledger: Ledger, text: str) -> Run:
    """Return the run that *text* names.

    Raises:
        NoSuchRun: None, or several.
    """
    match = _LATEST.fullmatch(text)
    if match is not None:
        return _latest(ledger, int(match[1] or 0))
    if not names.is_run_id(text):  # nor the start of one; stores differ in what they make of it
        raise _unknown(ledger, text)
    # A refusal is kept under an id of its own; who asked knows only the id that was asked for.
    run = ledger.run(text) or ledger.run(names.refused_id(text))
    if run is not None:
        return run
    starting = ledger.find_runs(text, MOST_LISTED + 1)
    if len(starting) == 1:
        return starting[0]
    if starting:
        sentence = f"{text!r} could be any of these runs"
        raise NoSuchRun(sentence, starting, is_ambiguous=True)
    raise _unknown(ledger, text)


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
        raise NoSuchRun("no runs yet")
    if len(runs) <= back:
        sentence = f"there are only {len(runs)} runs, so there is no latest~{back}"
        raise NoSuchRun(sentence, runs)
    return runs[back]


def _unknown(ledger: Ledger, text: str) -> NoSuchRun:
    if not text.strip():
        return NoSuchRun("RUN is empty: is a variable of the script not set?")
    recent = ledger.recent_runs(MOST_COMPARED)
    near = names.did_you_mean(text[:200], [*(run.run_id for run in recent), "latest"])
    return NoSuchRun(f"there is no run {text!r:.110}{near}", () if near else recent)
