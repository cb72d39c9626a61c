"""Whether something changed since a page was made: a word that is another one then.

It costs few reads: the newest runs and those under way, the pauses. While a run is under way, the
word changes every few seconds: how far the run is changes without a trace in its record.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from fanfold.console.site import Site
from fanfold.domain.model.run import Run
from fanfold.domain.rules import pauses

#: Newest runs that are compared.
COMPARED = 3

#: How often an open page asks, in seconds: while nothing runs, and while something does; on one
#: machine, and on Google Cloud, where each question is paid for.
IDLE_S, BUSY_S = 5, 2
FAR_IDLE_S, FAR_BUSY_S = 60, 20

#: How long "in 20h58m" and its like may stand, in seconds.
_WORDS_S = 300


@dataclass(frozen=True, slots=True)
class Changes:
    """The word, how many runs are under way, and when to ask again."""

    version: str
    running: int
    poll_s: int


def changes(here: Site) -> Changes:
    """Return what stands in *here* now, as one word."""
    ledger, now = here.parts.ledger, here.parts.clock.now()
    running = [run for run in ledger.unannounced() if not run.is_notice]
    is_far = here.parts.settings.backend == "google"
    busy_s, idle_s = (FAR_BUSY_S, FAR_IDLE_S) if is_far else (BUSY_S, IDLE_S)
    period_s = busy_s if running else _WORDS_S
    paused = sorted(pauses.names_of(ledger.pauses(), now))
    catalogue = here.slots().catalogue
    told: list[Any] = [
        [_state(run) for run in ledger.recent_runs(COMPARED)],
        [_state(run) for run in running],
        paused,
        catalogue.version if catalogue else "",
        int(now.timestamp()) // period_s,
    ]
    digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
    return Changes(digest, len(running), busy_s if running else idle_s)


def _state(run: Run) -> tuple[str, str, int, bool]:
    return run.run_id, run.status.value, run.revision, run.announced_at is not None
