"""The promises of :class:`fanfold.ports.ledger.Answers`, as tests. See ``ledger.py``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from tests.contracts.ledger import Connect, LedgerContract
from tests.support import RUN_ID, a_closing, a_run, after, an_answer, an_attempt, entry

from fanfold.domain.model.errors import UnknownCollector, UnknownRun
from fanfold.domain.model.run import CheckedExpectation, Failure, LateAnswer, Skip
from fanfold.domain.model.states import Outcome
from fanfold.ports.ledger import Ledger

MANIFEST = [entry("plu"), entry("dvf"), entry("old", skip="disabled")]


class AnswersContract(LedgerContract):
    def test_members_only_no_answer_is_kept_for_an_unknown_run(self, ledger: Ledger) -> None:
        with pytest.raises(UnknownRun) as caught:
            ledger.record(an_answer("dvf"))

        assert caught.value.run_id == RUN_ID
        with pytest.raises(UnknownRun):
            ledger.keep_late(LateAnswer(an_answer("dvf"), after(9)))
        assert list(ledger.answers(RUN_ID)) == []

    def test_members_only_no_answer_is_kept_for_who_has_one_of_an_earlier_try(
        self, ledger: Ledger
    ) -> None:
        kept = replace(entry("dvf"), skip=Skip("answered"), carried=an_answer("dvf", run_id="r0"))
        self.start(ledger, [kept, entry("plu")])

        with pytest.raises(UnknownCollector):
            ledger.record(an_answer("dvf"))
        ledger.record(an_answer("plu"))
        assert ledger.all_answered(RUN_ID, 1)
        assert [each.collector for each in ledger.answers(RUN_ID)] == ["plu"]

    @pytest.mark.parametrize("name", ["stranger", "old"])
    def test_members_only_no_answer_is_kept_for_who_was_not_asked(
        self, ledger: Ledger, name: str
    ) -> None:
        self.start(ledger, MANIFEST)

        with pytest.raises(UnknownCollector) as caught:
            ledger.record(an_answer(name))
        assert (caught.value.run_id, caught.value.collector) == (RUN_ID, name)
        with pytest.raises(UnknownCollector):
            ledger.keep_late(LateAnswer(an_answer(name), after(9)))
        assert list(ledger.answers(RUN_ID)) == []
        assert list(ledger.lates(RUN_ID)) == []

    def test_first_stays_and_every_caller_is_given_it(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        first, second = an_answer("dvf", records=1), an_answer("dvf", writer="w2", records=2)

        assert ledger.record(first) == first
        assert ledger.record(second) == first
        assert ledger.record(first) == first
        assert list(ledger.answers(RUN_ID)) == [first]
        assert ledger.answer(RUN_ID, "dvf") == first
        assert ledger.answer(RUN_ID, "plu") is None

    def test_first_stays_of_many_at_once(self, connect: Connect) -> None:
        ledgers = [connect() for _ in range(4)]
        self.start(ledgers[0], MANIFEST)
        gate = Barrier(8)

        def record(number: int) -> str:
            gate.wait(timeout=10)
            return ledgers[number % 4].record(an_answer("dvf", writer=f"w{number}")).writer

        with ThreadPoolExecutor(8) as pool:
            winners = set(pool.map(record, range(8)))

        assert len(winners) == 1
        assert [each.writer for each in ledgers[0].answers(RUN_ID)] == list(winners)

    def test_an_answer_may_come_before_its_job_record(self, ledger: Ledger) -> None:
        ledger.create_run(a_run(manifest=MANIFEST), MANIFEST)
        ledger.record(an_answer("dvf"))
        self.start(ledger, MANIFEST)
        ledger.record(an_answer("plu"))

        assert ledger.all_answered(RUN_ID, 2)

    def test_an_answer_comes_back_as_it_was_given(self, connect: Connect) -> None:
        ledger = connect()
        self.start(ledger, MANIFEST)
        full = an_answer(
            "dvf",
            outcome=Outcome.FAILED,
            start_time=after(1),
            queued_s=1.25,
            bytes=12,
            artifacts=("gs://b/é",),
            revision="2026",
            unchanged=True,
            warnings=("w",),
            metrics={"pages": 3, "ratio": 0.5, "nested": {"a": [1]}},
            error=Failure("expectation", "expected at least 40"),
            expectations=(CheckedExpectation("min_records", 40, 10, ok=False, severity="fail"),),
            attempts=(an_attempt(1, "retry", error=Failure("http", "503", retryable=True)),),
            log=("05:02:13 asked: 14", "05:03:10 é"),
            data_until="2026-11-22",
            schema='{"code":"é"}',
        )
        ledger.record(full)

        assert connect().answer(RUN_ID, "dvf") == full

    def test_in_pairs(self, connect: Connect) -> None:
        names = [f"c{number:04}" for number in range(1100, 0, -1)]
        manifest = [entry(name, skip="disabled" if "7" in name else None) for name in names]
        ledger = connect()
        self.start(ledger, manifest, "r2")
        answered = [name for name in names[:30] if "7" not in name]
        for name in answered:
            ledger.record(an_answer(name, run_id="r2"))

        for each in (ledger, connect()):
            pairs = list(each.pairs("r2"))
            assert [asked for asked, _ in pairs] == list(each.manifest("r2")) == manifest
            found = [answer for _, answer in pairs if answer is not None]
            assert [answer.collector for answer in found] == answered
            assert sorted(found, key=lambda one: one.collector) == list(each.answers("r2"))
            assert list(each.pairs("nobody")) == []

    def test_answers_are_ordered_by_collector(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        ledger.record(an_answer("plu"))
        ledger.record(an_answer("dvf"))

        assert [each.collector for each in ledger.answers(RUN_ID)] == ["dvf", "plu"]

    def test_the_set_is_full_only_when_every_answer_is_there(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        assert not ledger.all_answered(RUN_ID, 2)
        ledger.record(an_answer("plu"))
        ledger.record(an_answer("plu", writer="w2"))
        assert not ledger.all_answered(RUN_ID, 2)
        ledger.record(an_answer("dvf"))
        assert ledger.all_answered(RUN_ID, 2)

    @pytest.mark.parametrize("racers", [2, 12])
    def test_no_lost_finish_when_the_last_answers_race(self, connect: Connect, racers: int) -> None:
        ledgers = [connect() for _ in range(2)]
        names = [f"c{number:02}" for number in range(racers)]
        self.start(ledgers[0], [entry(name) for name in names])
        gate = Barrier(racers)

        def race(number: int) -> bool:
            gate.wait(timeout=10)
            ledgers[number % 2].record(an_answer(names[number]))
            return ledgers[number % 2].all_answered(RUN_ID, racers)

        with ThreadPoolExecutor(racers) as pool:
            assert any(pool.map(race, range(racers)))
        assert len(ledgers[0].answers(RUN_ID)) == racers

    def test_kept_apart_late_evidence_touches_no_answer(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        ledger.record(an_answer("dvf"))
        late = LateAnswer(an_answer("dvf", writer="late", records=99), after(9))
        ledger.keep_late(late)

        assert list(ledger.answers(RUN_ID)) == [an_answer("dvf")]
        assert list(ledger.lates(RUN_ID)) == [late]
        assert not ledger.all_answered(RUN_ID, 2)

    def test_kept_apart_the_same_evidence_twice_is_one(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        ledger.keep_late(LateAnswer(an_answer("dvf", writer="late"), after(9)))
        ledger.keep_late(LateAnswer(an_answer("dvf", writer="late"), after(10)))

        assert [late.received_at for late in ledger.lates(RUN_ID)] == [after(9)]

    def test_late_evidence_comes_in_the_order_it_was_received(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        for writer, seconds in (("a", 12), ("b", 10), ("c", 11)):
            ledger.keep_late(LateAnswer(an_answer("dvf", writer=writer), after(seconds)))

        assert [late.answer.writer for late in ledger.lates(RUN_ID)] == ["b", "c", "a"]

    def test_never_forgotten_evidence_is_found_until_a_report_lists_it(
        self, connect: Connect
    ) -> None:
        ledger, other = connect(), connect()
        self.start(ledger, MANIFEST)
        ledger.keep_late(LateAnswer(an_answer("dvf", writer="a"), after(9)))
        assert list(other.unlisted()) == []  # it is not announced: its first report comes
        ledger.finalize_run(RUN_ID, a_closing())
        assert list(other.unlisted()) == []
        ledger.mark_announced(RUN_ID, revision=1, report="r", at=after(10))
        assert [run.run_id for run in other.unlisted()] == [RUN_ID]

        ledger.mark_announced(RUN_ID, revision=2, report="r", at=after(10), late_listed=1)
        assert list(other.unlisted()) == []
        other.keep_late(LateAnswer(an_answer("dvf", writer="a"), after(11)))
        assert list(ledger.unlisted()) == []  # the same evidence
        other.keep_late(LateAnswer(an_answer("plu", writer="a"), after(11)))
        (run,) = ledger.unlisted()
        assert (run.run_id, run.revision, run.late_listed) == (RUN_ID, 2, 1)

    def test_never_forgotten_a_mark_does_not_hide_evidence_that_it_does_not_list(
        self, connect: Connect
    ) -> None:
        ledgers = [connect() for _ in range(4)]
        self.start(ledgers[0], MANIFEST)
        ledgers[0].finalize_run(RUN_ID, a_closing())
        ledgers[0].mark_announced(RUN_ID, revision=1, report="r", at=after(9))
        gate = Barrier(8)

        def race(number: int) -> None:
            gate.wait(timeout=10)
            if number % 2:
                late = an_answer("dvf", writer=f"w{number}")
                ledgers[number % 4].keep_late(LateAnswer(late, after(number)))
            else:
                ledgers[number % 4].mark_announced(
                    RUN_ID, revision=2 + number, report="r", at=after(9), late_listed=1
                )

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(race, range(8)))
        assert [run.run_id for run in ledgers[0].unlisted()] == [RUN_ID]
