"""What a person sees in the Firestore console: names, types and sentences of every document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from typing import Any

import pytest
from google.cloud.firestore_v1.base_query import BaseQuery
from tests.adapters.google.conftest import Connect, MakeClient
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
from fanfold.domain.model.run import Failure, LateAnswer, RunFigures
from fanfold.domain.model.states import Outcome
from fanfold.domain.protocol.contract import Progress
from fanfold.domain.rules.claim import Granted
from fanfold.ports.ledger import DeadLetter

pytestmark = pytest.mark.emulator

MANIFEST = [entry("dvf"), entry("plu"), entry("sirene"), entry("insee", skip="disabled")]

RUN_FIELDS = [
    "about",
    "announced_at",
    "asked",
    "collectors",
    "config_version",
    "deadline",
    "dispatched_at",
    "duration_seconds",
    "end_time",
    "expires_at",
    "jobs_made",
    "manifest",
    "phase",
    "report",
    "report_to",
    "retry_of",
    "revision",
    "run_id",
    "run_writer",
    "scheduled_for",
    "start_time",
    "status",
    "summary",
    "timezone",
    "tolerated_failures",
    "total",
    "trace_id",
    "trigger",
    "verdict",
    "writer",
]

JOB_FIELDS = [
    "about",
    "accepted_until",
    "answered",
    "attempts",
    "collector",
    "deadline",
    "end_time",
    "error",
    "expires_at",
    "fence",
    "lease",
    "not_before",
    "outcome",
    "progress",
    "published_at",
    "records",
    "run_id",
    "run_writer",
    "start_time",
    "started",
]

ANSWER_FIELDS = [
    "about",
    "artifacts",
    "attempts",
    "bucket",
    "bytes",
    "collector",
    "data_until",
    "duration_seconds",
    "end_time",
    "error",
    "expectations",
    "expires_at",
    "log",
    "metrics",
    "outcome",
    "queued_seconds",
    "records",
    "revision",
    "run_id",
    "run_writer",
    "schema",
    "start_time",
    "unchanged",
    "warnings",
    "writer",
]


@pytest.fixture
def ledger(make_client: MakeClient) -> FirestoreLedger:
    """Return a ledger that shows what it learns at once."""
    return FirestoreLedger(make_client(), project_every_s=0)


def begin(ledger: FirestoreLedger) -> None:
    ledger.create_run(a_run(manifest=MANIFEST), MANIFEST)
    ledger.create_jobs(RUN_ID, [a_job(name) for name in ("dvf", "plu", "sirene")])
    ledger.open_run(RUN_ID)
    ledger.mark_dispatched(RUN_ID, after(1))


def shown(ledger: FirestoreLedger, *path: str) -> Mapping[str, Any]:
    document = ledger.cache.document(RUN_ID)
    if path:
        document = document.collection(path[0]).document(path[1])
    found: Mapping[str, Any] = document.get().to_dict()
    return found


def grant(ledger: FirestoreLedger, name: str) -> Granted:
    claimed = ledger.claim(RUN_ID, name, holder="relay-1", now=after(2))
    assert isinstance(claimed, Granted)
    return claimed


def test_a_run_under_way(ledger: FirestoreLedger) -> None:
    begin(ledger)
    assert shown(ledger)["about"] == "0 of 3 done"
    grant(ledger, "dvf")
    failed = Failure("http", "HTTP 503 from plu", retryable=True)
    attempt = an_attempt(outcome="retry", error=failed)
    ledger.release(grant(ledger, "plu").lease, attempt, not_before=after(60))
    ledger.record(an_answer("sirene", start_time=after(0), records=31_874))
    assert not ledger.all_answered(RUN_ID, 3)

    run = shown(ledger)
    assert sorted(run) == RUN_FIELDS
    assert run["about"] == "1 of 3 done"
    assert run["collectors"] == {
        "dvf": "… attempt 1 since 02:15:02 UTC",
        "insee": "\u2013 disabled",
        "plu": "· attempt 1 failed (HTTP 503 from plu); the next from 02:16:00 UTC",
        "sirene": "✓ 31\u202f874 records · 2s",
    }
    assert (run["status"], run["phase"]) == ("running", "open")
    for name in ("deadline", "expires_at", "scheduled_for", "start_time"):
        assert isinstance(run[name], datetime)


def test_a_run_at_its_end(ledger: FirestoreLedger) -> None:
    begin(ledger)
    error = Failure("http", "HTTP 503")
    ledger.record(an_answer("dvf"))
    ledger.record(an_answer("plu", outcome=Outcome.FAILED, error=error, records=None))
    ledger.record(an_answer("sirene"))
    ledger.finalize_run(RUN_ID, a_closing(about="2 of 3 succeeded: plu failed (HTTP 503)"))
    ledger.mark_announced(RUN_ID, revision=1, report="gs://b/r.html", at=after(9))

    run = shown(ledger)
    assert sorted(run) == sorted([*RUN_FIELDS, "finalized_by"])
    assert run["about"] == "2 of 3 succeeded: plu failed (HTTP 503)"
    assert (run["status"], run["duration_seconds"]) == ("succeeded", 9.0)
    assert (run["report"], run["summary"]) == ("gs://b/r.html", {"total": 2})
    assert run["collectors"]["plu"] == "✗ HTTP 503"


def test_a_line_of_a_final_run_is_not_changed_any_more(
    ledger: FirestoreLedger, connect: Connect
) -> None:
    begin(ledger)
    for name in ("dvf", "plu", "sirene"):
        ledger.record(an_answer(name))
    ledger.finalize_run(RUN_ID, a_closing())
    before = shown(ledger)
    behind = connect()
    behind.jobs(RUN_ID)
    behind.answer(RUN_ID, "dvf")
    behind.project(RUN_ID)
    assert shown(ledger) == before


def test_lines_are_written_at_a_bounded_rate(make_client: MakeClient) -> None:
    ledger = FirestoreLedger(make_client(), project_every_s=3600)
    begin(ledger)
    ledger.record(an_answer("dvf"))
    ledger.all_answered(RUN_ID, 3)
    ledger.record(an_answer("plu"))
    ledger.all_answered(RUN_ID, 3)
    assert shown(ledger)["collectors"]["dvf"] == "✓ 10 records"
    assert shown(ledger)["collectors"]["plu"] == "· pending"


def test_a_job_and_its_answer(ledger: FirestoreLedger) -> None:
    begin(ledger)
    lease = grant(ledger, "dvf").lease
    ledger.note_progress(RUN_ID, "dvf", Progress(0.5, "half"), after(3))

    job = shown(ledger, "collectors", "dvf")
    assert sorted(job) == JOB_FIELDS
    assert job["about"] == "… attempt 1 since 02:15:02 UTC"
    assert sorted(job["lease"]) == ["attempt", "fence", "holder", "taken_at", "token", "until"]
    assert job["lease"]["until"] == lease.until
    assert job["progress"] == {"at": after(3), "fraction": 0.5, "message": "half"}

    error = Failure("http", "HTTP 503", retryable=False)
    attempts = (an_attempt(outcome="failed", error=error),)
    ledger.record(an_answer("dvf", outcome=Outcome.FAILED, error=error, attempts=attempts))
    job = shown(ledger, "collectors", "dvf")
    assert sorted(job) == JOB_FIELDS
    assert (job["outcome"], job["lease"], len(job["attempts"])) == ("failed", None, 1)
    assert job["error"] == {"kind": "http", "message": "HTTP 503", "retryable": False}
    answer = shown(ledger, "answers", "dvf")
    assert sorted(answer) == ANSWER_FIELDS
    assert answer["about"] == job["about"]
    assert answer["expires_at"] == job["expires_at"] == after(86_400)


def test_late_evidence_letters_and_memory(ledger: FirestoreLedger) -> None:
    begin(ledger)
    ledger.keep_late(LateAnswer(an_answer("dvf", writer="w"), after(9)))
    ledger.park(DeadLetter("m1", "jobs", "unreadable", b"{", {"ce-id": "x"}, START))
    ledger.remember("r1", [RunFigures("dvf", "s", after(9), 10, 3.5, "2026")])

    late = next(iter(ledger.cache.document(RUN_ID).collection("late").get()))
    assert late.id.startswith("dvf.")
    assert set(late.to_dict()) == set(ANSWER_FIELDS) - {"bucket"} | {"received_at"}
    letter = ledger.store.collection("fanfold_dead_letters").document("m1").get().to_dict()
    assert letter["about"] == "jobs: unreadable"
    assert (letter["data_text"], letter["data_bytes"]) == ("{", 1)
    state = ledger.store.collection("fanfold_state")
    line = "s · last success 2026-11-23 02:15 UTC · 10 records · median 3.5s"
    assert state.document("latest").get().get("collectors") == {"dvf": line}
    assert state.document("dvf").get().to_dict() == {
        "about": line,
        "collector": "dvf",
        "last_end_time": after(9),
        "last_run_id": "r1",
        "last_success": after(9),
        "median_seconds": 3.5,
        "outcomes": "s",
        "records": [10],
        "revision": "2026",
    }


def test_a_prefix_names_an_environment(make_client: MakeClient) -> None:
    staging = FirestoreLedger(make_client(), "staging-")
    staging.create_run(a_run(), [])

    assert FirestoreLedger(make_client()).recent_runs(10) == []
    found = make_client().collection("staging-fanfold_runs").document(RUN_ID).get()
    assert found.exists


@pytest.mark.parametrize("run_id", ["a/b/c", "..", "", "__x__", "x" * 200, "latest"])
def test_an_id_that_is_no_id_is_nobodys_path(ledger: FirestoreLedger, run_id: str) -> None:
    assert ledger.run(run_id) is None
    assert ledger.answer(run_id, "dvf") is None
    assert list(ledger.jobs(run_id)) == []
    assert ledger.snapshot(run_id, "a/b").run is None
    with pytest.raises(ValueError, match="no run id"):
        ledger.create_run(a_run(run_id), [])


def test_no_query_takes_an_index_that_firestore_does_not_make_itself(
    ledger: FirestoreLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    original = BaseQuery._to_protobuf

    def recorded(query: Any) -> Any:
        asked.append(made := original(query))
        return made

    monkeypatch.setattr(BaseQuery, "_to_protobuf", recorded)
    many = [entry(f"c{number:03}") for number in range(501)]
    ledger.create_run(a_run(manifest=many), many)
    ledger.record(an_answer("c000"))
    ledger.all_answered(RUN_ID, 501)
    ledger.busy(["c000"])
    ledger.unannounced()
    ledger.recent_runs(1)
    ledger.find_runs("20", 1)
    ledger.oldest_run_start()
    ledger.jobs(RUN_ID)
    ledger.answers(RUN_ID)
    ledger.lates(RUN_ID)
    ledger.dead_letters(1)

    assert len(asked) >= 10
    for query in asked:
        # Conditions of equality on several fields are answered from each field's own index.
        fields = fields_of(query) - {"__name__"}
        assert len(fields) <= 1 or (fields == {"bucket", "run_writer"} and not query.order_by)
        assert not any(each.all_descendants for each in query.from_)


def test_what_is_queried_is_indexed() -> None:
    text = (
        files("fanfold.adapters.google.ledger")
        .joinpath("firestore_indexes.json")
        .read_text("utf-8")
    )
    indexes = json.loads(text)
    exempt = {(each["collectionGroup"], each["fieldPath"]) for each in indexes["fieldOverrides"]}

    assert indexes["indexes"] == []
    queried = {
        "announced_at",
        "start_time",
        "run_id",
        "phase",
        "answered",
        "bucket",
        "received_at",
        "run_writer",
    }
    assert not queried & {field for _, field in exempt}


def fields_of(query: Any) -> set[str]:
    """Return the fields that *query* compares and sorts by."""
    fields = {order.field.field_path for order in query.order_by}
    where = query.where
    filters = list(where.composite_filter.filters) or [where]
    for each in filters:
        fields |= {each.field_filter.field.field_path, each.unary_filter.field.field_path} - {""}
    return fields
