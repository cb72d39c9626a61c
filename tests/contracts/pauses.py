"""The promises of :class:`fanfold.ports.ledger.Pauses`, as tests. See ``ledger.py``."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tests.contracts.ledger import Connect, LedgerContract
from tests.support import START, after

from fanfold.domain.model.pause import Pause, PauseKind
from fanfold.ports.ledger import Ledger

PLU = Pause(PauseKind.COLLECTOR, "plu", START, "ann", "the source is down", after(60))
OVER = Pause(
    PauseKind.SCHEDULE, "15 3 * * *", after(0.000001), "bob", resumed_at=after(9), resumed_by="ann"
)


def with_another(name: str, there: Sequence[Pause]) -> Sequence[Pause]:
    pause = Pause(PauseKind.COLLECTOR, name, START, "ann")
    return there if pause in there else [*there, pause]


class PausesContract(LedgerContract):
    def test_at_first_nothing_is_paused(self, ledger: Ledger) -> None:
        assert not ledger.pauses()

    def test_what_is_paused_is_seen_at_once_on_every_connection(self, connect: Connect) -> None:
        changing, looking = connect(), connect()
        assert list(changing.change_pauses(lambda there: [*there, PLU, OVER])) == [PLU, OVER]
        assert list(looking.pauses()) == [PLU, OVER]

        looking.change_pauses(lambda there: there[1:])
        assert list(changing.pauses()) == [OVER]
        looking.change_pauses(lambda _: ())
        assert not changing.pauses()

    def test_of_changes_at_once_none_is_lost(self, connect: Connect) -> None:
        names = [f"c{number}" for number in range(6)]
        ledgers = [connect() for _ in names]
        with ThreadPoolExecutor(len(names)) as pool:
            changes = [partial(with_another, name) for name in names]
            list(
                pool.map(
                    lambda each: each[0].change_pauses(each[1]), zip(ledgers, changes, strict=True)
                )
            )
        assert sorted(each.name for each in ledgers[0].pauses()) == names
