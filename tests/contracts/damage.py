"""The promise of :class:`fanfold.ports.ledger.Ledger` that damage stays where it is, as tests.

See ``ledger.py``. An adapter says in ``spoil`` how a person's hand or a disk damages one record.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence

import pytest
from tests.contracts.ledger import Connect, LedgerContract
from tests.support import (
    RUN_ID,
    START,
    MovingClock,
    a_run,
    after,
    an_answer,
    catalogue,
    entry,
)

from fanfold.app.finish import Finisher
from fanfold.app.health import look
from fanfold.app.sweep import Sweeper
from fanfold.domain.model.known_schedules import KnownSchedules
from fanfold.domain.model.run import LateAnswer, RunFigures
from fanfold.domain.model.states import Outcome, Phase, RunStatus
from fanfold.domain.model.unreadable import UnreadableRun
from fanfold.domain.rules.claim import Closed
from fanfold.ports.bus import Message
from fanfold.ports.ledger import DeadLetter, Ledger
from fanfold.rendering import draw

MANIFEST = [entry("dvf"), entry("plu"), entry("old", skip="disabled")]

#: What a test spoils, and the words by which it is told.
ALL = {
    "run": f"run {RUN_ID}: its record",
    "entry": f"run {RUN_ID}: what is to be asked of dvf",
    "job": f"run {RUN_ID}: the job of dvf",
    "answer": f"run {RUN_ID}: the answer of plu",
    "late": f"run {RUN_ID}: the late answer",
    "past": "what is remembered of ",
    "letter": "dead letter l1",
    "schedules": "since when each schedule is known",
}


class NoBus:
    """Takes every message."""

    def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        return [topic for _ in messages]


class NoSink:
    """Takes every report."""

    def write(self, report_to: str, run_id: str, documents: Mapping[str, Iterable[bytes]]) -> str:
        assert documents
        return f"{report_to}/{run_id}"

    def read(self, report_to: str, run_id: str, name: str) -> bytes | None:
        raise AssertionError((report_to, run_id, name))


def swept_at(ledger: Ledger, seconds: float) -> list[str]:
    """Sweep at so many seconds after the start; return the trouble."""
    clock = MovingClock()
    clock.forward(seconds)
    finisher = Finisher(ledger, NoBus(), NoSink(), draw, clock)
    return Sweeper(ledger, NoBus(), clock, finisher, "sweep").sweep().trouble


class DamageContract(LedgerContract):
    @abstractmethod
    def spoil(self, ledger: Ledger, record: str) -> None:
        """Damage *record*, a key of :data:`ALL`, so that it cannot be read any more."""

    def begin(self, ledger: Ledger) -> None:
        """Start the run, plu with its answer and a late one, and one that is whole."""
        self.start(ledger, MANIFEST)
        ledger.mark_dispatched(RUN_ID, after(0))
        ledger.record(an_answer("plu"))
        ledger.keep_late(LateAnswer(an_answer("plu", writer="w2"), after(5)))
        ledger.remember("r0", [RunFigures("dvf", "s", START)])
        ledger.park(DeadLetter("l1", "collector-jobs", "why", b"x", {"a": "b"}, after(1)))
        ledger.park(DeadLetter("l2", "collector-jobs", "why", b"x", {"a": "b"}, after(2)))
        ledger.note_schedules(KnownSchedules({"15 3 * * * UTC": START}))
        self.start(ledger, [entry("dvf")], "whole")
        ledger.mark_dispatched("whole", after(0))

    @pytest.mark.parametrize("record", ALL)
    def test_a_run_past_its_deadline_ends_whatever_cannot_be_read(
        self, connect: Connect, record: str
    ) -> None:
        self.begin(connect())
        self.spoil(connect(), record)
        ledger = connect()
        swept_at(ledger, 7200)

        assert list(ledger.unannounced()) == []
        run = connect().run(RUN_ID)
        assert run is not None
        assert (run.phase, run.status) == (Phase.FINAL, RunStatus.FAILED)
        assert run.report is not None
        whole = connect().run("whole")
        assert whole is not None
        assert whole.about.startswith("0 of 1 succeeded")

    @pytest.mark.parametrize("record", ALL)
    def test_what_cannot_be_read_is_told_once_and_nothing_else_is_hidden(
        self, connect: Connect, record: str
    ) -> None:
        self.begin(connect())
        self.spoil(connect(), record)
        ledger = connect()
        trouble = swept_at(ledger, 60)
        runs = ledger.runs_between(None, None, 10)
        assert {run.run_id for run in runs} == {RUN_ID, "whole"}
        assert {run.run_id for run in ledger.unannounced()} == {RUN_ID, "whole"}
        assert {one.letter_id for one in ledger.dead_letters(9)} >= {"l2"}
        assert len(ledger.dead_letters(9)) == 2
        assert len(ledger.manifest(RUN_ID)) == 3
        assert len(ledger.jobs(RUN_ID)) == 2
        assert [each.collector for each in ledger.answers(RUN_ID)] == ["plu"]
        assert len(ledger.lates(RUN_ID)) == 1
        ledger.past_runs(["dvf"])
        assert (ledger.known_schedules() is None) == (record == "schedules")
        (sentence,) = ledger.unreadable()
        assert sentence.startswith(ALL[record])
        assert " cannot be read (" in sentence
        assert [each for each in trouble if each != sentence] == []

    def test_a_run_that_cannot_be_read_is_not_called_and_waits_for_its_deadline(
        self, connect: Connect
    ) -> None:
        self.begin(connect())
        self.spoil(connect(), "run")
        ledger = connect()
        (told,) = swept_at(ledger, 60)
        assert told.endswith(f"or end the run: fanfold cancel {RUN_ID}")

        (run,) = (each for each in ledger.unannounced() if each.run_id == RUN_ID)
        assert isinstance(run, UnreadableRun)
        assert (run.deadline, run.report_to) == (a_run().deadline, a_run().report_to)
        claimed = ledger.claim(RUN_ID, "dvf", holder="me", now=after(61))
        assert isinstance(claimed, Closed)
        assert claimed.why.startswith("its record cannot be read: ")
        assert look(ledger, catalogue("dvf"), after(61)).health.code == 5

    @pytest.mark.parametrize("record", ["entry", "job"])
    def test_a_collector_is_not_called_by_a_record_that_cannot_be_read(
        self, connect: Connect, record: str
    ) -> None:
        self.begin(connect())
        self.spoil(connect(), record)

        ledger = connect()
        assert isinstance(ledger.claim(RUN_ID, "dvf", holder="me", now=after(1)), Closed)
        assert len(ledger.unreadable()) == 1

    def test_an_answer_that_cannot_be_read_counts_as_failed(self, connect: Connect) -> None:
        self.begin(connect())
        self.spoil(connect(), "answer")
        ledger = connect()

        (answer,) = ledger.answers(RUN_ID)
        assert (answer.outcome, answer.writer) == (Outcome.FAILED, an_answer("plu").writer)
        assert answer.error is not None
        assert answer.error.kind == "unreadable"
        assert ledger.answer(RUN_ID, "plu") == answer
        assert ledger.record(an_answer("plu", writer="w3")) == answer
        assert ledger.snapshot(RUN_ID, "plu").answer == answer

    def test_memory_that_cannot_be_read_keeps_no_run_from_being_remembered(
        self, connect: Connect
    ) -> None:
        self.begin(connect())
        self.spoil(connect(), "past")
        ledger = connect()
        ledger.remember("r2", [RunFigures("dvf", "f", after(9))])

        assert [each.run_id for each in connect().past_runs(["dvf"])["dvf"]] == ["r2"]

    def test_what_was_mended_is_no_longer_told(self, connect: Connect) -> None:
        self.begin(connect())
        whole = connect().run(RUN_ID)
        ledger = connect()
        self.spoil(ledger, "run")
        assert isinstance(ledger.run(RUN_ID), UnreadableRun)
        self.mend(ledger)

        assert ledger.run(RUN_ID) == whole
        assert ledger.unreadable() == []

    @abstractmethod
    def mend(self, ledger: Ledger) -> None:
        """Undo what :meth:`spoil` did to the run."""
