"""Complete: an asynchronous collector reports, by callback or on the results topic."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fanfold.app.relay import store_answer
from fanfold.domain.model.errors import BadToken, UnknownCollector, UnknownRun
from fanfold.domain.model.run import Answer, Attempt
from fanfold.domain.protocol.contract import Progress, read_completion
from fanfold.domain.rules import claim
from fanfold.domain.rules.answering import answer_of
from fanfold.domain.rules.claim import JobSnapshot
from fanfold.messages import records
from fanfold.ports.bus import Bus
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import CallbackTokens, Clock


def complete(
    run_id: str,
    collector: str,
    token: str,
    body: Mapping[str, Any],
    *,
    ledger: Ledger,
    bus: Bus,
    tokens: CallbackTokens,
    clock: Clock,
) -> str:
    """Take an asynchronous answer or progress report, and say in a few words what became of it.

    The same body twice is one answer; one that breaks the contract is a failed one.

    Raises:
        BadToken: *token* is not the one of this collector in this run. Checked before anything is
            read, so that a stranger learns nothing about which runs exist.
        UnknownRun: There is no such run (any more).
        UnknownCollector: The run did not ask this collector.
    """
    if not tokens.matches(run_id, collector, token):
        raise BadToken("the callback's token is not the one of this run and collector")
    now = clock.now()
    standing = ledger.standing(run_id, collector)
    read = read_answer(standing, run_id, collector, body, now=now)
    if isinstance(read, Progress):
        ledger.note_progress(run_id, collector, read, now)
        return "progress noted"
    return store_answer(read, ledger=ledger, bus=bus, now=now)


def read_answer(
    standing: JobSnapshot,
    run_id: str,
    collector: str,
    body: Mapping[str, Any],
    *,
    now: datetime,
) -> Answer | Progress:
    """Return what *body*, a collector's own words, says for the job that *standing* describes.

    Raises:
        UnknownRun: There is no such run.
        UnknownCollector: The run did not ask this collector.
    """
    run, entry = standing.run, standing.entry
    if run is None or run.is_notice:
        raise UnknownRun(run_id)
    if entry is None or entry.skip is not None:
        raise UnknownCollector(run_id, collector)
    reply = read_completion(body)
    if isinstance(reply, Progress):
        return reply
    job = standing.job or claim.new_job(run, collector, now)
    # The same words are the same answer, however often and by whichever way they come.
    digest = hashlib.sha256(records.json_bytes(body)).hexdigest()[:16]
    return answer_of(
        reply, entry, job, writer=f"collector/{digest}", attempts=_ended(job.attempts, now), now=now
    )


def _ended(attempts: tuple[Attempt, ...], now: datetime) -> tuple[Attempt, ...]:
    """Return *attempts* with the accepted call lasting until the answer came."""
    if not attempts or attempts[-1].outcome != "accepted":
        return attempts
    last = attempts[-1]
    return (
        *attempts[:-1],
        Attempt(last.number, last.start_time, now, last.outcome, last.http_status, last.error),
    )
