"""The last delivery of a message: its reason is kept, which Pub/Sub would lose."""

from __future__ import annotations

import json

import pytest
from tests.functions.conftest import ClientOf, wrapped
from tests.support import World, broken

from fanfold.domain.model.errors import StoreUnavailable
from fanfold.messages import events
from fanfold.messages.topology import COLLECTOR_JOBS, COLLECTOR_RESULTS, topology
from fanfold.ports.bus import Message

#: Its run was never made; it is given up before anybody looks.
RESULT = Message(b'{"run_id": "r1", "collector": "dvf"}')


def _post(client_of: ClientOf, message: Message, subscription: str, attempt: int) -> int:
    function = topology().subscriptions[subscription].function
    body = json.dumps(wrapped(message, subscription, deliveryAttempt=attempt))
    headers = {"Content-Type": "application/json"}
    return client_of(str(function)).post("/", data=body, headers=headers).status_code


def _limit(subscription: str) -> int:
    return topology().subscriptions[subscription].max_delivery_attempts or 0


@pytest.mark.parametrize("error", [StoreUnavailable("not now"), ZeroDivisionError("a bug")])
def test_what_failed_to_the_last_is_a_dead_letter_with_its_reason(
    world: World, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(_: str) -> None:
        raise error

    monkeypatch.setattr(world.ledger, "run", fail)
    last = _limit(COLLECTOR_RESULTS)

    before = _post(client_of, RESULT, COLLECTOR_RESULTS, last - 1)
    assert before >= 500
    assert world.dead() == []
    assert _post(client_of, RESULT, COLLECTOR_RESULTS, last) == 204
    assert _post(client_of, RESULT, COLLECTOR_RESULTS, last) == 204
    assert world.dead() == [f"delivered {last} times, the last time: {error}"]


def test_a_job_that_only_waits_is_left_to_the_sweep(world: World, client_of: ClientOf) -> None:
    world.ask(run_id="r1", collectors=("dvf",))
    world.deliver()
    world.client.says("dvf", broken(503, retry_after_s=600.0))
    job = events.encode_job("r1", "dvf", trace_id="a" * 32, at=world.clock.now())

    assert _post(client_of, job, COLLECTOR_JOBS, 1) == 503
    assert _post(client_of, job, COLLECTOR_JOBS, _limit(COLLECTOR_JOBS)) == 204
    assert world.dead() == []
    assert world.outcomes() == {}
