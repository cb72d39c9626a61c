"""The promises of :class:`fanfold.ports.ledger.History`, as tests. See ``ledger.py``."""

from __future__ import annotations

from tests.contracts.ledger import Connect, LedgerContract
from tests.support import after

from fanfold.domain.model.run import PastRun, RunFigures
from fanfold.domain.rules.history import BY_HAND, KEPT_RUNS, MOST_KEPT
from fanfold.ports.ledger import Ledger


def night(number: int, **changes: object) -> RunFigures:
    given: dict[str, object] = {"records": number, "seconds": float(number), "outcome": "s"}
    return RunFigures("dvf", end_time=after(86_400 * number), **(given | changes))  # type: ignore[arg-type]


class HistoryContract(LedgerContract):
    def test_bounded_it_keeps_the_last_accepted_schema(self, ledger: Ledger) -> None:
        ledger.remember("r1", [night(1, schema='{"code":"text"}')])
        ledger.remember("r2", [night(2, schema='{"code":"int"}')])
        ledger.remember("r3", [night(3, outcome="f", schema='{"x":"int"}')])
        ledger.remember("r4", [night(4)])

        assert ledger.histories(["dvf"])["dvf"].schema == '{"code":"int"}'

    def test_once_a_run_remembering_it_again_changes_nothing(self, ledger: Ledger) -> None:
        ledger.remember("r1", [night(1)])
        ledger.remember("r1", [night(1)])

        assert ledger.histories(["dvf"])["dvf"].outcomes == "s"

    def test_bounded_it_keeps_what_a_past_can_show(self, ledger: Ledger) -> None:
        for number in range(1, KEPT_RUNS + 6):
            ledger.remember(f"r{number}", [night(number)])

        past = ledger.histories(["dvf"])["dvf"]
        assert past.outcomes == "s" * KEPT_RUNS
        assert past.records == tuple(range(22, 36))
        assert past.seconds == tuple(float(number) for number in range(29, 36))

    def test_bounded_runs_by_hand_and_retries_push_no_slot_out(self, ledger: Ledger) -> None:
        for number in range(1, KEPT_RUNS + 4):
            slot = after(86_400 * number - 60)
            ledger.remember(f"r{number}", [night(number, slot=slot, outcome="f")])
        for extra in range(1, KEPT_RUNS + 4):
            ended = after(86_400 * 60 + extra)
            tried = RunFigures("dvf", "s", ended, extra, 1.0, None, after(86_400 * 20 - 60))
            by_hand = RunFigures("dvf", "t", ended)
            ledger.remember(f"hand{extra}", [by_hand])
            ledger.remember(f"r20-try{extra + 1}", [tried])

        past = ledger.histories(["dvf"])["dvf"]
        assert len(ledger.past_runs(["dvf"])["dvf"]) <= MOST_KEPT
        slots = "".join(
            outcome
            for outcome, kind in zip(past.outcomes, past.kinds, strict=True)
            if kind != BY_HAND
        )
        assert slots == "f" * 16 + "s" + "f" * 13
        assert past.kinds.count(BY_HAND) == KEPT_RUNS

    def test_runs_that_end_out_of_order_are_put_in_order(self, ledger: Ledger) -> None:
        for number, outcome in ((3, "f"), (1, "s"), (2, "t")):
            ledger.remember(f"r{number}", [night(number, outcome=outcome)])

        assert ledger.histories(["dvf"])["dvf"].outcomes == "stf"

    def test_each_collector_has_its_own_past(self, ledger: Ledger) -> None:
        plu = RunFigures("plu", "f", after(1))
        ledger.remember("r1", [night(1, revision="2026-10"), plu])

        histories = ledger.histories(["dvf", "plu", "unknown"])
        assert set(histories) == {"dvf", "plu"}
        assert (histories["dvf"].revision, histories["plu"].outcomes) == ("2026-10", "f")
        assert ledger.histories([]) == {}

    def test_each_past_run_comes_back_as_it_was_given_oldest_first(self, ledger: Ledger) -> None:
        of_slot, by_hand = night(1, slot=after(80_000), revision="2026-10"), night(2, outcome="f")
        ledger.remember("r2", [by_hand])
        ledger.remember("r1", [of_slot])

        past = ledger.past_runs(["dvf", "unknown"])
        assert list(past) == ["dvf"]
        assert list(past["dvf"]) == [PastRun("r1", of_slot), PastRun("r2", by_hand)]
        assert ledger.past_runs([]) == {}

    def test_another_connection_remembers_too(self, connect: Connect) -> None:
        connect().remember("r1", [night(1)])

        assert connect().histories(["dvf"])["dvf"].last_success == after(86_400)
