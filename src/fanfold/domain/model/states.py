"""The states of a run and of a collector in a run, and the moves between them.

The two tables below say which state may follow which. Ledgers make a run's moves by writes that are
conditional on :func:`phases_before`: a move that is not allowed changes nothing. The chart with its
lettered edges: docs/guarantees.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Phase(StrEnum):
    """How far a run's record has come. Only ever moves forward."""

    PREPARING = "preparing"  #: the manifest is fixed, job records are being made
    OPEN = "open"  #: answers are being gathered
    FINAL = "final"  #: the report's content is fixed


class RunStatus(StrEnum):
    """What a person reads of a run.

    ``rejected``, ``missed`` and ``planned`` are records that stand among the runs and never ran.
    """

    DISPATCHING = "dispatching"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    MISSED = "missed"
    PLANNED = "planned"


class Outcome(StrEnum):
    """How an asked collector ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"


class CollectorState(StrEnum):
    """Where a collector of a run stands."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


#: Run records that are final from the start and asked nobody.
NOTICES = frozenset({RunStatus.REJECTED, RunStatus.MISSED, RunStatus.PLANNED})

#: Run statuses after which nothing changes.
ENDED = frozenset({RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED}) | NOTICES

PHASE_MOVES: Mapping[Phase, frozenset[Phase]] = {
    # (a) job records are made; (b) the deadline passed, or the run was cancelled, before that
    Phase.PREPARING: frozenset({Phase.OPEN, Phase.FINAL}),
    # (c) every answer is there
    Phase.OPEN: frozenset({Phase.FINAL}),
    Phase.FINAL: frozenset(),
}

COLLECTOR_MOVES: Mapping[CollectorState, frozenset[CollectorState]] = {
    # (d) a relay takes the lease; (e) the sweep or a cancel answers before anyone started
    CollectorState.PENDING: frozenset(
        {CollectorState.RUNNING, CollectorState.TIMED_OUT, CollectorState.CANCELLED}
    ),
    # (f) an answer; (g) a retry waits for its backoff, or the lease ran out
    CollectorState.RUNNING: frozenset(
        {
            CollectorState.SUCCEEDED,
            CollectorState.FAILED,
            CollectorState.TIMED_OUT,
            CollectorState.CANCELLED,
            CollectorState.PENDING,
        }
    ),
    CollectorState.SUCCEEDED: frozenset(),
    CollectorState.FAILED: frozenset(),
    CollectorState.TIMED_OUT: frozenset(),
    CollectorState.CANCELLED: frozenset(),
    CollectorState.SKIPPED: frozenset(),
}


def phases_before(new: Phase) -> tuple[Phase, ...]:
    """Return the phases from which a run may move to *new*."""
    return tuple(old for old in Phase if new in PHASE_MOVES[old])
