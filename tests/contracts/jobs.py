"""The promises of :class:`fanfold.ports.ledger.Jobs`, as tests. See ``ledger.py``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from threading import Barrier

from tests.contracts.ledger import Connect, LedgerContract
from tests.support import (
    RUN_ID,
    START,
    a_closing,
    a_job,
    a_run,
    after,
    an_answer,
    an_attempt,
    entry,
)

from fanfold.domain.model.run import Failure, Job
from fanfold.domain.protocol.contract import Progress
from fanfold.domain.rules import claim
from fanfold.domain.rules.claim import (
    Accepted,
    Answered,
    Closed,
    Exhausted,
    Granted,
    Held,
    JobSnapshot,
    Waiting,
)
from fanfold.ports.ledger import Ledger

MANIFEST = [entry("dvf"), entry("plu"), entry("old", skip="disabled")]


def granted(ledger: Ledger, at: datetime = START, holder: str = "h1") -> Granted:
    claimed = ledger.claim(RUN_ID, "dvf", holder=holder, now=at)
    assert isinstance(claimed, Granted)
    return claimed


def the_job(ledger: Ledger) -> Job:
    return next(job for job in ledger.jobs(RUN_ID) if job.collector == "dvf")


class JobsContract(LedgerContract):
    def test_a_job_is_created_if_it_is_not_there(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        granted(ledger)
        ledger.create_jobs(RUN_ID, [a_job("dvf", published_at=after(5)), a_job("plu")])

        assert [job.collector for job in ledger.jobs(RUN_ID)] == ["dvf", "plu"]
        assert the_job(ledger).published_at == START
        assert the_job(ledger).lease is not None

    def test_one_live_lease_the_second_claim_is_told_until_when(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        first = granted(ledger)
        second = ledger.claim(RUN_ID, "dvf", holder="h2", now=after(1))

        assert second == Held(first.lease.until)

    def test_claims_of_several_jobs_are_made_one_after_the_other(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        keys = [(RUN_ID, name) for name in ("dvf", "plu", "dvf", "old")]
        first, second, again, skipped = ledger.claim_all(keys, holder="h1", now=START)

        assert isinstance(first, Granted)
        assert isinstance(second, Granted)
        assert (first.lease.collector, second.lease.collector) == ("dvf", "plu")
        assert again == Held(first.lease.until)
        assert isinstance(skipped, Closed)
        leases = {job.collector: job.lease for job in ledger.jobs(RUN_ID)}
        assert leases == {"dvf": first.lease, "plu": second.lease}
        assert ledger.claim_all([], holder="h1", now=START) in ([], ())

    def test_one_live_lease_of_many_claims_at_once(self, connect: Connect) -> None:
        ledgers = [connect() for _ in range(4)]
        self.start(ledgers[0], MANIFEST)
        gate = Barrier(8)

        def claim_it(number: int) -> claim.Claim:
            gate.wait(timeout=10)
            return ledgers[number % 4].claim(RUN_ID, "dvf", holder=f"h{number}", now=START)

        with ThreadPoolExecutor(8) as pool:
            claims = list(pool.map(claim_it, range(8)))

        assert [type(each) for each in claims].count(Granted) == 1
        assert [type(each) for each in claims].count(Held) == 7

    def test_one_live_lease_it_may_be_taken_over_once_it_ran_out(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        first = granted(ledger)
        second = granted(ledger, at=first.lease.until, holder="h2")

        assert second.lease.fence == first.lease.fence + 1
        assert (first.lease.attempt, second.lease.attempt) == (1, 2)

    def test_fenced_a_lease_that_was_taken_over_does_nothing(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        old = granted(ledger).lease
        new = granted(ledger, at=old.until, holder="h2").lease
        before = the_job(ledger)

        assert not ledger.check(old, now=old.until)
        assert not ledger.release(old, an_attempt(), not_before=after(500))
        assert not ledger.accept(old, an_attempt(), until=after(500))
        assert the_job(ledger) == before
        assert ledger.check(new, now=old.until)

    def test_fenced_a_released_lease_does_nothing_more(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        lease = granted(ledger).lease

        assert ledger.release(lease, an_attempt(outcome="retry"), not_before=after(30))
        assert not ledger.check(lease, now=after(1))
        assert not ledger.release(lease, an_attempt(outcome="retry"), not_before=after(99))
        assert the_job(ledger).not_before == after(30)
        assert len(the_job(ledger).attempts) == 1

    def test_a_lease_checks_until_it_runs_out(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        lease = granted(ledger).lease

        assert ledger.check(lease, now=after(1))
        assert not ledger.check(lease, now=lease.until)

    def test_decided_by_the_rules_on_what_is_stored(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        decided = claim.decide(ledger.snapshot(RUN_ID, "dvf"), holder="h1", now=after(3))

        assert granted(ledger, at=after(3)) == decided

    def test_decided_by_the_rules_the_grant_is_stored(self, connect: Connect) -> None:
        ledger = connect()
        self.start(ledger, MANIFEST)
        grant = granted(ledger)

        assert connect().snapshot(RUN_ID, "dvf").job == grant.job
        assert the_job(ledger) == grant.job

    def test_decided_by_the_rules_a_stranger_is_closed(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)

        for run_id, name in (("nobody", "dvf"), (RUN_ID, "stranger"), (RUN_ID, "old")):
            assert isinstance(ledger.claim(run_id, name, holder="h", now=START), Closed)
        assert ledger.snapshot("nobody", "dvf") == JobSnapshot(None)

    def test_decided_by_the_rules_a_job_that_outran_its_record_is_worked(
        self, ledger: Ledger
    ) -> None:
        ledger.create_run(a_run(manifest=MANIFEST), MANIFEST)
        grant = granted(ledger)
        ledger.create_jobs(RUN_ID, [a_job("dvf", published_at=after(7))])

        assert the_job(ledger) == grant.job

    def test_decided_by_the_rules_a_final_run_is_closed(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        ledger.finalize_run(RUN_ID, a_closing())

        assert isinstance(ledger.claim(RUN_ID, "dvf", holder="h", now=START), Closed)

    def test_decided_by_the_rules_a_retry_waits_for_its_backoff(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        error = Failure("http", "HTTP 503", retryable=True)
        attempt = an_attempt(outcome="retry", error=error, http_status=503)
        ledger.release(granted(ledger).lease, attempt, not_before=after(30))

        waiting = ledger.claim(RUN_ID, "dvf", holder="h", now=after(29))
        assert isinstance(waiting, Waiting)
        assert waiting.until == after(30)
        again = granted(ledger, at=after(30))
        assert (again.lease.attempt, again.job.attempts) == (2, (attempt,))
        assert again.job.not_before is None

    def test_decided_by_the_rules_an_accepted_job_is_left_alone(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        lease = granted(ledger).lease
        assert ledger.accept(lease, an_attempt(outcome="accepted"), until=after(60))

        assert ledger.claim(RUN_ID, "dvf", holder="h", now=after(1)) == Accepted(
            after(60), MANIFEST[0]
        )
        assert (the_job(ledger).accepted_until, the_job(ledger).lease) == (after(60), None)

    def test_decided_by_the_rules_attempts_run_out(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        at = START
        for _ in range(claim.MAX_LOST_ATTEMPTS):
            at = granted(ledger, at=at).lease.until

        spent = ledger.claim(RUN_ID, "dvf", holder="h", now=at)
        assert isinstance(spent, Exhausted)
        assert (spent.job.started, spent.job.attempts) == (claim.MAX_LOST_ATTEMPTS, ())

    def test_decided_by_the_rules_a_queued_job_waits_for_the_earlier_run(
        self, ledger: Ledger
    ) -> None:
        self.start(ledger, [entry("dvf")], "earlier")
        self.start(ledger, [entry("dvf", behind="earlier")])

        assert isinstance(ledger.claim(RUN_ID, "dvf", holder="h", now=START), Waiting)
        ledger.record(an_answer("dvf", run_id="earlier"))
        assert isinstance(ledger.claim(RUN_ID, "dvf", holder="h", now=START), Granted)

    def test_no_claim_after_an_answer_and_no_lease_checks(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        lease = granted(ledger).lease
        ledger.record(an_answer("dvf", writer="sweep"))

        assert not ledger.check(lease, now=after(1))
        assert not ledger.release(lease, an_attempt(), not_before=after(2))
        assert not ledger.accept(lease, an_attempt(), until=after(2))
        claimed = ledger.claim(RUN_ID, "dvf", holder="h2", now=after(1))
        assert claimed == Answered(an_answer("dvf", writer="sweep"), MANIFEST[0])
        assert the_job(ledger).answered

    def test_progress_changes_nothing_else(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        granted(ledger)
        before = the_job(ledger)
        ledger.note_progress(RUN_ID, "dvf", Progress(0.5, "half"), after(9))
        ledger.note_progress("nobody", "dvf", Progress(), after(9))

        noted = the_job(ledger).progress
        assert noted is not None
        assert (noted["fraction"], noted["message"]) == (0.5, "half")
        assert replace(the_job(ledger), progress=None) == before

    def test_republished_jobs_say_when(self, ledger: Ledger) -> None:
        self.start(ledger, MANIFEST)
        ledger.republished(RUN_ID, ["dvf"], after(900))

        assert [job.published_at for job in ledger.jobs(RUN_ID)] == [after(900), START]

    def test_a_collector_is_busy_while_an_open_run_waits_for_it(self, ledger: Ledger) -> None:
        assert ledger.busy(["dvf"]) == {}
        self.start(ledger, MANIFEST)
        assert ledger.busy(["dvf", "old", "else"]) == {"dvf": RUN_ID}
        ledger.record(an_answer("dvf"))
        assert ledger.busy(["dvf", "plu"]) == {"plu": RUN_ID}
        ledger.finalize_run(RUN_ID, a_closing())
        assert ledger.busy(["dvf", "plu"]) == {}
