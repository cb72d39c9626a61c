"""Aggregate: take a result into the run's state, and finish the run when it was the last one.

The join is a set of write-once answers. A duplicate does the same count as the original: that is
how a crash between the answer and the finalization heals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fanfold.app.complete import read_answer
from fanfold.app.finish import Finisher
from fanfold.domain.model.errors import UnknownRun
from fanfold.domain.model.run import Answer, LateAnswer, Run
from fanfold.domain.model.states import Phase
from fanfold.domain.protocol.contract import Progress
from fanfold.messages import events
from fanfold.ports.ledger import Ledger
from fanfold.ports.outside import Clock


@dataclass(frozen=True, slots=True)
class Aggregator:
    """Takes in results. Holds the ports that it needs, and no state."""

    ledger: Ledger
    finisher: Finisher
    clock: Clock

    def take(self, result: events.ResultMessage) -> str:
        """Take in *result* and return a few words on what became of it; then acknowledge.

        Raises:
            UnknownRun: Nobody knows the run: a dead letter.
            UnknownCollector: The run did not ask this collector: a dead letter.
        """
        run = self.ledger.run(result.run_id)
        if run is None or run.is_notice:
            raise UnknownRun(result.run_id)
        answer = result.answer
        if answer is None:
            read = self._read(run, result.collector, result.body or {})
            if not isinstance(read, Answer):
                return read
            answer = read
        # Nearly every result event repeats an answer that its relay stored: looking is cheaper.
        stored = self.ledger.answer(run.run_id, result.collector) or self.ledger.record(answer)
        if stored.writer != answer.writer:
            self.ledger.keep_late(LateAnswer(answer, self.clock.now()))
        if run.phase is Phase.FINAL:
            self.finisher.finish(run.run_id)
            return "the run was final"
        if not self.ledger.all_answered(run.run_id, run.asked):
            return "counted"
        self.finisher.finish(run.run_id)
        return "counted; it was the last: the run is final"

    def _read(self, run: Run, collector: str, body: Mapping[str, Any]) -> Answer | str:
        """Return the answer in a collector's own *body*, or what became of its progress."""
        now = self.clock.now()
        standing = self.ledger.standing(run.run_id, collector)
        read = read_answer(standing, run.run_id, collector, body, now=now)
        if isinstance(read, Progress):
            self.ledger.note_progress(run.run_id, collector, read, now)
            return "progress noted"
        return read
