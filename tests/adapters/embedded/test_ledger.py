"""The embedded ledger keeps the promises of the ledger ports."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.adapters.embedded.conftest import OpenDatabase
from tests.contracts.answers import AnswersContract
from tests.contracts.damage import DamageContract, swept_at
from tests.contracts.dead_letters import DeadLettersContract
from tests.contracts.history import HistoryContract
from tests.contracts.jobs import JobsContract
from tests.contracts.ledger import Connect, LedgerContract
from tests.contracts.pauses import PausesContract
from tests.contracts.runs import RunsContract
from tests.contracts.schedules import SchedulesContract
from tests.contracts.told import ToldContract
from tests.contracts.upstreams import UpstreamsContract
from tests.support import RUN_ID, START, a_closing, a_run, after, an_answer, an_attempt, entry

from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.domain.model.run import RunFigures
from fanfold.domain.rules.history import KEPT_RUNS
from fanfold.ports.ledger import Ledger


class OnSqlite(LedgerContract):
    @pytest.fixture
    def connect(self, open_database: OpenDatabase) -> Connect:
        return lambda: SqliteLedger(open_database())


class TestRuns(OnSqlite, RunsContract):
    def test_the_next_due_instant_is_the_first_deadline(self, open_database: OpenDatabase) -> None:
        ledger = SqliteLedger(open_database())
        assert ledger.next_due() is None
        ledger.create_run(a_run("late", deadline=after(90)), [])
        ledger.create_run(a_run("early", deadline=after(60)), [])
        assert ledger.next_due() == after(60)
        ledger.finalize_run("early", a_closing())
        ledger.mark_announced("early", revision=1, report="", at=START)
        assert ledger.next_due() == after(90)

    def test_the_next_due_instant_may_be_an_accepted_jobs(
        self, open_database: OpenDatabase
    ) -> None:
        ledger = SqliteLedger(open_database())
        self.start(ledger, [entry("dvf")])
        claimed = ledger.claim(RUN_ID, "dvf", holder="h", now=START)
        ledger.accept(claimed.lease, an_attempt(outcome="accepted"), until=after(50))  # type: ignore[union-attr]
        assert ledger.next_due() == after(50)

    def test_an_ended_run_is_forgotten_when_its_time_is_up(
        self, open_database: OpenDatabase
    ) -> None:
        ledger = SqliteLedger(open_database())
        for run_id in ("old", "young", "open"):
            self.start(ledger, [entry("dvf")], run_id)
            ledger.record(an_answer("dvf", run_id=run_id))
        ledger.mark_announced("old", revision=1, report="", at=START)
        ledger.mark_announced("young", revision=1, report="", at=START)
        ledger.database.write(
            lambda c: c.execute("UPDATE run SET expires_at = 0 WHERE run_id <> 'young'")
        )

        assert ledger.forget_expired(after(1)) == 1
        assert ledger.forget_expired(after(1)) == 0
        assert {run.run_id for run in ledger.recent_runs(10)} == {"young", "open"}
        kept = [len(ledger.jobs(run_id)) for run_id in ("old", "young", "open")]
        assert kept == [0, 1, 1]
        assert (len(ledger.answers("old")), len(ledger.manifest("old"))) == (0, 0)


class TestJobs(OnSqlite, JobsContract):
    pass


class TestAnswers(OnSqlite, AnswersContract):
    pass


class TestHistory(OnSqlite, HistoryContract):
    def test_no_more_is_stored_than_can_be_shown(self, open_database: OpenDatabase) -> None:
        ledger = SqliteLedger(open_database())
        for number in range(KEPT_RUNS + 5):
            ledger.remember(f"r{number}", [RunFigures("dvf", "s", after(number))])

        assert ledger.database.row("SELECT count(*) FROM history") == (KEPT_RUNS,)


class TestDeadLetters(OnSqlite, DeadLettersContract):
    pass


class TestTold(OnSqlite, ToldContract):
    def test_a_mark_is_forgotten_after_ninety_days(self, ledger: Ledger) -> None:
        ledger.mark_told("old", "old/1 webhook/a", START)
        ledger.mark_told("new", "new/1 webhook/a", START + timedelta(days=91))

        assert not ledger.is_told("old", "old/1 webhook/a")
        assert ledger.is_told("new", "new/1 webhook/a")


class TestUpstreams(OnSqlite, UpstreamsContract):
    """See :class:`UpstreamsContract`."""


class TestSchedules(OnSqlite, SchedulesContract):
    """See :class:`SchedulesContract`."""


class TestPauses(OnSqlite, PausesContract):
    """See :class:`PausesContract`."""


#: How each record of the contract is damaged.
SPOILED = {
    "run": "UPDATE run SET document = json_set(document, '$.timezone', 5) WHERE run_id = ?",
    "entry": "UPDATE manifest SET document = '{}' WHERE collector = 'dvf' AND run_id = ?",
    "job": "UPDATE job SET attempts = '[1' WHERE collector = 'dvf' AND run_id = ?",
    "answer": "UPDATE answer SET document = CAST(x'ff7b' AS TEXT) WHERE run_id = ?",
    "late": "UPDATE late SET document = 'null' WHERE run_id = ?",
    "past": "UPDATE history SET document = '[]' WHERE ? <> ''",
    "letter": "UPDATE dead_letter SET attributes = '[1]' WHERE letter_id = 'l1' AND ? <> ''",
    "schedules": "UPDATE meta SET value = '[]' WHERE name = 'schedules' AND ? <> ''",
}


class TestDamage(OnSqlite, DamageContract):
    def spoil(self, ledger: Ledger, record: str) -> None:
        self._execute(ledger, SPOILED[record])

    def mend(self, ledger: Ledger) -> None:
        self._execute(
            ledger,
            "UPDATE run SET document = json_set(document, '$.timezone', 'Europe/Paris') "
            "WHERE run_id = ?",
        )

    def _execute(self, ledger: Ledger, statement: str) -> None:
        assert isinstance(ledger, SqliteLedger)
        ledger.database.write(lambda connection: connection.execute(statement, (RUN_ID,)))

    @pytest.mark.parametrize("instant", [2**63 - 1, -(2**63)])
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE run SET start_time = {} WHERE run_id = ?",
            "UPDATE run SET end_time = {0}, deadline = {0}, expires_at = {0} WHERE run_id = ?",
            "UPDATE job SET published_at = {0}, deadline = {0} WHERE run_id = ?",
            "UPDATE late SET received_at = {} WHERE run_id = ?",
            "UPDATE dead_letter SET received_at = {} WHERE ? <> ''",
        ],
    )
    def test_an_instant_beyond_the_calendar_hides_no_other_record(
        self, ledger: Ledger, statement: str, instant: int
    ) -> None:
        self.begin(ledger)
        self._execute(ledger, statement.format(instant))

        assert {run.run_id for run in ledger.unannounced()} == {RUN_ID, "whole"}
        assert ledger.oldest_run_start() is not None
        assert isinstance(ledger, SqliteLedger)
        assert ledger.next_due() is not None
        assert len(ledger.jobs(RUN_ID)) == 2
        assert len(ledger.lates(RUN_ID)) == 1
        assert len(ledger.dead_letters(9)) == 2
        swept_at(ledger, 7200)
        assert list(ledger.unannounced()) == []
