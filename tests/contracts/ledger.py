"""What the contracts of the ledger ports share: how to open a ledger."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import pytest
from tests.support import RUN_ID, a_job, a_run

from fanfold.domain.model.run import Entry
from fanfold.ports.ledger import Ledger

Connect = Callable[[], Ledger]


class LedgerContract(ABC):
    @pytest.fixture
    @abstractmethod
    def connect(self) -> Connect:
        """Return a function that opens the same ledger anew each time; it is empty at first."""

    @pytest.fixture
    def ledger(self, connect: Connect) -> Ledger:
        return connect()

    def start(self, ledger: Ledger, manifest: Sequence[Entry], run_id: str = RUN_ID) -> None:
        """Create an open run of *manifest* with its jobs."""
        ledger.create_run(a_run(run_id, manifest=manifest), manifest)
        asked = [each.name for each in manifest if each.skip is None]
        ledger.create_jobs(run_id, [a_job(name, run_id) for name in asked])
        ledger.open_run(run_id)
