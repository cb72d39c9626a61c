"""The Firestore ledger keeps the promises of the ledger ports."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud import firestore
from tests.adapters.google.conftest import MakeClient
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
from tests.support import RUN_ID, a_run

from fanfold.adapters.google.ledger import FirestoreLedger
from fanfold.ports.ledger import Ledger

pytestmark = pytest.mark.emulator


class OnFirestore(LedgerContract):
    @pytest.fixture
    def connect(self, make_client: MakeClient) -> Connect:
        return lambda: FirestoreLedger(make_client())


class TestRuns(OnFirestore, RunsContract):
    pass


class TestJobs(OnFirestore, JobsContract):
    pass


class TestAnswers(OnFirestore, AnswersContract):
    pass


class TestHistory(OnFirestore, HistoryContract):
    pass


class TestDeadLetters(OnFirestore, DeadLettersContract):
    pass


class TestTold(OnFirestore, ToldContract):
    """See :class:`ToldContract`."""


class TestUpstreams(OnFirestore, UpstreamsContract):
    """See :class:`UpstreamsContract`."""


class TestSchedules(OnFirestore, SchedulesContract):
    """See :class:`SchedulesContract`."""


class TestPauses(OnFirestore, PausesContract):
    """See :class:`PausesContract`."""


#: Where each record of the contract is, and what a hand writes there.
SPOILED: dict[str, tuple[str, dict[str, Any]]] = {
    "run": ("fanfold_runs/{run}", {"timezone": 5}),
    "job": ("fanfold_runs/{run}/collectors/dvf", {"attempts": "none"}),
    "answer": ("fanfold_runs/{run}/answers/plu", {"outcome": "green", "metrics": "{"}),
    "past": ("fanfold_state/latest", {"figures": b"nothing"}),
    "letter": ("fanfold_dead_letters/l1", {"attributes": "{", "data": firestore.DELETE_FIELD}),
    "schedules": ("fanfold_state/schedules.known", {"since": "always"}),
}


class TestDamage(OnFirestore, DamageContract):
    def spoil(self, ledger: Ledger, record: str) -> None:
        assert isinstance(ledger, FirestoreLedger)
        run = ledger.store.client.document(f"fanfold_runs/{RUN_ID}")
        if record == "late":
            (late,) = run.collection("late").list_documents()
            late.update({"received_at": "yesterday", "end_time": 5})
        elif record == "entry":
            (chunk,) = run.collection("manifest").list_documents()
            entries = chunk.get().get("entries")
            spoiled = entries.replace('"required":true', '"required":"yes"', 1)
            assert spoiled != entries
            chunk.update({"entries": spoiled})
        else:
            path, changes = SPOILED[record]
            ledger.store.client.document(path.format(run=RUN_ID)).update(changes)

    def mend(self, ledger: Ledger) -> None:
        assert isinstance(ledger, FirestoreLedger)
        run = ledger.store.client.document(f"fanfold_runs/{RUN_ID}")
        run.update({"timezone": a_run().timezone})

    @pytest.mark.parametrize(
        "changes",
        [
            {"deadline": "tomorrow", "start_time": "today"},
            {"trigger": "cron", "report_to": ["x"], "jobs_made": [1], "evidence": 5},
            {"manifest": [5]},
            {"manifest": "0000"},
            {"manifest": ["a/b"]},
            {"phase": "half", "verdict": "green", "summary": "{", "revision": "one"},
        ],
    )
    def test_a_document_that_a_hand_spoiled_keeps_no_run_from_its_end(
        self, connect: Connect, changes: dict[str, Any]
    ) -> None:
        self.begin(connect())
        ledger = connect()
        assert isinstance(ledger, FirestoreLedger)
        ledger.store.client.document(f"fanfold_runs/{RUN_ID}").update(changes)
        swept_at(ledger, 7200)

        assert list(connect().unannounced()) == []
        run = connect().run(RUN_ID)
        assert run is not None
        assert run.about.startswith("failed: the report cannot be written as it is: ")
        assert connect().busy(["dvf"]) == {}
