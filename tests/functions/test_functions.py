"""Every function over HTTP, every delivery posted twice."""

from __future__ import annotations

import pytest
from tests.functions.conftest import FUNCTIONS, ClientOf, Deliver, request_of
from tests.support import START, World, accepted, an_answer, broken

from fanfold.domain.model.errors import StoreUnavailable
from fanfold.domain.model.request import RunRequest
from fanfold.domain.model.run import LateAnswer
from fanfold.domain.model.states import Phase, RunStatus
from fanfold.messages import events, run_request
from fanfold.messages.topology import COLLECTOR_JOBS, COLLECTOR_RESULTS, RUN_REQUESTS, SWEEP_TICKS
from fanfold.ports.bus import Message
from fanfold.runtime import http_entry

SHAPES = ["wrapped", "eventarc", "unwrapped"]


def job(collector: str = "dvf", run_id: str = "r1") -> Message:
    return events.encode_job(run_id, collector, trace_id="a" * 32, at=START)


def result(collector: str) -> Message:
    return events.encode_result(an_answer(collector, run_id="r1"))


def asked(run_id: str = "r1") -> Message:
    return run_request.encode_run_request(RunRequest(run_id=run_id))


def opened(world: World) -> None:
    world.ask()
    world.deliver()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_request_starts_its_run_once(world: World, deliver: Deliver, shape: str) -> None:
    assert deliver(asked(), RUN_REQUESTS, shape=shape) == [204, 204]

    (run,) = world.ledger.recent_runs(10)
    assert (run.run_id, run.phase) == ("r1", Phase.OPEN)
    assert world.published_ids(COLLECTOR_JOBS) == ["r1/dvf", "r1/plu"]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_request_of_attributes_alone_is_heeded(
    world: World, deliver: Deliver, shape: str
) -> None:
    message = Message(b"", {"run_id": "r7", "collectors": "dvf", "dry_run": "true"})
    assert deliver(message, RUN_REQUESTS, shape=shape) == [204, 204]

    (run,) = world.ledger.recent_runs(10)
    assert (run.run_id, run.status) == ("r7-planned", RunStatus.PLANNED)
    assert run.about.startswith("planned only: would run dvf;")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_request_that_says_nothing_runs_everything_once(
    world: World, deliver: Deliver, shape: str
) -> None:
    assert deliver(Message(), RUN_REQUESTS, shape=shape) == [204, 204]

    (run,) = world.ledger.recent_runs(10)
    assert run.run_id.startswith("2026-11-23T0215Z-")
    assert run.asked == 2


def test_a_request_that_cannot_start_is_acknowledged_and_recorded(
    world: World, deliver: Deliver
) -> None:
    assert deliver(Message(b'{"colectors": []}'), RUN_REQUESTS) == [204, 204]

    (run,) = world.ledger.recent_runs(10)
    assert run.status is RunStatus.REJECTED


@pytest.mark.parametrize("shape", SHAPES)
def test_a_job_is_called_once(world: World, deliver: Deliver, shape: str) -> None:
    opened(world)
    assert deliver(job(), COLLECTOR_JOBS, shape=shape) == [204, 204]

    assert world.client.called("dvf") == 1
    assert world.outcomes() == {"dvf": "succeeded"}


def test_a_job_of_an_unknown_run_is_acknowledged(world: World, deliver: Deliver) -> None:
    assert deliver(job(run_id="nobody"), COLLECTOR_JOBS) == [204, 204]

    assert world.client.calls == []


@pytest.mark.parametrize("shape", SHAPES)
def test_the_last_result_ends_the_run_once(world: World, deliver: Deliver, shape: str) -> None:
    opened(world)
    for name in ("dvf", "plu"):
        world.ledger.record(an_answer(name, run_id="r1"))
        assert deliver(result(name), COLLECTOR_RESULTS, shape=shape) == [204, 204]

    assert world.run().status is RunStatus.SUCCEEDED
    assert world.finished_events() == ["r1/1"]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_tick_sweeps(world: World, deliver: Deliver, shape: str) -> None:
    opened(world)
    world.clock.forward(3600)
    tick = events.encode_tick(at=START)
    assert deliver(tick, SWEEP_TICKS, shape=shape) == [204, 204]

    assert world.run().status is RunStatus.FAILED
    assert world.finished_events() == ["r1/1"]


def test_late_evidence_that_comes_twice_is_announced_once(world: World, deliver: Deliver) -> None:
    world.ask()
    world.settle()
    late = an_answer("dvf", run_id="r1", writer="relay/9", records=11)
    world.ledger.keep_late(LateAnswer(late, world.clock.now()))
    assert deliver(events.encode_late_result(late), COLLECTOR_RESULTS, times=3) == [204] * 3

    assert world.finished_events() == ["r1/1", "r1/2"]
    world.tick()
    assert world.finished_events() == ["r1/1", "r1/2"]


def test_a_tick_of_the_scheduler_needs_no_type(world: World, deliver: Deliver) -> None:
    opened(world)
    world.clock.forward(3600)
    assert deliver(Message(b"{}"), SWEEP_TICKS) == [204, 204]

    assert world.run().status is RunStatus.FAILED


@pytest.mark.parametrize(
    ("subscription", "message"),
    [
        pytest.param(COLLECTOR_JOBS, Message(b"\xff"), id="not JSON"),
        pytest.param(COLLECTOR_JOBS, Message(b'{"run_id": "../x"}'), id="is none"),
        pytest.param(COLLECTOR_RESULTS, Message(b"[]"), id="not an object"),
        pytest.param(
            COLLECTOR_RESULTS, events.encode_result(an_answer("dvf", run_id="no")), id="no run 'no'"
        ),
    ],
)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_message_that_can_never_be_worked_is_one_dead_letter(
    world: World, deliver: Deliver, subscription: str, message: Message, shape: str
) -> None:
    assert deliver(message, subscription, shape=shape) == [204, 204]

    (letter,) = world.ledger.dead_letters(10)
    assert letter.reason
    assert (letter.data, letter.subscription) == (message.data, subscription)


@pytest.mark.parametrize("function", ["dispatcher", "collector_relay", "aggregator"])
@pytest.mark.parametrize("body", [b"", b"garbage", b"\xff\xfe", b'{"message": 1}', b"[" * 10_000])
def test_a_body_of_no_shape_is_one_dead_letter(
    world: World, client_of: ClientOf, function: str, body: bytes
) -> None:
    statuses = [client_of(function).post("/", data=body).status_code for _ in range(2)]
    assert statuses == [204, 204]

    (letter,) = world.ledger.dead_letters(10)
    assert letter.data == body
    assert letter.reason.startswith("not a Pub/Sub delivery")


def test_a_store_that_is_away_is_mended_by_the_redelivery(
    world: World, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(world)

    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("not now")

    with monkeypatch.context() as patch:
        patch.setattr(world.ledger, "record", away)
        assert deliver(job(), COLLECTOR_JOBS) == [503, 503]
    world.clock.forward(90)

    assert deliver(job(), COLLECTOR_JOBS) == [204, 204]
    assert world.outcomes() == {"dvf": "succeeded"}


def test_a_store_that_is_away_keeps_even_garbage(
    world: World, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: object) -> None:
        raise StoreUnavailable("not now")

    with monkeypatch.context() as patch:
        patch.setattr(world.ledger, "park", away)
        assert client_of("aggregator").post("/", data=b"garbage").status_code == 503
    assert client_of("aggregator").post("/", data=b"garbage").status_code == 204
    assert len(world.dead()) == 1


def test_a_retry_is_delivered_again_when_its_wait_is_over(
    world: World, client_of: ClientOf
) -> None:
    opened(world)
    world.client.says("dvf", broken(503, retry_after_s=40.2), accepted())
    headers = {"ce-type": events.COLLECTOR_JOB, "ce-id": "r1/dvf"}

    first = client_of("collector_relay").post("/", data=job().data, headers=headers)
    assert (first.status_code, first.headers["Retry-After"]) == (503, "41")
    world.clock.forward(41)
    assert (
        client_of("collector_relay").post("/", data=job().data, headers=headers).status_code == 204
    )
    assert world.client.called("dvf") == 2


def test_a_bug_is_redelivered_never_acknowledged(
    world: World, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(world)

    def bug(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(world.ledger, "answer", bug)
        patch.setattr(world.ledger, "record", bug)
        assert deliver(result("dvf"), COLLECTOR_RESULTS) == [500, 500]
    assert [severity for severity, *_ in world.logged].count("CRITICAL") == 2
    assert deliver(result("dvf"), COLLECTOR_RESULTS) == [204, 204]


EVERY_ENTRY = ["dispatcher", "collector_relay", "aggregator", "callbacks"]


@pytest.mark.parametrize("function", EVERY_ENTRY)
@pytest.mark.parametrize("path", ["/", "/callback/r1/dvf"])
def test_a_probe_builds_nothing(
    client_of: ClientOf, monkeypatch: pytest.MonkeyPatch, function: str, path: str
) -> None:
    monkeypatch.setattr(http_entry, "function_parts", lambda: pytest.fail("parts were built"))

    probe = client_of(function).get(path)
    assert (probe.status_code, probe.text) == (200, "ready")
    head = client_of(function).head(path)
    assert (head.status_code, head.data) == (200, b"")


@pytest.mark.parametrize("function", EVERY_ENTRY)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_only_a_post_is_a_delivery(
    world: World, client_of: ClientOf, function: str, method: str
) -> None:
    headers, body = request_of(asked(), RUN_REQUESTS, "wrapped")

    answer = client_of(function).open("/", method=method, headers=headers, data=body)

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, POST"
    assert answer.text == f"{method}: only POST is taken here"
    assert (world.ledger.recent_runs(10), world.dead()) == ([], [])


@pytest.mark.parametrize("function", ["dispatcher", "collector_relay", "aggregator"])
@pytest.mark.parametrize("path", ["/callback/r1/dvf", "/x", "/dispatcher"])
def test_a_delivery_to_another_path_is_not_taken(
    world: World, client_of: ClientOf, function: str, path: str
) -> None:
    opened(world)
    token = world.parts.tokens.token("r1", "dvf")
    headers = {"Authorization": f"Bearer {token}"}
    answer = client_of(function).post(path, headers=headers, data=b'{"status": "succeeded"}')

    assert answer.status_code == 404
    assert answer.text == "nothing here; deliveries are posted to /"
    assert (world.outcomes(), world.dead()) == ({}, [])


def test_every_function_of_the_topology_has_its_folder() -> None:
    folders = {path.parent.name for path in FUNCTIONS.glob("*/main.py")}
    assert folders == {"dispatcher", "collector_relay", "aggregator", "console"}
