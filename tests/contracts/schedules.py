"""The promises of :class:`fanfold.ports.ledger.Schedules`, as tests. See ``ledger.py``."""

from __future__ import annotations

from tests.contracts.ledger import Connect, LedgerContract
from tests.support import START, after

from fanfold.domain.model.known_schedules import KnownSchedules
from fanfold.ports.ledger import Ledger

KNOWN = KnownSchedules(
    {"15 3 * * * Europe/Paris": START, "*/5 * * * MON-FRI UTC": after(0.000001)}, after(60)
)


class SchedulesContract(LedgerContract):
    def test_before_anything_was_noted_nothing_is_known(self, ledger: Ledger) -> None:
        assert ledger.known_schedules() is None

    def test_the_last_one_stays(self, connect: Connect) -> None:
        connect().note_schedules(KNOWN)
        assert connect().known_schedules() == KNOWN

        connect().note_schedules(KnownSchedules({}))
        assert connect().known_schedules() == KnownSchedules({})
