"""The promises of :class:`fanfold.ports.ledger.Told`, as tests. See ``ledger.py``."""

from __future__ import annotations

from tests.contracts.ledger import Connect, LedgerContract
from tests.support import RUN_ID, START, after

from fanfold.ports.ledger import Ledger

MARK = f"{RUN_ID}/1 webhook/0123456789ab"


class ToldContract(LedgerContract):
    def test_told_stays_told_on_every_connection(self, connect: Connect) -> None:
        connect().mark_told(RUN_ID, MARK, START)

        assert connect().is_told(RUN_ID, MARK)

    def test_made_twice_it_is_one_mark(self, ledger: Ledger) -> None:
        ledger.mark_told(RUN_ID, MARK, START)
        ledger.mark_told(RUN_ID, MARK, after(60))

        assert ledger.is_told(RUN_ID, MARK)

    def test_another_run_event_or_target_is_not_told(self, ledger: Ledger) -> None:
        ledger.mark_told(RUN_ID, MARK, START)

        assert not ledger.is_told("another", MARK)
        assert not ledger.is_told(RUN_ID, f"{RUN_ID}/2 webhook/0123456789ab")
        assert not ledger.is_told(RUN_ID, f"{RUN_ID}/1 slack/0123456789ab")
