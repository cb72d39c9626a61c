"""One log line for each delivery: sentence, severity and fields, for each kind of outcome."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from tests.functions.conftest import ClientOf, Deliver
from tests.support import START, World, accepted, an_answer, broken

from fanfold.domain.model.errors import NotConfigured, StoreUnavailable
from fanfold.domain.model.request import RunRequest
from fanfold.logs import JsonLog
from fanfold.messages import events, run_request
from fanfold.messages.topology import COLLECTOR_JOBS, COLLECTOR_RESULTS, RUN_REQUESTS, SWEEP_TICKS
from fanfold.ports.bus import Message

JOB = events.encode_job("r1", "dvf", trace_id="a" * 32, at=START)
RESULT = events.encode_result(an_answer("dvf", run_id="r1"), trace_id="a" * 32)
TICK = events.encode_tick(at=START)
ASKED = run_request.encode_run_request(RunRequest(run_id="r1"))
OF_DVF = {"run_id": "r1", "collector": "dvf"}

#: A function, its message, and the store's method that it cannot do without.
EVERY_FUNCTION = [
    pytest.param("dispatcher", RUN_REQUESTS, ASKED, "run", {}, id="dispatcher"),
    pytest.param("collector_relay", COLLECTOR_JOBS, JOB, "claim", OF_DVF, id="relay"),
    pytest.param("aggregator", COLLECTOR_RESULTS, RESULT, "run", OF_DVF, id="aggregator"),
    pytest.param("aggregator", SWEEP_TICKS, TICK, "unannounced", {}, id="sweep"),
]


@pytest.fixture
def opened(world: World) -> World:
    world.ask()
    world.deliver()
    world.logged.clear()
    return world


def the_line(world: World) -> tuple[str, str, Mapping[str, Any]]:
    """Return the one line that was logged; no line shows an object's own notation."""
    ((severity, sentence, fields),) = world.logged
    stream = StringIO()
    JsonLog(stream, at_least="DEBUG")(severity, sentence, **fields)
    written = stream.getvalue()
    assert not any(sign in written for sign in ("kind=", "(kind", "<Outcome", "object at", "<Run"))
    assert json.loads(written)["message"] == sentence
    return severity, sentence, fields


def common(fields: Mapping[str, Any], function: str, subscription: str) -> None:
    """Check what the lines of all deliveries have."""
    assert fields["function"] == function
    assert fields["message_id"] == f"id-{subscription}"
    assert fields["delivery_attempt"] == 1


def failing(error: Exception) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_a_request_is_logged_with_its_run(world: World, deliver: Deliver) -> None:
    deliver(ASKED, RUN_REQUESTS, times=1)

    severity, sentence, fields = the_line(world)
    assert (severity, sentence) == ("INFO", "run running")
    common(fields, "dispatcher", RUN_REQUESTS)
    assert (fields["run_id"], fields["status"], fields["asked"]) == ("r1", "running", 2)
    assert fields["duration_ms"] >= 0


@pytest.mark.parametrize(
    ("request_bytes", "why"),
    [(b'{"colectors": []}', "unknown key 'colectors'"), (b"{", "the message is not JSON")],
)
def test_a_refused_request_is_a_warning_with_its_reason(
    world: World, deliver: Deliver, request_bytes: bytes, why: str
) -> None:
    deliver(Message(request_bytes), RUN_REQUESTS, times=1)

    severity, sentence, fields = the_line(world)
    assert severity == "WARNING"
    assert why in sentence
    assert fields["status"] == "rejected"
    assert fields["run_id"] == world.ledger.recent_runs(1)[0].run_id


def test_a_configuration_that_cannot_be_read_is_told_by_the_request_that_met_it(
    world: World, deliver: Deliver
) -> None:
    broken_file = failing(NotConfigured("config.yaml:3: unknown key 'colector'"))
    world.parts.functions = _with_catalogue(world, broken_file)
    deliver(ASKED, RUN_REQUESTS, times=1)

    severity, sentence, fields = the_line(world)
    assert severity == "ERROR"
    assert "config.yaml:3: unknown key 'colector'" in sentence
    assert fields["configuration"] == "unreadable"


def test_a_scheduled_request_that_is_refused_is_an_error(world: World, deliver: Deliver) -> None:
    asked = Message(b'{"collectors": ["nobody"]}', {"schedule": "nightly"})
    deliver(asked, RUN_REQUESTS, times=1)

    severity, sentence, fields = the_line(world)
    assert severity == "ERROR"
    assert sentence.startswith("not started: ")
    assert fields["status"] == "rejected"
    assert "configuration" not in fields


def _with_catalogue(world: World, catalogue: Callable[..., Any]) -> Any:
    return replace(world.parts.functions, catalogue=catalogue, readable=lambda: None)


@pytest.mark.parametrize(
    ("reply", "sentence", "severity"),
    [
        pytest.param(None, "succeeded", "INFO", id="a success"),
        pytest.param(
            broken(404, retryable=False), "failed (http): http 404", "WARNING", id="a failure"
        ),
        pytest.param(accepted(), "accepted; the collector answers by itself", "INFO", id="202"),
        pytest.param(
            broken(503, retry_after_s=70.0),
            "comes back: attempt 1 failed: http 503",
            "NOTICE",
            id="a retry",
        ),
    ],
)
def test_a_job_is_logged_with_its_run_collector_and_trace(
    opened: World, deliver: Deliver, reply: Any, sentence: str, severity: str
) -> None:
    if reply is not None:
        opened.client.says("dvf", reply)
    deliver(JOB, COLLECTOR_JOBS, times=1)

    said_severity, said, fields = the_line(opened)
    assert (said_severity, said) == (severity, sentence)
    common(fields, "collector_relay", COLLECTOR_JOBS)
    assert (fields["run_id"], fields["collector"]) == ("r1", "dvf")
    assert fields["traceparent"][3:35] == "a" * 32
    if severity == "NOTICE":
        assert fields["retry_after_s"] >= 70.0


def test_a_job_that_another_relay_holds_comes_back(opened: World, deliver: Deliver) -> None:
    opened.ledger.claim("r1", "dvf", holder="another", now=opened.clock.now())
    deliver(JOB, COLLECTOR_JOBS, times=1)

    severity, sentence, fields = the_line(opened)
    assert (severity, sentence) == ("NOTICE", "comes back: r1/dvf is leased by another relay")
    assert (fields["run_id"], fields["collector"]) == ("r1", "dvf")
    assert fields["retry_after_s"] > 0


def test_a_result_is_logged_with_its_run_and_collector(opened: World, deliver: Deliver) -> None:
    opened.ledger.record(an_answer("dvf", run_id="r1"))
    deliver(RESULT, COLLECTOR_RESULTS, times=1)

    severity, sentence, fields = the_line(opened)
    assert (severity, sentence) == ("INFO", "counted")
    common(fields, "aggregator", COLLECTOR_RESULTS)
    assert (fields["run_id"], fields["collector"]) == ("r1", "dvf")
    assert fields["traceparent"][3:35] == "a" * 32


def test_a_tick_that_found_nothing_is_logged(opened: World, deliver: Deliver) -> None:
    deliver(TICK, SWEEP_TICKS, times=1)

    severity, sentence, fields = the_line(opened)
    assert (severity, sentence) == ("INFO", "nothing to sweep")
    common(fields, "aggregator", SWEEP_TICKS)


def test_a_tick_is_logged_with_the_runs_that_it_swept(opened: World, deliver: Deliver) -> None:
    opened.clock.forward(3600)
    deliver(TICK, SWEEP_TICKS, times=1)

    # Two collectors that timed out, and the end of their run, have lines of their own.
    assert [each[0] for each in opened.logged[:-1]] == ["WARNING", "WARNING", "ERROR"]
    del opened.logged[:-1]
    severity, sentence, fields = the_line(opened)
    assert (severity, sentence) == ("INFO", "swept")
    assert (fields["timed_out"], fields["finished"]) == (["r1/dvf", "r1/plu"], ["r1"])
    assert "trouble" not in fields


def test_a_missed_slot_is_a_warning(world: World, deliver: Deliver) -> None:
    collectors = tuple(replace(each, cron="15 2 * * *") for each in world.configured.collectors)
    world.configured = replace(world.configured, collectors=collectors)
    world.ask(run_id="first")
    world.settle()
    world.clock.forward(86_400 + 7200)
    world.logged.clear()
    deliver(TICK, SWEEP_TICKS, times=1)

    severity, sentence, fields = the_line(world)
    slot = "2026-11-24T0215Z-nightly-missed"
    assert (severity, sentence) == ("WARNING", f"missed: no run came for 1 slot: {slot}")
    assert fields["missed"] == ["2026-11-24T0215Z-nightly-missed"]


def test_the_trouble_of_one_run_is_a_line_of_its_own(
    opened: World, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.clock.forward(3600)
    monkeypatch.setattr(opened.ledger, "jobs", failing(StoreUnavailable("not now")))
    deliver(TICK, SWEEP_TICKS, times=1)

    (trouble, line) = opened.logged
    assert trouble[:2] == ("ERROR", "the sweep goes on, but: r1: not now")
    assert trouble[2] == {"function": "aggregator"}
    assert line[:2] == ("INFO", "swept")
    assert line[2]["trouble"] == ["r1: not now"]


def test_a_sweep_without_a_configuration_says_what_it_leaves_out(
    opened: World, deliver: Deliver
) -> None:
    opened.parts.functions = _with_catalogue(opened, failing(NotConfigured("no file")))
    deliver(TICK, SWEEP_TICKS, times=1)

    (error, line) = opened.logged
    assert error[0] == "ERROR"
    assert error[1].endswith("so no run starts, and missed runs are not looked for: no file")
    assert error[2] == {"function": "aggregator", "configuration": "unreadable"}
    assert line[:2] == ("INFO", "nothing to sweep")


@pytest.mark.parametrize(("function", "subscription", "message", "method", "named"), EVERY_FUNCTION)
def test_a_store_that_is_away_is_a_notice_of_every_function(
    *,
    opened: World,
    deliver: Deliver,
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    subscription: str,
    message: Message,
    method: str,
    named: dict[str, str],
) -> None:
    monkeypatch.setattr(opened.ledger, method, failing(StoreUnavailable("the file is locked")))
    assert deliver(message, subscription, times=1) == [503]

    severity, sentence, fields = the_line(opened)
    assert (severity, sentence) == ("NOTICE", "comes back: the file is locked")
    common(fields, function, subscription)
    assert fields["retry_after_s"] is None
    assert {key: fields.get(key) for key in named} == named


@pytest.mark.parametrize(("function", "subscription", "message", "method", "named"), EVERY_FUNCTION)
def test_a_bug_is_critical_of_every_function(
    *,
    opened: World,
    deliver: Deliver,
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    subscription: str,
    message: Message,
    method: str,
    named: dict[str, str],
) -> None:
    monkeypatch.setattr(opened.ledger, method, failing(ZeroDivisionError("by zero")))
    assert deliver(message, subscription, times=1) == [500]

    severity, sentence, fields = the_line(opened)
    assert severity == "CRITICAL"
    assert sentence == "a bug, please report it: ZeroDivisionError: by zero"
    common(fields, function, subscription)
    assert {key: fields.get(key) for key in named} == named


@pytest.mark.parametrize(
    ("function", "subscription", "message", "why", "named"),
    [
        pytest.param(
            "collector_relay", COLLECTOR_JOBS, Message(b"{}"), "run_id: missing", {}, id="no job"
        ),
        pytest.param(
            "aggregator",
            COLLECTOR_RESULTS,
            events.encode_result(an_answer("dvf", run_id="no")),
            "no run 'no' in the ledger",
            {"run_id": "no", "collector": "dvf"},
            id="no such run",
        ),
    ],
)
def test_a_dead_letter_is_an_error_with_its_reason(
    *,
    opened: World,
    deliver: Deliver,
    function: str,
    subscription: str,
    message: Message,
    why: str,
    named: dict[str, str],
) -> None:
    deliver(message, subscription, times=1)

    severity, sentence, fields = the_line(opened)
    assert (severity, sentence) == ("ERROR", f"dead letter: {why}")
    common(fields, function, subscription)
    assert {key: fields.get(key) for key in named} == named


def test_a_dead_letter_that_cannot_be_kept_comes_back(
    opened: World, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened.ledger, "park", failing(StoreUnavailable("not now")))
    assert deliver(Message(b"[]"), COLLECTOR_JOBS, times=1) == [503]

    severity, sentence, fields = the_line(opened)
    assert (severity, sentence) == ("NOTICE", "comes back: not now")
    common(fields, "collector_relay", COLLECTOR_JOBS)


def test_a_body_of_no_shape_is_an_error_with_its_reason(
    opened: World, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(opened.ledger, "park", failing(StoreUnavailable("not now")))
        assert client_of("aggregator").post("/", data=b"garbage").status_code == 503
    severity, sentence, fields = the_line(opened)
    assert (severity, sentence) == ("NOTICE", "comes back: not now")
    opened.logged.clear()

    assert client_of("aggregator").post("/", data=b"garbage").status_code == 204
    severity, sentence, fields = the_line(opened)
    assert severity == "ERROR"
    assert sentence.startswith("dead letter: not a Pub/Sub delivery: the body is not JSON")
    assert "garbage" not in sentence
    assert (fields["function"], len(fields["message_id"])) == ("aggregator", 32)


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (StoreUnavailable("not now"), 503, "try again: not now"),
        (ZeroDivisionError("by zero"), 500, None),
    ],
)
def test_the_answer_to_the_carrier_has_the_reason(
    *,
    opened: World,
    client_of: ClientOf,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    text: str | None,
) -> None:
    monkeypatch.setattr(opened.ledger, "claim", failing(error))
    headers = {"ce-type": events.COLLECTOR_JOB, "ce-id": "r1/dvf"}
    answer = client_of("collector_relay").post("/", data=JOB.data, headers=headers)

    assert answer.status_code == status
    if text is not None:
        assert answer.text == text
        assert "Retry-After" not in answer.headers
    assert "by zero" not in answer.text


def test_a_late_duplicate_is_logged_as_such(opened: World, deliver: Deliver) -> None:
    opened.settle()
    opened.logged.clear()
    stored = opened.ledger.answer("r1", "dvf")
    assert stored is not None
    deliver(events.encode_result(stored), COLLECTOR_RESULTS, times=1)

    severity, sentence, _ = the_line(opened)
    assert (severity, sentence) == ("INFO", "the run was final")
