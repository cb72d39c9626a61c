"""Run requests: forgiving about where a key stands, strict about what it says."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanfold.domain.model.errors import Rejected
from fanfold.domain.model.request import RunRequest
from fanfold.messages.run_request import KEYS, decode_run_request, encode_run_request
from fanfold.ports.bus import Message


def decoded(document: Any = None, **attributes: str) -> RunRequest:
    data = b"" if document is None else json.dumps(document).encode()
    return decode_run_request(Message(data, attributes))


def problems_of(data: bytes, **attributes: str) -> tuple[str, ...]:
    with pytest.raises(Rejected) as caught:
        decode_run_request(Message(data, attributes))
    return caught.value.problems


@pytest.mark.parametrize("data", [b"", b" \n", b"{}"])
def test_nothing_asks_for_everything(data: bytes) -> None:
    assert decode_run_request(Message(data)) == RunRequest()


def test_the_same_keys_work_as_attributes() -> None:
    in_data = decoded(
        {"collectors": ["dvf", "plu"], "due": True, "params": {"dvf": {"n": 1}}, "run_id": "r1"}
    )
    as_attributes = decoded(
        collectors="dvf, plu", due="true", params='{"dvf": {"n": 1}}', run_id="r1"
    )
    assert in_data == as_attributes


def test_the_data_wins_over_an_attribute() -> None:
    assert decoded({"reason": "data"}, reason="attribute").reason == "data"


def test_what_belongs_to_the_carrier_is_no_key() -> None:
    carried = {
        "ce-type": "x",
        "content-type": "text/plain",
        "googclient_traceparent": "x",
        "traceparent": "x",
        "x-cloud-trace": "x",
        "tracestate": "x",
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
    }
    assert decode_run_request(Message(b"", carried)) == RunRequest()


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        pytest.param({"colectors": ["dvf"]}, "did you mean 'collectors'", id="a slip of the pen"),
        pytest.param({"zzz": 1}, "known are collectors", id="an unknown key"),
        pytest.param({"collectors": []}, "an empty list runs nothing", id="an empty list"),
        pytest.param({"collectors": [1]}, "want a list of names", id="a number for a name"),
        pytest.param({"collectors": None}, "want a list of names", id="null"),
        pytest.param({"tags": ["t"] * 10_001}, "at most 10000 names", id="a huge list"),
        pytest.param({"due": "perhaps"}, "want true or false", id="no truth"),
        pytest.param({"run_id": "a/b"}, "cannot be a run id", id="a path for an id"),
        pytest.param({"run_id": "latest"}, "cannot be a run id", id="a word of the command"),
        pytest.param({"retry_of": 7}, "cannot be a run id", id="a number for an id"),
        pytest.param({"params": {"dvf": 1}}, "want parameters by collector", id="flat parameters"),
        pytest.param({"params": "{"}, "not JSON", id="broken parameters"),
        pytest.param({"reason": " "}, "want a text", id="an empty reason"),
        pytest.param({"cron": "* * * * *"}, "cron: only goes with schedule", id="a lonely cron"),
        pytest.param([], "must be a JSON object", id="a list"),
    ],
)
def test_what_is_wrong_is_said(document: Any, problem: str) -> None:
    assert any(problem in each for each in problems_of(json.dumps(document).encode()))


def test_everything_that_is_wrong_is_said_at_once() -> None:
    said = problems_of(b'{"colectors": [], "due": 7}', run_id="a b")
    assert len(said) == 3


def test_broken_json_says_where_and_what_to_send_instead() -> None:
    (said,) = problems_of(b'{"collectors": [dvf]}')
    assert "line 1 column 17" in said
    assert "'{}' runs every enabled collector" in said


@pytest.mark.parametrize("quotes", ["", '"'])
def test_a_request_in_base64_is_called_so(quotes: str) -> None:
    encoded = base64.b64encode(b'{"collectors": ["dvf"]}').decode()
    (said,) = problems_of(f"{quotes}{encoded}{quotes}".encode())
    assert "base64" in said
    assert "the JSON" in said


def test_a_reason_is_one_short_line() -> None:
    reason = decoded({"reason": "a\nb  " + "x" * 2000}).reason
    assert reason is not None
    assert reason.startswith("a b x")
    assert len(reason) == 500


def test_a_name_given_twice_is_asked_once() -> None:
    assert decoded(collectors="dvf,plu,dvf").collectors == ("dvf", "plu")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
KEYED = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), JSON, max_size=4)
DATA = st.binary() | st.text().map(str.encode) | KEYED.map(lambda each: json.dumps(each).encode())
ATTRIBUTES = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), st.text(), max_size=4)


@given(DATA, ATTRIBUTES)
def test_any_message_is_a_request_or_rejected_with_reasons(
    data: bytes, attributes: dict[str, str]
) -> None:
    problems: tuple[str, ...] = ("one",)
    try:
        request = decode_run_request(Message(data, attributes))
    except Rejected as exc:
        problems = exc.problems
    else:
        assert decode_run_request(encode_run_request(request)) == request
    assert problems
    assert all(problems)


@pytest.mark.parametrize("value", [{"a": None}, [True, None], 7, True])
def test_what_is_wrong_is_shown_as_json(value: object) -> None:
    (said,) = problems_of(json.dumps({"run_id": value}).encode())
    assert said.startswith(f"run_id: {json.dumps(value)} cannot be a run id")
