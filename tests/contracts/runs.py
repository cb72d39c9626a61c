"""The promises of :class:`fanfold.ports.ledger.Runs`, as tests.

Not collected by itself: each adapter subclasses it and says in ``connect`` how to open its ledger.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from tests.contracts.ledger import Connect, LedgerContract
from tests.support import RUN_ID, START, a_closing, a_run, after, an_answer, an_attempt, entry

from fanfold.domain.model.collector import Auth, AuthKind, CollectorHistory, Expect, Mode, Severity
from fanfold.domain.model.run import EarlierTry, Entry, Failure, Skip
from fanfold.domain.model.states import Outcome, Phase, RunStatus
from fanfold.domain.rules.second_try import MAX_CARRIED_BYTES, MAX_EARLIER
from fanfold.domain.rules.sizes import MAX_SPEC_BYTES, spec_problem
from fanfold.ports.ledger import Ledger

MANIFEST = [entry("plu"), entry("dvf"), entry("old", skip="disabled")]


class RunsContract(LedgerContract):
    def test_created_once_the_first_run_and_manifest_are_kept(self, ledger: Ledger) -> None:
        assert ledger.create_run(a_run(manifest=MANIFEST), MANIFEST)
        other = a_run(writer="w2", timezone="UTC")

        assert not ledger.create_run(other, [entry("else")])
        assert ledger.run(RUN_ID) == a_run(manifest=MANIFEST)
        assert list(ledger.manifest(RUN_ID)) == MANIFEST

    def test_created_once_of_many_at_once_one_is_told_true(self, connect: Connect) -> None:
        ledgers = [connect() for _ in range(4)]
        gate = Barrier(8)

        def create(number: int) -> bool:
            run = a_run(writer=f"w{number}", manifest=MANIFEST)
            gate.wait(timeout=10)
            return ledgers[number % 4].create_run(run, MANIFEST)

        with ThreadPoolExecutor(8) as pool:
            created = list(pool.map(create, range(8)))

        assert created.count(True) == 1
        kept = ledgers[0].run(RUN_ID)
        assert kept is not None
        assert kept.writer == f"w{created.index(True)}"

    def test_mine_is_mine_a_repeated_creation_is_told_true_again(self, ledger: Ledger) -> None:
        assert ledger.create_run(a_run(), [])
        assert ledger.create_run(a_run(), [])

    def test_a_run_comes_back_as_it_was_given(self, ledger: Ledger) -> None:
        full = a_run(
            scheduled_for=None, retry_of="r0", tolerated_failures=2, trace_id="b" * 32, total=3
        )
        ledger.create_run(full, [])

        assert ledger.run(RUN_ID) == full

    def test_a_manifest_comes_back_as_it_was_given(self, ledger: Ledger) -> None:
        rich = entry(
            "dvf",
            behind="r0",
            auth=Auth(AuthKind.HEADER, {"X-Api-Key": "${secret:key@3}"}, "aud"),
            mode=Mode.ASYNC,
            params={"years": [2024, {"deep": None}], "text": "é\u2028"},
            tags=("a", "b"),
            required=False,
            expect=(
                Expect("min_records", 40, Severity.FAIL),
                Expect("not_exactly", (1000, 0), Severity.WARN),
            ),
            upstream="data.gouv.fr",
        )
        past = CollectorHistory((1, None, 3), (1.5,), "sft", "2026-10", after(-86_400))
        rich = replace(rich, past=past)
        later = replace(entry("plu"), skip=Skip("not_due", after(86_400)))
        ledger.create_run(a_run(manifest=[rich, later]), [rich, later])

        assert list(ledger.manifest(RUN_ID)) == [rich, later]

    def test_the_largest_settings_that_a_plan_accepts_are_stored(self, ledger: Ledger) -> None:
        rich = entry("dvf", params={"text": "x" * (MAX_SPEC_BYTES - 1_000)})
        assert spec_problem(rich.spec) is None
        past = CollectorHistory((10**15,) * 14, (1.5,) * 7, "s" * 30, "r" * 500, after(0))
        manifest = [replace(rich, past=past), entry("plu", params=rich.spec.params)]
        ledger.create_run(a_run(manifest=manifest), manifest)

        assert list(ledger.manifest(RUN_ID)) == manifest

    def test_the_largest_answer_that_a_retry_carries_over_is_stored(self, ledger: Ledger) -> None:
        large = an_answer(
            "dvf",
            artifacts=("x" * 1000,) * (MAX_CARRIED_BYTES // 1000 - 2),
            attempts=(an_attempt(),),
            error=Failure("http", "HTTP 503"),
        )
        tries = (EarlierTry("r0", Outcome.FAILED, after(1), Failure("http", "é" * 500), 3),)
        kept = Entry(
            entry("dvf", params={"text": "x" * (MAX_SPEC_BYTES - 1_000)}).spec,
            skip=Skip("answered"),
            past=CollectorHistory(
                (10**15,) * 14, (1.5,) * 7, "s" * 30, "é" * 500, after(0), (10**10,) * 30, "r" * 30
            ),
            carried=large,
            earlier=tries * MAX_EARLIER,
            slot=START,
        )
        asked = replace(entry("plu"), earlier=tries, slot=START)
        ledger.create_run(a_run(manifest=[kept, asked], retry_of="r0"), [kept, asked])

        assert list(ledger.manifest(RUN_ID)) == [kept, asked]

    def test_500_answers_that_a_retry_carries_over_are_stored(self, ledger: Ledger) -> None:
        manifest = [
            replace(
                entry(f"c{number:03}"),
                skip=Skip("answered"),
                carried=an_answer(f"c{number:03}", warnings=("odd " * 100,), metrics={"a": 1}),
            )
            for number in range(499)
        ]
        manifest.append(entry("plu"))
        ledger.create_run(a_run(manifest=manifest), manifest)

        assert list(ledger.manifest(RUN_ID)) == manifest

    def test_a_notice_is_kept_with_what_it_says(self, ledger: Ledger) -> None:
        notice = a_run(
            phase=Phase.FINAL,
            verdict=RunStatus.REJECTED,
            about="not started: no",
            dispatched_at=START,
            announced_at=START,
            end_time=START,
        )
        ledger.create_run(notice, [])

        assert ledger.run(RUN_ID) == notice
        assert ledger.unannounced() == []

    def test_runs_between_two_instants_come_newest_first(self, ledger: Ledger) -> None:
        for number in range(5):
            ledger.create_run(a_run(f"r{number}", start_time=after(60.0 * number)), [])

        def found(since_s: float | None, until_s: float | None, limit: int = 10) -> str:
            since, until = (None if s is None else after(s) for s in (since_s, until_s))
            return "".join(r.run_id[1:] for r in ledger.runs_between(since, until, limit))

        assert found(None, None) == "43210"
        assert found(60, 180) == "21"
        assert found(60, None) == "4321"
        assert found(None, 60) == "0"
        assert found(60, None, 2) == "43"
        assert found(1_000, None) == ""

    def test_there_is_nothing_of_a_run_that_was_never_created(self, ledger: Ledger) -> None:
        assert ledger.run("nobody") is None
        assert list(ledger.manifest("nobody")) == []
        assert ledger.oldest_run_start() is None

    def test_forward_only_a_final_run_does_not_open_again(self, ledger: Ledger) -> None:
        ledger.create_run(a_run(), [])
        ledger.open_run(RUN_ID)
        assert self.phase(ledger) is Phase.OPEN

        ledger.finalize_run(RUN_ID, a_closing())
        ledger.open_run(RUN_ID)
        assert self.phase(ledger) is Phase.FINAL

    def test_forward_only_marks_stay_as_first_set(self, ledger: Ledger) -> None:
        ledger.create_run(a_run(), [])
        ledger.mark_dispatched(RUN_ID, after(1))
        ledger.mark_dispatched(RUN_ID, after(2))
        ledger.mark_announced(RUN_ID, revision=2, report="two", at=after(3))
        ledger.mark_announced(RUN_ID, revision=1, report="one", at=after(4))
        ledger.mark_announced(RUN_ID, revision=2, report="again", at=after(5))

        run = ledger.run(RUN_ID)
        assert run is not None
        assert (run.dispatched_at, run.announced_at) == (after(1), after(3))
        assert (run.revision, run.report) == (2, "two")

        ledger.mark_announced(RUN_ID, revision=3, report="three", at=after(6))
        run = ledger.run(RUN_ID)
        assert run is not None
        assert (run.announced_at, run.revision, run.report) == (after(3), 3, "three")

    def test_a_mark_may_bring_a_closing_of_its_own_once(self, connect: Connect) -> None:
        ledger = connect()
        ledger.create_run(a_run(), [])
        ledger.finalize_run(RUN_ID, a_closing())
        failed = a_closing(verdict=RunStatus.FAILED, about="why", end_time=after(20))
        ledger.mark_announced(RUN_ID, revision=1, report="", at=after(21), verdict=failed)
        later = a_closing(about="never")
        ledger.mark_announced(RUN_ID, revision=1, report="x", at=after(22), verdict=later)

        run = connect().run(RUN_ID)
        assert run is not None
        assert (run.verdict, run.about, run.end_time) == (RunStatus.FAILED, "why", after(20))
        assert (run.summary, run.report) == ({"total": 2}, "")

    def test_a_run_knows_how_many_late_answers_its_report_lists(self, ledger: Ledger) -> None:
        ledger.create_run(a_run(), [])
        ledger.finalize_run(RUN_ID, a_closing())
        for revision, listed in ((1, 0), (2, 1), (3, 1), (4, 2), (5, 4)):
            ledger.mark_announced(
                RUN_ID, revision=revision, report="r", at=after(9), late_listed=listed
            )
            run = ledger.run(RUN_ID)
            assert run is not None
            assert (run.revision, run.late_listed) == (revision, listed)
            assert run.summary is not None
            assert run.summary["total"] == 2
        ledger.mark_announced(
            RUN_ID, revision=6, report="r", at=after(9), late_listed=4, remarks=("é", "b")
        )
        run = ledger.run(RUN_ID)
        assert run is not None
        assert (run.late_listed, run.remarks) == (4, ("é", "b"))

    def test_closed_once_the_first_closing_is_kept(self, ledger: Ledger) -> None:
        ledger.create_run(a_run(), [])
        ledger.open_run(RUN_ID)

        assert ledger.finalize_run(RUN_ID, a_closing())
        assert not ledger.finalize_run(RUN_ID, a_closing(verdict=RunStatus.FAILED, about="no"))
        run = ledger.run(RUN_ID)
        assert run is not None
        assert (run.verdict, run.about) == (RunStatus.SUCCEEDED, "2 of 2 succeeded")
        assert (run.summary, run.end_time) == ({"total": 2}, after(9))

    def test_closed_once_of_many_at_once_one_is_told_true(self, connect: Connect) -> None:
        ledgers = [connect() for _ in range(4)]
        ledgers[0].create_run(a_run(), [])
        gate = Barrier(8)

        def close(number: int) -> bool:
            gate.wait(timeout=10)
            return ledgers[number % 4].finalize_run(RUN_ID, a_closing(about=f"by {number}"))

        with ThreadPoolExecutor(8) as pool:
            closed = list(pool.map(close, range(8)))

        assert closed.count(True) == 1
        run = ledgers[0].run(RUN_ID)
        assert run is not None
        assert run.about == f"by {closed.index(True)}"

    def test_a_run_that_was_never_created_is_not_finalized(self, ledger: Ledger) -> None:
        assert not ledger.finalize_run("nobody", a_closing())

    def test_what_a_method_reports_another_connection_sees(self, connect: Connect) -> None:
        connect().create_run(a_run(manifest=MANIFEST), MANIFEST)

        assert connect().run(RUN_ID) == a_run(manifest=MANIFEST)
        assert list(connect().manifest(RUN_ID)) == MANIFEST

    def test_unannounced_runs_come_oldest_first(self, ledger: Ledger) -> None:
        for run_id, seconds in (("c", 3), ("a", 1), ("b", 2), ("d", 4)):
            ledger.create_run(a_run(run_id, start_time=after(seconds)), [])
        ledger.finalize_run("a", a_closing())
        ledger.mark_announced("b", revision=1, report="b", at=after(9))

        assert [run.run_id for run in ledger.unannounced()] == ["a", "c", "d"]

    def test_recent_runs_come_newest_first_and_no_more_than_asked(self, ledger: Ledger) -> None:
        for seconds in (2, 1, 3):
            ledger.create_run(a_run(f"r{seconds}", start_time=after(seconds)), [])

        assert [run.run_id for run in ledger.recent_runs(2)] == ["r3", "r2"]
        assert ledger.oldest_run_start() == after(1)

    @pytest.mark.parametrize("prefix", ["2026", "2026-11-23T0215Z-nightly"])
    def test_runs_are_found_by_the_beginning_of_their_id(self, ledger: Ledger, prefix: str) -> None:
        ledger.create_run(a_run(), [])
        ledger.create_run(a_run("other"), [])

        assert [run.run_id for run in ledger.find_runs(prefix, 10)] == [RUN_ID]
        assert list(ledger.find_runs("20%", 10)) == []
        assert len(ledger.find_runs("", 1)) == 1

    def phase(self, ledger: Ledger) -> Phase:
        run = ledger.run(RUN_ID)
        assert run is not None
        return run.phase
