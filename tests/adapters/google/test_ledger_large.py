"""Large runs on Firestore: manifests in chunks, answers in buckets, words too long to keep."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from tests.adapters.google.conftest import Connect, MakeClient
from tests.adapters.google.traffic import Counted, Tally
from tests.support import RUN_ID, START, a_job, a_run, after, an_answer, an_attempt, entry

from fanfold.adapters.google.ledger import FirestoreLedger, history
from fanfold.adapters.google.ledger.buckets import MAX_BUCKET, Buckets
from fanfold.domain.model.run import Failure, RunFigures
from fanfold.ports.ledger import DeadLetter

pytestmark = pytest.mark.emulator

NAMES = [f"collector-{number:04}" for number in range(600)]
MANIFEST = [entry(name) for name in NAMES]


def test_six_hundred_answers_are_counted_by_bucket(connect: Connect) -> None:
    ledgers = [connect() for _ in range(2)]
    ledgers[0].create_run(a_run(manifest=MANIFEST), MANIFEST)
    ledgers[0].create_jobs(RUN_ID, [a_job(name) for name in NAMES])
    ledgers[0].open_run(RUN_ID)

    def take(number: int) -> bool:
        ledger = ledgers[number % 2]
        ledger.record(an_answer(NAMES[number]))
        return ledger.all_answered(RUN_ID, len(NAMES))

    with ThreadPoolExecutor(32) as pool:
        assert not any(pool.map(take, range(len(NAMES) - 2)))
        assert any(pool.map(take, range(len(NAMES) - 2, len(NAMES))))
    assert connect().all_answered(RUN_ID, len(NAMES))
    marks = ledgers[0].cache.document(RUN_ID).collection("marks").get()
    assert sum(mark.get("answers") for mark in marks) == len(NAMES)
    assert [job.collector for job in ledgers[0].jobs(RUN_ID)] == NAMES


def test_buckets_that_another_process_did_not_count_are_found_full(connect: Connect) -> None:
    dies, sweeps = connect(), connect()
    dies.create_run(a_run(manifest=MANIFEST), MANIFEST)
    assert not sweeps.all_answered(RUN_ID, len(NAMES))
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(dies.record, [an_answer(name) for name in NAMES]))

    assert sweeps.all_answered(RUN_ID, len(NAMES))


def test_one_bucket_that_is_not_full_says_no(make_client: MakeClient) -> None:
    tally = Tally()
    client = make_client()
    Counted(client, tally)
    ledger = FirestoreLedger(client)
    ledger.create_run(a_run(manifest=MANIFEST), MANIFEST)
    ledger.record(an_answer(NAMES[0]))
    assert not ledger.all_answered(RUN_ID, len(NAMES))
    before = tally.copy()

    for name in NAMES[1:4]:
        ledger.record(an_answer(name))
        assert not ledger.all_answered(RUN_ID, len(NAMES))
    assert (tally - before).reads == 3


@pytest.mark.parametrize("count", [501, 1_000, 1_001, 20_000])
def test_no_bucket_is_larger_than_one_count(count: int) -> None:
    names = [f"c{number}" for number in range(count)]
    buckets = Buckets(names)

    assert sum(buckets.sizes.values()) == count
    assert max(buckets.sizes.values()) <= MAX_BUCKET
    assert len(buckets.sizes) <= 2 + count // 250
    assert {buckets.of(name) for name in names} == set(buckets.sizes)
    assert Buckets(names[:MAX_BUCKET]).of("c1") is None


def test_a_manifest_larger_than_one_commit_is_there_as_soon_as_its_run(connect: Connect) -> None:
    large = [entry(f"c{number:03}", params={"text": "é" * 10_000}) for number in range(120)]
    first, second = connect(), connect()

    assert first.create_run(a_run(manifest=large), large)
    assert list(second.manifest(RUN_ID)) == large
    assert not second.create_run(a_run(writer="w2", manifest=large[:80]), large[:80])
    assert list(connect().manifest(RUN_ID)) == large


def test_jobs_are_created_in_as_many_commits_as_they_need(connect: Connect) -> None:
    manifest = [entry(f"c{number:04}") for number in range(1_001)]
    ledger = connect()
    ledger.create_run(a_run(manifest=manifest), manifest)
    assert ledger.claim(RUN_ID, "c0700", holder="h", now=after(1))
    ledger.create_jobs(RUN_ID, [a_job(each.name) for each in manifest])

    jobs = {job.collector: job for job in connect().jobs(RUN_ID)}
    assert len(jobs) == 1_001
    assert jobs["c0700"].lease is not None


def test_what_is_too_large_for_a_document_is_cut_with_its_size_named(connect: Connect) -> None:
    ledger = connect()
    ledger.create_run(a_run(manifest=[entry("dvf")]), [entry("dvf")])
    loud = Failure("http", "x" * 3_000_000)
    stored = ledger.record(
        an_answer(
            "dvf",
            error=loud,
            metrics={"big": "é" * 900_000},
            artifacts=tuple(f"gs://b/{'y' * 900}/{number}" for number in range(1_000)),
            warnings=("w" * 200_000,),
            attempts=tuple(an_attempt(number, "retry", error=loud) for number in range(1, 200)),
        )
    )

    assert stored.error is not None
    assert stored.error.message.endswith("… (cut: 20000 of 3000000 bytes)")
    assert stored.metrics == {}
    assert any("metrics of 5400011 bytes left out" in warning for warning in stored.warnings)
    assert any(warning.startswith("artifacts: ") for warning in stored.warnings)
    assert [attempt.number for attempt in stored.attempts] == list(range(1, 200))
    assert connect().answer(RUN_ID, "dvf") == stored


@pytest.mark.parametrize(
    "metrics",
    [
        {"nested": [[1, 2], [3]]},
        {"": 1, "__x__": 2},
        {"huge": 2**70},
        {"lone": "\ud800"},
        {"deep": {str(n): {"a": {"b": {"c": [{"d": None}]}}} for n in range(3)}},
        {"queued_seconds": 3, "queued_s": 4},
        {"dotted.name": {"a/b": 1}},
    ],
)
def test_metrics_that_firestore_cannot_hold_come_back_all_the_same(
    connect: Connect, metrics: dict[str, object]
) -> None:
    ledger = connect()
    ledger.create_run(a_run(manifest=[entry("dvf")]), [entry("dvf")])
    answer = an_answer("dvf", metrics=metrics)

    assert ledger.record(answer) == answer
    assert connect().answer(RUN_ID, "dvf") == answer


def test_the_memory_of_many_collectors_spreads_over_documents(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MAX_PART", 15)
    ledger = connect()
    for night in range(3):
        figures = [RunFigures(name, "s", after(night), records=night) for name in NAMES[:40]]
        ledger.remember(f"r{night}", figures)
        ledger.remember(f"only-{night}", figures[:20])

    histories = connect().histories(NAMES)
    assert {name: past.outcomes for name, past in histories.items()} == {
        name: "s" * (6 if name in NAMES[:20] else 3) for name in NAMES[:40]
    }
    state = ledger.store.collection("fanfold_state")
    assert len(state.document("latest.3").get().get("collectors")) == 10


def test_a_letter_too_large_is_cut_with_its_size_named(connect: Connect) -> None:
    ledger = connect()
    letter = DeadLetter("a/b", "jobs", "unreadable", b"\xff" * 2_000_000, {"": "x"}, START)
    ledger.park(letter)

    kept = ledger.dead_letters(1)[0]
    assert kept == replace(
        letter,
        data=b"\xff" * 600_000,
        reason="unreadable (message cut: 600000 of 2000000 bytes kept)",
    )
