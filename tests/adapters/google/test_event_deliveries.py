"""CloudEvents at the functions, and the SDK of CloudEvents against our own reader and writer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cloudevents.conversion import to_binary, to_structured
from cloudevents.http import CloudEvent, from_http
from hypothesis import given
from hypothesis import strategies as st
from tests.messages.test_wire import MESSAGES, OURS, TRACE
from tests.support import RUN_ID, START, after

from fanfold.adapters.google.bus.deliveries import EVENTARC_TYPE, STRUCTURED, decode
from fanfold.domain.model.errors import BadMessage
from fanfold.messages import events
from fanfold.ports.bus import Delivery, Message

#: Our events by their names; a run request is written by people and needs no id or source.
EVENTS = {name: each for name, each in MESSAGES.items() if "ce-id" in each.attributes}


def sdk_event(message: Message) -> CloudEvent:
    """Return *message* as the SDK reads it in binary mode."""
    return from_http(dict(message.attributes), message.data)


def structured(**changes: Any) -> bytes:
    event = {"specversion": "1.0", "id": "7", "source": "//x", "type": "t", "data": {"a": 1}}
    document = {key: value for key, value in (event | changes).items() if value is not ...}
    return json.dumps(document).encode()


def read(body: bytes, **headers: str) -> Delivery:
    return decode({"Content-Type": STRUCTURED} | headers, body, now=after(9))


def test_there_is_an_event_of_each_kind() -> None:
    assert {each.attributes["ce-type"] for each in EVENTS.values()} == {
        events.COLLECTOR_JOB,
        events.COLLECTOR_RESULT,
        events.SWEEP_TICK,
        events.RUN_STARTED,
        events.RUN_FINISHED,
        events.RUN_MISSED,
        events.PROOF_OF_LIFE,
    }


@pytest.mark.parametrize("name", EVENTS)
def test_the_sdk_reads_our_event(name: str) -> None:
    ours = EVENTS[name]

    event = sdk_event(ours)

    assert {f"ce-{key}": event[key] for key in event if f"ce-{key}" in ours.attributes} == {
        key: text for key, text in ours.attributes.items() if key.startswith("ce-")
    }
    assert event["datacontenttype"] == "application/json"
    assert event.get_data() == json.loads(ours.data)


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_we_read_the_event_that_the_sdk_writes(name: str, mode: str) -> None:
    ours = EVENTS[name]
    headers, body = (to_binary if mode == "binary" else to_structured)(sdk_event(ours))

    delivery = decode(headers, body, now=after(9))

    assert json.loads(delivery.message.data) == json.loads(ours.data)
    expected = {key: text for key, text in ours.attributes.items() if key != "traceparent"}
    assert delivery.message.attributes == expected
    assert delivery.message_id == ours.attributes["ce-id"]
    assert delivery.published_at == datetime.fromisoformat(ours.attributes["ce-time"])
    assert (delivery.subscription, delivery.attempt) == ("", None)


def test_what_is_read_is_the_job_and_the_result() -> None:
    job, result = EVENTS["collector-job.v1"], EVENTS["collector-result.v1"]
    traced = sdk_event(job)
    traced["traceparent"] = job.attributes["traceparent"]

    _, body = to_structured(traced)
    read_job = events.decode_job(read(body).message)
    assert (read_job.run_id, read_job.collector) == (RUN_ID, "dvf")
    assert (read_job.traceparent or "")[3:35] == TRACE
    _, body = to_structured(sdk_event(result))
    assert events.decode_result(read(body).message) == OURS


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_data_of_bytes_stays_as_it_is(mode: str) -> None:
    raw = b'\x00\xff{"a": 1}'
    event = CloudEvent({"type": "t", "source": "//x"}, raw)
    headers, body = (to_binary if mode == "binary" else to_structured)(event)

    assert decode(headers, body, now=START).message.data == raw


@pytest.mark.parametrize(
    "content_type", [STRUCTURED, f"{STRUCTURED}; charset=utf-8", STRUCTURED.upper()]
)
def test_the_content_type_tells_the_structured_mode(content_type: str) -> None:
    delivery = decode({"content-type": content_type}, structured(), now=START)

    assert delivery.message == Message(
        b'{"a": 1}', {"ce-id": "7", "ce-source": "//x", "ce-type": "t", "ce-specversion": "1.0"}
    )


def test_pubsubs_headers_go_with_an_event_of_either_mode() -> None:
    headers = {
        "X-Goog-Pubsub-Message-Id": "77",
        "X-Goog-Pubsub-Publish-Time": "2026-11-23T02:15:00Z",
        "X-Goog-Pubsub-Subscription-Name": "projects/p/subscriptions/collector-jobs",
        "X-Goog-Pubsub-Delivery-Attempt": "3",
    }
    for delivery in (
        read(structured(time="2026-11-23T02:15:01Z"), **headers),
        decode(headers | dict(EVENTS["collector-job.v1"].attributes), b"{}", now=after(9)),
    ):
        assert (delivery.message_id, delivery.published_at) == ("77", START)
        assert (delivery.subscription, delivery.attempt) == ("collector-jobs", 3)


def test_an_event_without_a_time_came_now() -> None:
    """The SDK makes a time up, from a clock that is not ours."""
    assert read(structured()).published_at == after(9)
    assert "ce-time" not in read(structured()).message.attributes
    assert read(structured(time="2026-11-23T03:15:02+01:00")).published_at == after(2)


def eventarc(subscription: str, mode: str) -> Delivery:
    push = {
        "message": {"data": "e30=", "messageId": "77", "publishTime": "2026-11-23T02:15:00Z"},
        "subscription": f"projects/p/subscriptions/{subscription}",
        "deliveryAttempt": 2,
    }
    source = "//pubsub.googleapis.com/projects/p/topics/dev-collector-jobs"
    event = CloudEvent({"type": EVENTARC_TYPE, "source": source, "id": "77"}, push)
    headers, body = (to_binary if mode == "binary" else to_structured)(event)
    return decode(headers, body, now=after(9))


@pytest.mark.parametrize("mode", ["binary", "structured"])
@pytest.mark.parametrize(
    ("said", "read_as"),
    [
        pytest.param("dev-collector-jobs", "dev-collector-jobs", id="our subscription"),
        pytest.param("eventarc-europe-west1-x-sub-1", "dev-collector-jobs", id="of Eventarc's own"),
        pytest.param("run-requests", "run-requests", id="a foreign one stays foreign"),
    ],
)
def test_eventarcs_event_is_the_push_in_it(said: str, read_as: str, mode: str) -> None:
    assert eventarc(said, mode) == Delivery(Message(b"{}"), "77", START, read_as, 2)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(b"", "not JSON", id="nothing"),
        pytest.param(b"[" * 10_000, "nested deeper", id="deep"),
        pytest.param(b'{"id": "7", "id": "8"}', "is there twice", id="a key twice"),
        pytest.param(b"[]", "not a CloudEvent", id="a list"),
        pytest.param(structured(specversion=...), "specversion", id="no version"),
        pytest.param(structured(specversion="9.9"), "specversion", id="a version of tomorrow"),
        pytest.param(structured(specversion=[]), "not a CloudEvent", id="a list for a version"),
        pytest.param(structured(id=...), "'id'", id="no id"),
        pytest.param(structured(id=None), "'id'", id="null for an id"),
        pytest.param(structured(id=""), "'id' is no text", id="an empty id"),
        pytest.param(structured(id={"a": 1}), "'id' is no text", id="an object for an id"),
        pytest.param(structured(source=...), "'source'", id="no source"),
        pytest.param(structured(type=None), "type", id="null for a type"),
        pytest.param(structured(time="soon"), "is no time", id="no time"),
        pytest.param(structured(data_base64="%", data=...), "not base64", id="no base64"),
        pytest.param(structured(ext=[1]), "'ext' is no text", id="a list for an attribute"),
        pytest.param(structured(type=EVENTARC_TYPE), "under 'message'", id="eventarc, no message"),
    ],
)
def test_a_structured_body_that_is_no_event_is_a_bad_message(body: bytes, why: str) -> None:
    with pytest.raises(BadMessage, match=why) as caught:
        read(body)
    assert len(str(caught.value)) < 300


def test_a_batch_of_events_is_a_bad_message() -> None:
    headers = {"content-type": "application/cloudevents-batch+json"}
    with pytest.raises(BadMessage, match="no object under 'message'"):
        decode(headers, b"[" + structured() + b"]", now=START)


def test_attributes_of_other_types_are_texts() -> None:
    attributes = read(
        structured(sequence=7, sampled=True, quiet=False, none=None)
    ).message.attributes

    assert attributes["ce-sequence"] == "7"
    assert (attributes["ce-sampled"], attributes["ce-quiet"]) == ("true", "false")
    assert "ce-none" not in attributes


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(
    [
        *("specversion", "id", "source", "type", "time", "data", "data_base64", "extensions"),
        *("datacontenttype", "subject", "dataschema", "Get", "__class__", "ce__id", "ID"),
    ]
)


WHOLE = {"specversion": "1.0", "id": "7", "source": "s", "type": "t"}


@given(
    st.sampled_from([WHOLE, {}]),
    st.dictionaries(NAMES | st.text(), JSON | st.just("1.0"), max_size=8),
)
def test_any_structured_event_is_a_delivery_or_a_bad_message(
    base: Mapping[str, Any], document: Mapping[str, Any]
) -> None:
    try:
        delivery = read(json.dumps(dict(base) | dict(document)).encode())
    except BadMessage:
        return
    assert delivery.message_id
    assert delivery.published_at.utcoffset() == timedelta(0)
    assert delivery.published_at.astimezone(UTC) == delivery.published_at
    assert all(isinstance(text, str) for text in delivery.message.attributes.values())
    assert isinstance(delivery.message.data, bytes)


@given(
    st.dictionaries(NAMES.map("ce-{}".format), st.text() | st.just("1.0"), max_size=8), st.binary()
)
def test_any_binary_event_is_a_delivery_or_a_bad_message(
    headers: Mapping[str, str], body: bytes
) -> None:
    whole = {"ce-specversion": "1.0", "ce-id": "7", "ce-source": "s", "ce-type": "t"}
    try:
        delivery = decode(whole | dict(headers), body, now=START)
    except BadMessage:
        return
    assert delivery.message_id
    assert delivery.message.data == body
