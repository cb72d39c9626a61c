"""The promises of :class:`fanfold.ports.ledger.Upstreams`, as tests. See ``ledger.py``.

And those of the waits in :class:`fanfold.ports.ledger.Jobs`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tests.contracts.jobs import granted, the_job
from tests.contracts.ledger import Connect, LedgerContract
from tests.support import RUN_ID, START, after, an_answer, an_attempt, entry

from fanfold.domain.model.run import Lease
from fanfold.domain.model.upstream import Breaker, SourceSign, Upstream, UpstreamState
from fanfold.domain.rules import upstreams
from fanfold.domain.rules.claim import Granted
from fanfold.domain.rules.upstreams import Refusal
from fanfold.ports.ledger import Ledger

INSEE = Upstream("api.insee.fr", max_concurrent=2, per_minute=9, breaker=Breaker(1, 60))
MANIFEST = [entry("dvf", limits=INSEE), entry("plu", limits=INSEE)]
REFUSAL = Refusal(after(30), "2 calls at once")


def lease(job: str, holder: str = "h1") -> Lease:
    return Lease(RUN_ID, job, 1, holder, 1, START, after(600))


def enter(ledger: Ledger, job: str, holder: str = "h1") -> Refusal | None:
    return ledger.change_upstream(
        INSEE.name, lambda state: upstreams.enter(state, INSEE, lease(job, holder), START)
    )


class UpstreamsContract(LedgerContract):
    def test_of_many_calls_at_once_as_many_enter_as_the_source_bears(
        self, connect: Connect
    ) -> None:
        ledgers = [connect() for _ in range(4)]
        gate = Barrier(6)

        def ask(number: int) -> Refusal | None:
            gate.wait(timeout=10)
            return enter(ledgers[number % 4], f"c{number}")

        with ThreadPoolExecutor(6) as pool:
            refusals = list(pool.map(ask, range(6)))
        assert refusals.count(None) == 2
        state = connect().upstreams([INSEE.name])[INSEE.name]
        assert len(state.places) == 2
        assert sum(each.number for each in state.calls) == 2

    def test_everything_that_is_known_of_a_source_comes_back(self, connect: Connect) -> None:
        def change(state: UpstreamState) -> tuple[UpstreamState, None]:
            state, _ = upstreams.enter(state, INSEE, lease("dvf"), START)
            for job in ("plu", "gpu"):
                state, _ = upstreams.enter(state, INSEE, lease(job), START)
                state = upstreams.leave(state, INSEE, lease(job), SourceSign.DOWN, START)
            return upstreams.enter(state, INSEE, lease("new"), after(60))[0], None

        connect().change_upstream(INSEE.name, change)
        expected, _ = change(UpstreamState())
        assert expected.probe is not None
        assert connect().upstreams(["other", INSEE.name]) == {
            "other": UpstreamState(),
            INSEE.name: expected,
        }
        assert connect().upstreams([]) == {}

    def test_a_job_that_waits_was_not_attempted(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        lease = granted(ledger).lease
        wait = upstreams.waiting(None, INSEE, REFUSAL, after(1))
        assert ledger.wait(lease, wait)

        job = the_job(ledger)
        assert (job.started, job.lease, job.attempts) == (0, None, ())
        assert job.wait == wait
        assert job.is_waiting
        found = ledger.waiting_for(INSEE.name, run_id=RUN_ID, limit=9)
        assert [tuple(each) for each in found] == [(RUN_ID, "dvf")]
        assert not ledger.check(lease, now=after(2))

    def test_a_wait_ends_with_the_next_lease(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        ledger.wait(granted(ledger).lease, upstreams.waiting(None, INSEE, REFUSAL, after(1)))
        again = granted(ledger, after(31))

        assert again.lease.attempt == 1
        assert again.job.wait is not None
        assert again.job.wait.seconds(after(99)) == 30
        assert the_job(ledger).wait == again.job.wait
        assert ledger.waiting_for(INSEE.name, run_id=RUN_ID, limit=9) == []

    def test_a_lease_that_is_given_back_waits_for_nothing(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        assert ledger.wait(granted(ledger).lease, None)
        assert ledger.waiting_for(INSEE.name, run_id=RUN_ID, limit=9) == []
        assert granted(ledger).lease.attempt == 1

    def test_a_lease_that_was_taken_over_does_not_wait(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        first = granted(ledger).lease
        ledger.release(first, an_attempt(outcome="retry"), not_before=after(3))
        second = ledger.claim(RUN_ID, "dvf", holder="h2", now=after(3))
        assert isinstance(second, Granted)

        wait = upstreams.waiting(None, INSEE, REFUSAL, after(4))
        assert not ledger.wait(first, wait)
        assert the_job(ledger).lease == second.lease

    def test_who_has_an_answer_waits_for_nothing(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        ledger.wait(granted(ledger).lease, upstreams.waiting(None, INSEE, REFUSAL, after(1)))
        ledger.record(an_answer("dvf", waited_s=2.5))

        assert ledger.waiting_for(INSEE.name, run_id=RUN_ID, limit=9) == []
        assert not the_job(ledger).is_waiting
        answer = ledger.answer(RUN_ID, "dvf")
        assert answer is not None
        assert answer.waited_s == 2.5
