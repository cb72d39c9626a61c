"""Values at the edge of what Firestore stores: each is stored, or refused for good, or left out."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.adapters.google.conftest import Connect, MakeClient
from tests.adapters.google.traffic import Counted, Tally
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

from fanfold.adapters.google.ledger import FirestoreLedger
from fanfold.domain.model.errors import Unacceptable
from fanfold.domain.model.run import CheckedExpectation, Failure, LateAnswer, RunFigures, Trigger
from fanfold.domain.model.states import Outcome
from fanfold.domain.protocol.contract import Progress
from fanfold.domain.rules.claim import Granted
from fanfold.domain.syntax.limits import MAX_NUMBER, MAX_STORED
from fanfold.ports.ledger import DeadLetter

pytestmark = pytest.mark.emulator

#: A text that is no UTF-8, with the characters that trip readers.
ODD = "a\ud800\x00\x1b[31m\u202e\ufeffé"

#: The same, as every store can hold it.
ODD_STORED = "a\\ud800\x00\x1b[31m\u202e\ufeffé"


def begin(ledger: FirestoreLedger, **changes: Any) -> None:
    manifest = [entry("dvf"), entry("plu")]
    ledger.create_run(a_run(manifest=manifest, **changes), manifest)
    ledger.create_jobs(RUN_ID, [a_job("dvf"), a_job("plu")])
    ledger.open_run(RUN_ID)


@pytest.mark.parametrize("count", [0, MAX_NUMBER, 2**53 + 1, MAX_STORED, -(2**63)])
def test_a_count_of_64_bits_comes_back(connect: Connect, count: int) -> None:
    ledger = connect()
    begin(ledger)
    answer = an_answer("dvf", records=count, bytes=count)

    assert ledger.record(answer) == answer
    assert connect().answer(RUN_ID, "dvf") == answer


@pytest.mark.parametrize("count", [MAX_STORED + 1, 10**400, -(2**63) - 1])
def test_a_longer_count_is_left_out_and_said(connect: Connect, count: int) -> None:
    ledger = connect()
    begin(ledger)
    stored = ledger.record(an_answer("dvf", records=count, bytes=count))

    digits = len(str(abs(count)))
    assert (stored.records, stored.bytes) == (None, None)
    assert stored.warnings == (
        f"records left out: a number of {digits} digits",
        f"bytes left out: a number of {digits} digits",
    )
    assert connect().answer(RUN_ID, "dvf") == stored


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), 5e-324, 1.8e308 / 10, -0.0])
def test_every_double_comes_back(connect: Connect, number: float) -> None:
    ledger = connect()
    begin(ledger)
    checked = CheckedExpectation("max_records", number, number, ok=True, severity="warn")
    answer = an_answer("dvf", metrics={"m": number}, expectations=(checked,))

    assert ledger.record(answer) == answer
    assert connect().answer(RUN_ID, "dvf") == answer


def test_an_expectation_holds_what_its_author_wrote(connect: Connect) -> None:
    ledger = connect()
    begin(ledger)
    checked = (
        CheckedExpectation("not_exactly", [[1], {"a": [2**80]}], 2**80, ok=True, severity="warn"),
        CheckedExpectation("max_age", ODD, None, ok=True, severity="fail"),
    )
    stored = ledger.record(an_answer("dvf", expectations=checked))

    assert [each.name for each in stored.expectations] == ["not_exactly", "max_age"]
    assert connect().answer(RUN_ID, "dvf") == stored


@pytest.mark.parametrize("at", [datetime.min, datetime.max, datetime(1969, 7, 20)])  # noqa: DTZ901 - the zone follows
def test_every_instant_comes_back(connect: Connect, at: datetime) -> None:
    instant = at.replace(tzinfo=UTC)
    ledger = connect()
    begin(ledger)
    answer = an_answer("dvf", start_time=instant, end_time=instant)

    ledger.record(answer)
    assert connect().answer(RUN_ID, "dvf") == answer


def test_no_text_is_too_odd(connect: Connect) -> None:
    ledger = connect()
    begin(ledger, trigger=Trigger("ad_hoc", by=ODD, reason=ODD, message_id=ODD), report_to=ODD)
    claimed = ledger.claim(RUN_ID, "plu", holder=ODD, now=after(1))
    assert isinstance(claimed, Granted)
    odd = Failure(ODD, ODD, retryable=True)
    ledger.note_progress(RUN_ID, "plu", Progress(fraction=0.5, message=ODD), after(2))
    assert ledger.release(claimed.lease, an_attempt(error=odd), not_before=after(3))
    ledger.record(
        an_answer(
            "dvf",
            outcome=Outcome.FAILED,
            writer=ODD,
            error=odd,
            revision=ODD,
            warnings=(ODD,),
            artifacts=(ODD,),
            metrics={ODD: ODD},
            attempts=(an_attempt(error=odd),),
        )
    )
    ledger.keep_late(LateAnswer(an_answer("dvf", writer=ODD, error=odd), after(9)))
    ledger.remember(RUN_ID, [RunFigures("dvf", "s", after(9), revision=ODD)])
    ledger.park(DeadLetter(ODD, ODD, ODD, b"\xff", {ODD: ODD}, START))
    ledger.finalize_run(RUN_ID, a_closing(about=ODD))
    ledger.mark_announced(RUN_ID, revision=1, report=ODD, at=after(9))

    seen = connect()
    run = seen.run(RUN_ID)
    assert run is not None
    assert (run.about, run.report, run.trigger.reason) == (ODD_STORED,) * 3
    assert seen.jobs(RUN_ID)[1].progress is not None
    stored = seen.answer(RUN_ID, "dvf")
    assert stored is not None
    assert (stored.error, stored.revision) == (
        Failure(ODD_STORED, ODD_STORED, retryable=True),
        ODD_STORED,
    )
    assert stored.metrics == {ODD: ODD}
    assert [late.answer.writer for late in seen.lates(RUN_ID)] == [ODD_STORED]
    assert seen.histories(["dvf"])["dvf"].revision == ODD
    assert [letter.reason for letter in seen.dead_letters(5)] == [ODD_STORED]


@pytest.mark.parametrize("total", [MAX_STORED, MAX_STORED + 1, 10**40])
def test_a_run_ends_whatever_its_sums_are(connect: Connect, total: int) -> None:
    ledger = connect()
    begin(ledger)
    summary = {"total": 2, "records": total, "deep": {"a": [[1, [2]]]}}

    assert ledger.finalize_run(RUN_ID, a_closing(summary=summary))
    run = connect().run(RUN_ID)
    assert run is not None
    assert run.summary == summary
    assert [each.summary for each in connect().recent_runs(1)] == [summary]


def test_the_memory_of_a_collector_holds_any_figures(connect: Connect) -> None:
    ledger = connect()
    for number, (records, seconds) in enumerate([(10**40, 1e11), (-(2**70), 5e-324), (None, 0.0)]):
        ledger.remember(
            f"r{number}",
            [RunFigures("dvf", "s", after(number), records=records, seconds=seconds)],
        )

    past = connect().histories(["dvf"])["dvf"]
    assert past.records == (10**40, -(2**70))
    assert past.seconds == (1e11, 5e-324, 0.0)


def test_a_collector_whose_settings_are_larger_than_a_document_is_refused_for_good(
    make_client: MakeClient,
) -> None:
    tally = Tally()
    client = make_client()
    Counted(client, tally)
    ledger = FirestoreLedger(client)
    manifest = [entry("dvf"), entry("plu", params={"areas": "x" * 1_100_000})]
    begun = time.monotonic()

    with pytest.raises(Unacceptable, match=r"plu: .* 1,100,\d+ bytes"):
        ledger.create_run(a_run(manifest=manifest), manifest)
    assert (tally.writes, tally.refused) == (0, 0)
    assert time.monotonic() - begun < 2
    assert ledger.run(RUN_ID) is None


def test_settings_just_below_a_document_are_stored(connect: Connect) -> None:
    manifest = [entry(name, params={"areas": "x" * 990_000}) for name in ("a", "b", "c", "d", "e")]
    ledger = connect()

    assert ledger.create_run(a_run(manifest=manifest), manifest)
    assert list(connect().manifest(RUN_ID)) == manifest


@pytest.mark.parametrize(
    ("size_bytes", "why"), [(1_100_000, "InvalidArgument"), (5_000_000, "ResourceExhausted")]
)
def test_a_document_that_firestore_never_takes_is_tried_once(
    make_client: MakeClient, size_bytes: int, why: str
) -> None:
    tally = Tally()
    client = make_client()
    Counted(client, tally)
    store = FirestoreLedger(client).store
    batch = store.batch()
    batch.create(store.collection("c").document("d"), {"text": "x" * size_bytes})

    with pytest.raises(Unacceptable, match=why):
        store.commit(batch)
    assert tally.refused == 1
