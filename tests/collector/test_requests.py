"""What a collector's function is given, and what is refused before it is called."""

from __future__ import annotations

import io
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import flask
import pytest
from tests.collector.conftest import asked, posted

from fanfold.collector import Call, Reported, collector
from fanfold.domain.model.collector import CollectorSpec
from fanfold.domain.protocol import contract


@pytest.fixture
def seen() -> list[Call]:
    return []


@pytest.fixture
def app(seen: list[Call]) -> Any:
    @collector
    def dvf(call: Call) -> Reported:
        seen.append(call)
        return call.found(records=1)

    return dvf


def test_everything_that_fanfold_sends_is_read(app: Any, seen: list[Call]) -> None:
    deadline = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=90)
    sent = contract.Call(
        spec=CollectorSpec(name="dvf_35", url="http://here/", params={"code": "35"}),
        run_id="run-1",
        attempt=2,
        deadline=deadline,
        timeout_s=90,
        scheduled_for=deadline - timedelta(hours=1),
        previous={"revision": "r1", "records": 7},
        callback={"url": "http://here/callback", "token": "made-up"},
    )

    assert posted(app, contract.request_body(sent), QUERY_STRING="a=1&b=").status == 200

    (call,) = seen
    assert (call.run_id, call.collector, call.attempt) == ("run-1", "dvf_35", 2)
    assert (call.deadline, call.scheduled_for) == (deadline, deadline - timedelta(hours=1))
    assert 80 < call.left_s <= 90
    assert (call.params, call.query) == ({"code": "35"}, {"a": "1", "b": ""})
    assert (call.previous.revision, call.previous.records) == ("r1", 7)
    assert call.callback == {"url": "http://here/callback", "token": "made-up"}


def test_every_key_is_optional(app: Any, seen: list[Call]) -> None:
    assert asked(app).status == 200

    (call,) = seen
    assert (call.run_id, call.collector, call.attempt) == (None, "dvf", 1)
    assert (call.deadline, call.left_s, call.callback) == (None, math.inf, None)
    assert (call.previous.revision, call.previous.records) == (None, None)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(b"{", "not JSON", id="broken JSON"),
        pytest.param(b"\xff", "not JSON", id="another encoding"),
        pytest.param(b"[" * 100_000, "not JSON", id="nested without end"),
        pytest.param(b"[]", "JSON object", id="a list"),
        pytest.param(b'{"run_id": 5}', "'run_id'", id="a number for a run"),
        pytest.param(b'{"params": []}', "'params'", id="params as a list"),
        pytest.param(b'{"attempt": true}', "'attempt'", id="a boolean for a number"),
        pytest.param(b'{"attempt": 0}', "'attempt'", id="attempt 0"),
        pytest.param(b'{"deadline": "soon"}', "ISO 8601", id="a deadline in words"),
        pytest.param(b'{"deadline": "2026-01-01T00:00:00"}', "time zone", id="a naive deadline"),
        pytest.param(b'{"previous": {"records": "9"}}', "'records'", id="records as text"),
        pytest.param(b'{"callback": "http://here"}', "'callback'", id="a callback as text"),
        pytest.param(b'{"callback": {"token": 1}}', "'token'", id="a token as a number"),
    ],
)
def test_a_body_that_breaks_the_contract_is_400_and_the_function_is_not_called(
    app: Any, seen: list[Call], body: bytes, words: str
) -> None:
    got = asked(app, content=body)

    assert (got.status, got.json["kind"], got.json["retryable"]) == (400, "bad_request", False)
    assert words in got.json["error"]
    assert seen == []


@pytest.mark.parametrize("length", ["many", "-1", "9" * 30, "\uff15", "5000000"])
def test_a_length_that_makes_no_sense_is_400(app: Any, length: str) -> None:
    environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": length, "wsgi.input": io.BytesIO(b"{}")}
    said: list[Any] = []

    app(environ, lambda *arguments: said.extend(arguments))

    assert said[0] == "400 Bad Request"


def test_a_chunked_body_is_read_where_the_server_says_where_it_ends(
    app: Any, seen: list[Call]
) -> None:
    body = io.BytesIO(b'{"params": {"code": "35"}}')
    environ = {"REQUEST_METHOD": "POST", "wsgi.input_terminated": True, "wsgi.input": body}

    app(environ, lambda *_: None)

    assert seen[0].params == {"code": "35"}


@pytest.mark.parametrize("where", ["body", "header"])
def test_a_call_whose_deadline_is_over_is_504_and_the_function_is_not_called(
    app: Any, seen: list[Call], where: str
) -> None:
    over = "2026-01-01T00:00:00Z"
    body = {"deadline": over} if where == "body" else {}
    headers = {} if where == "body" else {"HTTP_X_FANFOLD_DEADLINE": over}

    got = posted(app, body, **headers)

    assert (got.status, got.json["kind"], seen) == (504, "deadline", [])


def test_a_look_says_that_it_lives_and_calls_nothing(app: Any, seen: list[Call]) -> None:
    got = asked(app, method="GET")
    head = asked(app, method="HEAD")

    assert (got.status, got.json) == (200, {"collector": "dvf", "status": "ok"})
    assert (head.status, head.body, head.headers) == (200, b"", got.headers)
    assert seen == []


def test_another_verb_is_405_and_says_which_there_are(app: Any, seen: list[Call]) -> None:
    got = asked(app, method="PUT", content=b"{}")

    assert (got.status, got.headers["Allow"], seen) == (405, "GET, HEAD, POST", [])


def test_a_flask_application_may_call_it(app: Any, seen: list[Call]) -> None:
    served = flask.Flask("served")
    served.add_url_rule("/", view_func=lambda: app(flask.request), methods=["GET", "POST"])

    answer = served.test_client().post("/?a=1", json={"params": {"code": "35"}})

    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert (seen[0].params, seen[0].query) == ({"code": "35"}, {"a": "1"})
    assert served.test_client().head("/").data == b""


def test_a_missing_parameter_is_400_and_named() -> None:
    @collector
    def dvf(call: Call) -> Reported:
        return call.found(revision=call.params["code"])

    got = posted(dvf)

    assert (got.status, got.json["kind"]) == (400, "bad_params")
    assert got.json["error"] == "params has no 'code'"
