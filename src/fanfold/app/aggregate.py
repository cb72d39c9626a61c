"""Aggregate: count an answer, and finish the run when it was the last one.

The join is a set of write-once answers. A duplicate does the same count as the original: that is
how a crash between the answer and the finalization heals.
"""

from __future__ import annotations

from dataclasses import dataclass

from fanfold.app.complete import read_words
from fanfold.app.finish import Finisher
from fanfold.app.told import Told
from fanfold.domain.model.errors import UnknownAnswer, UnknownRun
from fanfold.domain.model.run import Answer, LateAnswer
from fanfold.domain.model.states import Phase
from fanfold.messages import events
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import CallbackTokens, Clock, Masks


@dataclass(frozen=True, slots=True)
class Aggregator:
    """Takes in results. Holds the ports that it needs, and no state.

    A message is believed as far as something else proves it. Our own result events name an answer
    that the ledger holds already; what they say of it is not read. A collector's own message
    carries the token that only that collector was given for that run.
    """

    ledger: Ledger
    finisher: Finisher
    tokens: CallbackTokens
    masks: Masks
    clock: Clock

    def take(self, result: events.ResultMessage) -> Told:
        """Take in *result* and tell what became of it; then acknowledge.

        Raises:
            BadToken: A collector's own message without its token: a dead letter, as the others.
            UnknownRun: Nobody knows the run.
            UnknownCollector: The run did not ask this collector.
            UnknownAnswer: The ledger does not hold the answer that the event names.
        """
        answer: Answer | None = None
        if result.body is not None:
            stored = self._store(result)
            if isinstance(stored, str):
                return Told(stored)
            answer = stored
        run = self.ledger.run_lately(result.run_id)
        is_stored = result.body is not None or (run is not None and self._is_stored(result))
        if not is_stored:
            # What is known of the run may be of an earlier one with its id.
            run = self.ledger.run(result.run_id)
            is_stored = run is not None and self._is_stored(result)
        if run is None or run.is_notice:
            raise UnknownRun(result.run_id)
        if not is_stored:
            raise UnknownAnswer(result.run_id, result.collector)
        if run.phase is not Phase.FINAL and not self.ledger.all_answered(run.run_id, run.asked):
            return Told("counted", run.trace_id, answer)
        report = self.finisher.finish(run.run_id)
        is_last = report is not None
        words = "counted; it was the last: the run is final" if is_last else "the run was final"
        return Told(words, run.trace_id, answer, report)

    def has_work(self, run_id: str) -> bool:
        """Return whether the event of an answer that is stored would lead to more than a count.

        Whoever asks in the commit that stores the answer need not publish the event otherwise.
        """
        run = self.ledger.run(run_id)
        return (
            run is None
            or run.is_notice
            or run.phase is Phase.FINAL
            or self.ledger.all_answered(run_id, run.asked)
        )

    def _store(self, result: events.ResultMessage) -> Answer | str | None:
        """Store the answer in a collector's own words, and return it, or None if it was late.

        What became of mere progress is returned in words.
        """
        read = read_words(
            result.run_id,
            result.collector,
            result.token,
            result.body or {},
            ledger=self.ledger,
            tokens=self.tokens,
            masks=self.masks,
            clock=self.clock,
        )
        if isinstance(read, str):
            return read
        if self.ledger.record(read).writer != read.writer:
            self.ledger.keep_late(LateAnswer(read, self.clock.now()))
            return None
        return read

    def _is_stored(self, result: events.ResultMessage) -> bool:
        """Return whether the ledger holds the answer that our own *result* event names.

        The answer of another writer that lost to the stored one is late evidence.
        """
        stored = self.ledger.answer(result.run_id, result.collector)
        if stored is None or result.writer in (None, stored.writer):
            return stored is not None
        return any(
            (late.answer.collector, late.answer.writer) == (result.collector, result.writer)
            for late in self.ledger.lates(result.run_id)
        )
