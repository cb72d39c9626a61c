"""The Firestore ledger keeps the promises of the ledger ports."""

from __future__ import annotations

import pytest
from tests.adapters.google.conftest import MakeClient
from tests.contracts.answers import AnswersContract
from tests.contracts.dead_letters import DeadLettersContract
from tests.contracts.history import HistoryContract
from tests.contracts.jobs import JobsContract
from tests.contracts.ledger import Connect, LedgerContract
from tests.contracts.runs import RunsContract
from tests.contracts.schedules import SchedulesContract
from tests.contracts.told import ToldContract

from fanfold.adapters.google.ledger import FirestoreLedger

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


class TestSchedules(OnFirestore, SchedulesContract):
    """See :class:`SchedulesContract`."""
