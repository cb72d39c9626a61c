"""A run whose document was deleted leaves documents below it, and its id is used again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tests.adapters.google.conftest import Connect
from tests.adapters.google.test_ledger_cost import Pocket
from tests.support import (
    RUN_ID,
    START,
    MovingClock,
    a_closing,
    a_job,
    a_run,
    after,
    an_answer,
    an_attempt,
    entry,
)

from fanfold.adapters.google.ledger import FirestoreLedger
from fanfold.app.finish import Finisher
from fanfold.app.sweep import Sweeper
from fanfold.domain.model.errors import RunExpired, UnknownRun
from fanfold.domain.model.run import Entry, Job, LateAnswer, Lease
from fanfold.domain.model.states import RunStatus
from fanfold.domain.rules.claim import Answered, Granted
from fanfold.rendering import draw

pytestmark = pytest.mark.emulator

MANIFEST = [entry("dvf"), entry("plu")]

LARGE = [entry(f"c{number:04}") for number in range(501)]


def begin(ledger: FirestoreLedger, manifest: Sequence[Entry] = MANIFEST) -> None:
    assert ledger.create_run(a_run(manifest=manifest), manifest)
    ledger.create_jobs(RUN_ID, [a_job(each.name) for each in manifest])
    ledger.open_run(RUN_ID)


def work(ledger: FirestoreLedger, name: str, *, at_s: float = 1) -> Lease:
    claimed = ledger.claim(RUN_ID, name, holder="h", now=after(at_s))
    assert isinstance(claimed, Granted)
    return claimed.lease


def finish(ledger: FirestoreLedger, manifest: Sequence[Entry] = MANIFEST) -> None:
    """Answer for every collector, each with late evidence beside it, and close the run."""
    for each in manifest:
        ledger.record(an_answer(each.name, records=1, writer="old"))
        if len(manifest) < 10:
            ledger.keep_late(LateAnswer(an_answer(each.name, writer="late"), after(9)))
    assert ledger.all_answered(RUN_ID, len(manifest))
    ledger.finalize_run(RUN_ID, a_closing())


def delete_run(ledger: FirestoreLedger) -> None:
    """Delete the document of the run alone, as its TTL and the console's button do."""
    ledger.cache.document(RUN_ID).delete()


def below(ledger: FirestoreLedger, name: str) -> dict[str, Any]:
    found = ledger.cache.document(RUN_ID).collection(name).get()
    return {each.id: each.to_dict() for each in found}


#: Who works on the run of the old id: a process that knew the earlier run, and one that did not.
@pytest.fixture(params=["the same process", "a new process"])
def later(request: pytest.FixtureRequest, connect: Connect, ledger: FirestoreLedger) -> Any:
    return (lambda: ledger) if request.param == "the same process" else connect


def test_a_run_that_is_started_again_has_no_answers_yet(
    ledger: FirestoreLedger, later: Connect
) -> None:
    begin(ledger)
    finish(ledger)
    delete_run(ledger)
    again = later()

    assert again.run(RUN_ID) is None
    assert again.answers(RUN_ID) == []
    assert again.manifest(RUN_ID) == []
    begin(again)
    assert not again.all_answered(RUN_ID, 2)
    assert again.answers(RUN_ID) == []
    assert again.answer(RUN_ID, "dvf") is None
    assert again.lates(RUN_ID) == []
    assert list(again.jobs(RUN_ID)) == [a_job("dvf"), a_job("plu")]
    standing = again.snapshot(RUN_ID, "dvf")
    assert (standing.job, standing.answer) == (a_job("dvf"), None)


def test_before_its_own_jobs_are_made_a_run_has_none(
    ledger: FirestoreLedger, later: Connect
) -> None:
    begin(ledger)
    delete_run(ledger)
    again = later()
    again.create_run(a_run(manifest=MANIFEST), MANIFEST)

    assert again.jobs(RUN_ID) == []
    assert again.busy(["dvf", "plu"]) == {}


def test_its_collectors_are_called_and_counted_once_more(
    ledger: FirestoreLedger, later: Connect
) -> None:
    begin(ledger)
    finish(ledger)
    delete_run(ledger)
    again = later()
    begin(again)

    for name in ("dvf", "plu"):
        lease = work(again, name)
        assert again.check(lease, now=after(2))
        assert again.record(an_answer(name, records=7, writer="new")).writer == "new"
    assert again.all_answered(RUN_ID, 2)
    assert [answer.records for answer in again.answers(RUN_ID)] == [7, 7]
    assert {each["records"] for each in below(again, "answers").values()} == {7}
    assert again.finalize_run(RUN_ID, a_closing())


def test_an_answer_of_the_new_run_stays_as_every_first_answer_does(
    ledger: FirestoreLedger, later: Connect
) -> None:
    begin(ledger)
    finish(ledger)
    delete_run(ledger)
    again = later()
    begin(again)

    again.record(an_answer("dvf", writer="first"))
    assert again.record(an_answer("dvf", writer="second")).writer == "first"
    assert not again.all_answered(RUN_ID, 2)


def test_a_job_that_outran_its_record_is_claimed_in_the_place_of_an_old_one(
    ledger: FirestoreLedger, later: Connect
) -> None:
    begin(ledger)
    ledger.release(work(ledger, "dvf"), an_attempt(outcome="retry"), not_before=after(900))
    delete_run(ledger)
    again = later()
    again.create_run(a_run(manifest=MANIFEST), MANIFEST)

    lease = work(again, "dvf", at_s=2)
    assert (lease.fence, lease.attempt) == (1, 1)
    again.create_jobs(RUN_ID, [a_job("dvf"), a_job("plu")])
    assert again.check(lease, now=after(3))
    job = again.jobs(RUN_ID)[0]
    assert (job.attempts, job.not_before, job.started) == ((), None, 1)


def test_a_lease_of_the_earlier_run_is_worth_nothing(
    ledger: FirestoreLedger, later: Connect
) -> None:
    begin(ledger)
    old = work(ledger, "dvf")
    delete_run(ledger)
    again = later()
    again.create_run(a_run(manifest=MANIFEST), MANIFEST)

    assert not again.check(old, now=after(2))
    assert not again.release(old, an_attempt(), not_before=after(9))
    assert not again.accept(old, an_attempt(), until=after(9))


def test_what_an_earlier_run_left_unanswered_keeps_nobody_busy(
    ledger: FirestoreLedger, later: Connect
) -> None:
    begin(ledger, [*MANIFEST, entry("sirene")])
    delete_run(ledger)
    again = later()
    begin(again)

    assert again.busy(["dvf", "plu", "sirene"]) == {"dvf": RUN_ID, "plu": RUN_ID}


def test_a_relay_that_knew_the_earlier_run_works_on_the_new_one(
    ledger: FirestoreLedger, connect: Connect
) -> None:
    relay = connect()
    begin(ledger)
    work(relay, "dvf")
    relay.record(an_answer("dvf", writer="old"))
    relay.record(an_answer("plu", writer="old"))
    ledger.finalize_run(RUN_ID, a_closing())
    relay.run(RUN_ID)  # it knows the run as final
    delete_run(ledger)
    begin(ledger)

    assert work(relay, "dvf", at_s=2).fence == 1
    assert relay.record(an_answer("dvf", writer="new")).writer == "new"
    assert isinstance(ledger.claim(RUN_ID, "dvf", holder="x", now=after(3)), Answered)


def test_a_process_that_knew_the_earlier_run_replaces_no_answer_of_the_new_one(
    ledger: FirestoreLedger, connect: Connect
) -> None:
    slow = connect()
    begin(ledger)
    assert slow.manifest(RUN_ID)
    delete_run(ledger)
    begin(ledger)
    ledger.record(an_answer("dvf", writer="new"))

    assert slow.record(an_answer("dvf", writer="slow")).writer == "new"
    slow.keep_late(LateAnswer(an_answer("dvf", writer="slow"), after(9)))
    assert [late.answer.writer for late in ledger.lates(RUN_ID)] == ["slow"]


def test_a_sweep_that_knew_the_earlier_run_believes_none_of_its_answers(
    ledger: FirestoreLedger, connect: Connect
) -> None:
    sweeps = connect()
    begin(ledger)
    finish(ledger)
    assert len(sweeps.answers(RUN_ID)) == 2
    delete_run(ledger)
    begin(ledger)

    assert [run.run_id for run in sweeps.unannounced()] == [RUN_ID]
    assert sweeps.answers(RUN_ID) == []
    assert not sweeps.all_answered(RUN_ID, 2)


def test_late_evidence_of_the_earlier_run_makes_room_for_the_same_of_the_new_one(
    ledger: FirestoreLedger, later: Connect
) -> None:
    begin(ledger)
    ledger.keep_late(LateAnswer(an_answer("dvf", writer="late", records=1), after(9)))
    delete_run(ledger)
    again = later()
    begin(again)
    evidence = LateAnswer(an_answer("dvf", writer="late", records=2), after(19))
    again.keep_late(evidence)
    again.keep_late(LateAnswer(evidence.answer, after(29)))

    assert list(again.lates(RUN_ID)) == [evidence]
    run = again.cache.document(RUN_ID).get()
    assert len(run.get("evidence")) == 1
    assert run.get("unlisted")


def test_late_evidence_of_a_run_that_is_gone_is_of_an_unknown_run(
    ledger: FirestoreLedger, later: Connect
) -> None:
    begin(ledger)
    late = later()
    assert late.manifest(RUN_ID)
    delete_run(ledger)

    for _ in range(2):
        with pytest.raises(UnknownRun):
            late.keep_late(LateAnswer(an_answer("dvf"), after(9)))


def test_marks_of_full_buckets_do_not_count_for_the_next_run(
    ledger: FirestoreLedger, later: Connect
) -> None:
    begin(ledger, LARGE)
    finish(ledger, LARGE)
    assert below(ledger, "marks")
    delete_run(ledger)
    again = later()
    begin(again, LARGE)

    assert not again.all_answered(RUN_ID, len(LARGE))
    again.record(an_answer(LARGE[0].name))
    assert not again.all_answered(RUN_ID, len(LARGE))
    assert len(again.answers(RUN_ID)) == 1


def test_a_run_of_an_earlier_version_that_marked_nothing_is_counted_as_before(
    ledger: FirestoreLedger, connect: Connect
) -> None:
    begin(ledger)
    ledger.record(an_answer("dvf"))
    for reference in (
        ledger.cache.document(RUN_ID),
        *(ledger.cache.document(RUN_ID).collection("collectors").list_documents()),
        *(ledger.cache.document(RUN_ID).collection("answers").list_documents()),
    ):
        plain = reference.get().to_dict()
        del plain["run_writer"]
        reference.set(plain)
    newer = connect()

    assert [answer.collector for answer in newer.answers(RUN_ID)] == ["dvf"]
    assert not newer.all_answered(RUN_ID, 2)
    work(newer, "plu")
    newer.record(an_answer("plu"))
    assert newer.all_answered(RUN_ID, 2)


def test_a_run_whose_manifest_is_gone_says_so_and_can_still_be_shown_and_closed(
    ledger: FirestoreLedger, connect: Connect
) -> None:
    begin(ledger)
    for chunk in ledger.cache.document(RUN_ID).collection("manifest").list_documents():
        chunk.delete()
    expired = connect()

    run = expired.run(RUN_ID)
    assert run is not None
    assert [each.run_id for each in expired.unannounced()] == [RUN_ID]
    calls: list[Any] = [
        lambda: expired.manifest(RUN_ID),
        lambda: expired.answers(RUN_ID),
        lambda: expired.claim(RUN_ID, "dvf", holder="h", now=START),
        lambda: expired.record(an_answer("dvf")),
        lambda: expired.all_answered(RUN_ID, 2),
    ]
    for call in calls:
        with pytest.raises(RunExpired, match=rf"{RUN_ID}.* incomplete: a part of its manifest"):
            call()
    assert expired.finalize_run(RUN_ID, a_closing())
    expired.mark_announced(RUN_ID, revision=1, report="r", at=after(9))
    assert expired.unannounced() == []


def test_two_creations_at_once_are_still_one_run(ledger: FirestoreLedger, connect: Connect) -> None:
    begin(ledger)
    other = connect()

    assert other.create_run(a_run(manifest=MANIFEST), MANIFEST)  # the same writer: mine is mine
    other.create_jobs(RUN_ID, [a_job("dvf"), a_job("plu")])
    other.record(an_answer("dvf"))
    ledger.record(an_answer("plu"))
    assert ledger.all_answered(RUN_ID, 2)
    assert other.all_answered(RUN_ID, 2)
    job: Job = other.jobs(RUN_ID)[0]
    assert job.answered


def test_a_sweep_closes_a_run_that_expired_in_part_and_the_record_says_why(
    ledger: FirestoreLedger, connect: Connect
) -> None:
    begin(ledger)
    for chunk in ledger.cache.document(RUN_ID).collection("manifest").list_documents():
        chunk.delete()
    expired, carried = connect(), Pocket()
    clock = MovingClock(after(4000))
    finisher = Finisher(expired, carried, carried, draw, clock)

    swept = Sweeper(expired, carried, clock, finisher, writer="sweep").sweep()
    run = connect().run(RUN_ID)
    assert run is not None
    assert run.verdict is RunStatus.FAILED
    assert "a part of its manifest is gone" in run.about
    assert expired.unannounced() == []
    assert all("a bug" not in trouble for trouble in swept.trouble)
