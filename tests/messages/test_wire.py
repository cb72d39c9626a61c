"""Messages to bytes and back; the bytes of each version are pinned in golden/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import RUN_ID, START, a_run, after, an_answer, an_attempt

from fanfold.domain.model.errors import BadMessage
from fanfold.domain.model.request import RunRequest
from fanfold.domain.model.run import Answer, CheckedExpectation, Failure
from fanfold.domain.model.states import Outcome, RunStatus
from fanfold.messages import events, records, run_request
from fanfold.ports.bus import Message

GOLDEN = Path(__file__).parent / "golden"
TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"

ANSWER = an_answer(
    "dvf",
    start_time=after(1.25),
    queued_s=1.25,
    bytes=2048,
    artifacts=("gs://bucket/dvf.csv",),
    revision="2026-10-14",
    warnings=("one département is late",),
    metrics={"pages": 3},
    expectations=(CheckedExpectation("min_records", 1, 10, ok=True, severity="fail"),),
    attempts=(
        an_attempt(1, "retry", http_status=503, error=Failure("http", "HTTP 503", retryable=True)),
        an_attempt(2),
    ),
)
#: What a reader learns of our own result event.
OURS = events.ResultMessage(RUN_ID, "dvf", writer=ANSWER.writer)
REPORT = {
    "run_id": RUN_ID,
    "revision": 1,
    "status": "succeeded",
    "about": "2 of 2 succeeded",
    "summary": {"total": 2, "succeeded": 2},
    "start_time": "2026-11-23T02:15:00.000Z",
    "end_time": "2026-11-23T02:16:00.000Z",
    "collectors": {"left": "out"},
}
REQUEST = RunRequest(
    collectors=("dvf", "plu"),
    tags=("a",),
    exclude=("old",),
    params={"dvf": {"years": [2024]}},
    due=True,
    force=True,
    run_id="r1",
    schedule="nightly",
    cron="15 3 * * *",
    reason="a look",
    dry_run=True,
    retry_of="r0",
    traceparent=TRACEPARENT,
)

MESSAGES = {
    "run-requested.v1": run_request.encode_run_request(REQUEST),
    "run-requested-everything.v1": run_request.encode_run_request(RunRequest()),
    "collector-job.v1": events.encode_job(RUN_ID, "dvf", trace_id=TRACE, at=START),
    "collector-result.v1": events.encode_result(ANSWER, trace_id=TRACE),
    "collector-result-late.v1": events.encode_late_result(ANSWER),
    "sweep-tick.v1": events.encode_tick(at=START),
    "run-finished.v1": events.encode_finished(REPORT, "reports/r1/report.html", at=after(60)),
    "run-started.v1": events.encode_started(a_run(trace_id=TRACE), at=after(1)),
    "run-missed-together.v1": events.encode_notice(
        a_run(
            f"{RUN_ID}-missed",
            trace_id="",
            verdict=RunStatus.MISSED,
            about="missed: no run came",
        ),
        at=after(2700),
        together=[START, after(-86_400)],
    ),
    "proof-of-life.v1": events.encode_proof_of_life(after(-7 * 86_400), START),
}


def golden(name: str) -> Message:
    document = json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))
    return Message(document["data"].encode(), document["attributes"])


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_written_byte_for_byte_as_pinned(name: str) -> None:
    assert MESSAGES[name] == golden(name)


def test_every_pinned_message_is_still_written() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(MESSAGES)


def test_pinned_messages_are_read() -> None:
    job = events.decode_job(golden("collector-job.v1"))
    assert (job.run_id, job.collector) == (RUN_ID, "dvf")
    assert job.traceparent is not None
    assert job.traceparent[3:35] == TRACE
    for name in ("collector-result.v1", "collector-result-late.v1"):
        assert events.decode_result(golden(name)) == OURS
    assert run_request.decode_run_request(golden("run-requested.v1")) == REQUEST
    everything = golden("run-requested-everything.v1")
    assert run_request.decode_run_request(everything) == RunRequest()


@pytest.mark.parametrize("name", MESSAGES)
def test_attributes_are_what_pubsub_takes(name: str) -> None:
    attributes = MESSAGES[name].attributes
    assert len(attributes) <= 100
    for key, value in attributes.items():
        assert 1 <= len(key.encode()) <= 256
        assert len(value.encode()) <= 1024


def test_an_event_id_is_made_of_business_ids_alone() -> None:
    again = events.encode_job(RUN_ID, "dvf", trace_id=TRACE, at=after(900))
    assert again.attributes["ce-id"] == MESSAGES["collector-job.v1"].attributes["ce-id"]
    assert MESSAGES["run-finished.v1"].attributes["ce-id"] == f"{RUN_ID}/1"


def test_the_finished_event_of_a_retry_says_which_run_it_tries_again() -> None:
    retry = {**REPORT, "run_id": f"{RUN_ID}-try2", "retry_of": RUN_ID}
    finished = events.encode_finished(retry, "reports/r1-try2/report.html", at=after(60))
    assert json.loads(finished.data)["retry_of"] == RUN_ID
    assert finished.attributes["ce-id"] == f"{RUN_ID}-try2/1"
    assert "retry_of" not in json.loads(MESSAGES["run-finished.v1"].data)


def test_late_evidence_has_an_event_of_its_own() -> None:
    ids = {
        events.encode_result(ANSWER).attributes["ce-id"],
        events.encode_late_result(ANSWER).attributes["ce-id"],
        events.encode_late_result(an_answer("dvf", writer="else")).attributes["ce-id"],
    }
    assert len(ids) == 3


def test_a_trace_of_the_pubsub_client_is_seen_too() -> None:
    assert (
        events.traceparent_in(Message(b"", {"googclient_traceparent": TRACEPARENT})) == TRACEPARENT
    )
    assert events.traceparent_in(Message(b"", {"traceparent": "00-x"})) is None


def test_who_publishes_by_hand_may_say_it_in_attributes() -> None:
    job = events.decode_job(Message(b"", {"run_id": "r1", "collector": "dvf"}))
    assert (job.run_id, job.collector) == ("r1", "dvf")


def test_a_collector_may_publish_its_own_words() -> None:
    in_the_data = Message(b'{"run_id": "r1", "collector": "dvf", "records": 3, "token": "t"}')
    in_attributes = Message(b'{"records": 3}', {"run_id": "r1", "collector": "dvf", "token": "t"})

    for message in (in_the_data, in_attributes):
        assert events.decode_result(message) == events.ResultMessage(
            "r1", "dvf", token="t", body={"records": 3}
        )


def test_words_without_a_token_that_is_a_text_are_still_somebodys_words() -> None:
    for token in (b"", b', "token": null', b', "token": 5', b', "token": ["t"]'):
        message = Message(b'{"run_id": "r1", "collector": "dvf", "records": 3' + token + b"}")

        assert events.decode_result(message) == events.ResultMessage(
            "r1", "dvf", token="", body={"records": 3}
        )


def test_a_token_makes_a_message_the_collectors_own_whatever_else_it_says() -> None:
    forged = json.loads(MESSAGES["collector-result.v1"].data) | {"token": "t"}
    result = events.decode_result(Message(records.json_bytes(forged)))

    assert (result.writer, result.token) == (None, "t")
    assert result.body is not None


def test_ids_alone_ask_to_look_at_the_ledger() -> None:
    message = Message(b'{"run_id": "r1", "collector": "dvf"}')
    assert events.decode_result(message) == events.ResultMessage("r1", "dvf")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"", "run_id: missing", id="nothing"),
        pytest.param(b"[]", "a JSON list, not an object", id="a list"),
        pytest.param(b"{", "not JSON", id="half an object"),
        pytest.param(b'{"run_id": "r1"}', "collector: missing", id="no collector"),
        pytest.param(b'{"run_id": "../r", "collector": "d"}', "run_id: '../r' is none", id="path"),
        pytest.param(b'{"run_id": 1, "collector": "d"}', "run_id: 1 is none", id="a number"),
        pytest.param(
            b'{"run_id": "r1", "collector": "dvf", "answer": {}}', "no writer", id="no answer"
        ),
    ],
)
def test_what_nobody_can_read_is_a_bad_message(data: bytes, why: str) -> None:
    with pytest.raises(BadMessage, match=why):
        events.decode_result(Message(data))


def test_an_answer_under_anothers_name_is_a_bad_message() -> None:
    forged = json.loads(MESSAGES["collector-result.v1"].data) | {"collector": "plu"}
    with pytest.raises(BadMessage, match="belongs to another"):
        events.decode_result(Message(records.json_bytes(forged)))


@given(st.binary() | st.text().map(str.encode), st.dictionaries(st.text(), st.text(), max_size=3))
def test_any_message_is_read_or_bad(data: bytes, attributes: dict[str, str]) -> None:
    message = Message(data, attributes)
    for decode in (events.decode_job, events.decode_result):
        try:
            decode(message)
        except BadMessage:
            continue


SHORT = st.text(max_size=30)
ANSWERS = st.builds(
    an_answer,
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True).filter(
        lambda t: t != "latest"
    ),
    writer=SHORT,
    outcome=st.sampled_from(Outcome),
    records=st.none() | st.integers(0, 10**15),
    revision=st.none() | SHORT,
    warnings=st.lists(SHORT, max_size=3).map(tuple),
    metrics=st.dictionaries(SHORT, st.integers() | SHORT | st.none(), max_size=3),
    error=st.none() | st.builds(Failure, SHORT, SHORT, st.booleans()),
)


@given(ANSWERS)
def test_any_answer_travels_unchanged(answer: Any) -> None:
    ours = events.ResultMessage(answer.run_id, answer.collector, writer=answer.writer)
    for encode in (events.encode_result, events.encode_late_result):
        assert events.decode_result(encode(answer)) == ours
        assert records.load(Answer, json.loads(encode(answer).data)["answer"]) == answer
