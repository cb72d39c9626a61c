"""What the Firestore ledger does when many come at once, in threads and in processes' stead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import pytest
from tests.adapters.google.conftest import Connect
from tests.support import RUN_ID, START, a_closing, a_job, a_run, after, an_answer, entry

from fanfold.adapters.google.ledger import FirestoreLedger
from fanfold.domain.model.run import Entry, RunFigures
from fanfold.domain.rules.claim import Granted, Held

pytestmark = pytest.mark.emulator

T = TypeVar("T")


def at_once(count: int, work: Callable[[int], T]) -> list[T]:
    gate = Barrier(count)

    def begin(number: int) -> T:
        gate.wait(timeout=10)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def begin(ledger: FirestoreLedger, manifest: Sequence[Entry]) -> None:
    ledger.create_run(a_run(manifest=manifest), manifest)
    ledger.create_jobs(RUN_ID, [a_job(each.name) for each in manifest])
    ledger.open_run(RUN_ID)


def test_of_fifty_creations_one_is_told_true(connect: Connect) -> None:
    ledgers = [connect() for _ in range(4)]
    manifest = [entry("dvf")]

    created = at_once(
        50, lambda n: ledgers[n % 4].create_run(a_run(writer=f"w{n}", manifest=manifest), manifest)
    )
    assert created.count(True) == 1


@pytest.mark.parametrize("holders", [1, 32])
def test_of_thirty_two_claims_one_is_granted(connect: Connect, holders: int) -> None:
    ledgers = [connect() for _ in range(4)]
    begin(ledgers[0], [entry("dvf")])

    def claim(number: int) -> object:
        holder = f"h{number % holders}"
        return ledgers[number % 4].claim(RUN_ID, "dvf", holder=holder, now=START)

    claims = at_once(32, claim)
    assert sum(isinstance(each, Granted) for each in claims) == 1
    assert sum(isinstance(each, Held) for each in claims) == 31


def test_a_claim_and_an_answer_at_once_leave_no_live_lease(connect: Connect) -> None:
    ledgers = [connect() for _ in range(2)]
    names = [f"c{number:02}" for number in range(16)]
    begin(ledgers[0], [entry(name) for name in names])

    def race(number: int) -> object:
        name = names[number // 2]
        if number % 2:
            return ledgers[1].record(an_answer(name))
        return ledgers[0].claim(RUN_ID, name, holder="h", now=START)

    for claimed in at_once(32, race):
        if isinstance(claimed, Granted):
            assert not connect().check(claimed.lease, now=START)
    assert all(job.answered and job.lease is None for job in ledgers[0].jobs(RUN_ID))


def test_five_hundred_answers_are_finalized_by_one(connect: Connect) -> None:
    ledgers = [connect() for _ in range(2)]
    names = [f"c{number:03}" for number in range(500)]
    begin(ledgers[0], [entry(name) for name in names])

    def take(number: int) -> bool:
        ledger = ledgers[number % 2]
        ledger.record(an_answer(names[number]))
        full = ledger.all_answered(RUN_ID, 500)
        return full and ledger.finalize_run(RUN_ID, a_closing())

    with ThreadPoolExecutor(50) as pool:
        assert list(pool.map(take, range(500))).count(True) == 1
    assert len(connect().answers(RUN_ID)) == 500


def test_runs_that_end_together_are_all_remembered(connect: Connect) -> None:
    ledgers = [connect() for _ in range(4)]

    def remember(number: int) -> None:
        figures = [RunFigures(name, "s", after(number), records=number) for name in ("dvf", "plu")]
        ledgers[number % 4].remember(f"r{number:02}", figures)
        ledgers[number % 4].remember(f"r{number:02}", figures)

    at_once(16, remember)
    histories = connect().histories(["dvf", "plu"])
    assert histories["dvf"].outcomes == histories["plu"].outcomes == "s" * 16
    assert histories["dvf"].records == tuple(range(2, 16))
    state = ledgers[0].store.collection("fanfold_state").document("dvf").get().to_dict()
    assert (state["last_run_id"], state["outcomes"]) == ("r15", "s" * 16)
