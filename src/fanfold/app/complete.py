"""Complete: an asynchronous collector reports, by callback or on the results topic."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from fanfold.app.relay import store_answer
from fanfold.app.told import Told
from fanfold.app.upstreams import reported
from fanfold.domain.model.errors import BadToken, UnknownCollector, UnknownRun
from fanfold.domain.model.run import Answer, Attempt
from fanfold.domain.model.states import Phase
from fanfold.domain.protocol.contract import Progress, read_completion
from fanfold.domain.rules import claim
from fanfold.domain.rules.answering import answer_of
from fanfold.messages import records
from fanfold.ports.bus import Bus
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import CallbackTokens, Clock, Masks

#: A callback's token ends so long after its run, in seconds: later, its words are not read.
TOKEN_GRACE_S = 86_400.0

#: Most late answers that are kept of one collector in one run: each makes a revision of the report.
MOST_LATE = 3

#: The keys by which a message finds its run; a callback has them in its path and header.
_ADDRESS = frozenset({"run_id", "collector", "token"})


def complete(
    run_id: str,
    collector: str,
    token: str,
    body: Mapping[str, Any],
    *,
    ledger: Ledger,
    bus: Bus,
    tokens: CallbackTokens,
    masks: Masks,
    clock: Clock,
) -> Told:
    """Take what a collector calls back, and tell what became of it.

    Raises:
        BadToken: See :func:`read_words`, as for the others.
        UnknownRun: There is no such run (any more).
        UnknownCollector: The run did not ask this collector.
    """
    read = read_words(
        run_id, collector, token, body, ledger=ledger, tokens=tokens, masks=masks, clock=clock
    )
    if isinstance(read, str):
        return Told(read)
    run = ledger.run(run_id)
    trace_id = "" if run is None else run.trace_id
    return store_answer(read, ledger=ledger, bus=bus, now=clock.now(), trace_id=trace_id)


def read_words(
    run_id: str,
    collector: str,
    token: str,
    body: Mapping[str, Any],
    *,
    ledger: Ledger,
    tokens: CallbackTokens,
    masks: Masks,
    clock: Clock,
) -> Answer | str:
    """Return the answer in *body*, a collector's own words, or what became of its progress report.

    The same body twice is one answer; one that breaks the contract is a failed one. What the
    collector was sent in confidence is masked before anything is stored.

    Raises:
        BadToken: *token* is not the one of this collector in this run, which is checked before
            anything is read, so that a stranger learns nothing about which runs exist; or the run
            ended :data:`TOKEN_GRACE_S` ago.
        UnknownRun: There is no such run (any more).
        UnknownCollector: The run did not ask this collector.
    """
    if not tokens.matches(run_id, collector, token):
        raise BadToken("the callback's token is missing, or not the one of this run and collector")
    now = clock.now()
    snapshot = ledger.snapshot(run_id, collector)
    run, entry = snapshot.run, snapshot.entry
    if run is None or run.is_notice:
        raise UnknownRun(run_id)
    if entry is None or entry.skip is not None:
        raise UnknownCollector(run_id, collector)
    if run.end_time is not None and (now - run.end_time).total_seconds() > TOKEN_GRACE_S:
        raise BadToken("the callback's token ended with its run, and the time for late answers")
    reply = read_completion(body, masks.mask_for(entry.spec, run_id))
    if isinstance(reply, Progress):
        if snapshot.answer is not None or run.phase is Phase.FINAL:
            return "progress after the answer changes nothing"
        ledger.note_progress(run_id, collector, reply, now)
        return "progress noted"
    job = snapshot.job or claim.new_job(run, collector, now)
    # The same words are the same answer, however often and by whichever way they come.
    words = {key: value for key, value in body.items() if key not in _ADDRESS}
    writer = f"collector/{hashlib.sha256(records.json_bytes(words)).hexdigest()[:16]}"
    if snapshot.answer is not None and _is_one_too_many(snapshot.answer, writer, ledger):
        return f"not kept: {MOST_LATE} late answers of this collector are kept already"
    attempts = _ended(job.attempts, now)
    answer = answer_of(reply, entry, job, writer=writer, attempts=attempts, now=now)
    if entry.spec.limits is not None:
        reported(answer, entry.spec.limits, job, ledger=ledger, now=now)
    return answer


def _is_one_too_many(first: Answer, writer: str, ledger: Ledger) -> bool:
    """Return whether what *writer* says after the *first* answer is more than is kept."""
    if first.writer == writer:
        return False
    late = [each.answer for each in ledger.lates(first.run_id)]
    writers = {each.writer for each in late if each.collector == first.collector}
    return writer not in writers and len(writers) >= MOST_LATE


def _ended(attempts: tuple[Attempt, ...], now: datetime) -> tuple[Attempt, ...]:
    """Return *attempts* with the accepted call lasting until the answer came."""
    if not attempts or attempts[-1].outcome != "accepted":
        return attempts
    return (*attempts[:-1], replace(attempts[-1], end_time=now))
