"""A function takes the deliveries of its own subscriptions, and refuses all others unharmed."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from cloudevents.conversion import to_structured
from cloudevents.http import CloudEvent
from tests.functions.conftest import EVENTARC_TYPE, ClientOf, request_of
from tests.support import START, World, a_run, an_answer

from fanfold.domain.model.request import RunRequest
from fanfold.domain.model.states import RunStatus
from fanfold.messages import events, run_request
from fanfold.messages.topology import (
    COLLECTOR_JOBS,
    COLLECTOR_RESULTS,
    NOTIFICATIONS,
    RUN_REQUESTS,
    SWEEP_TICKS,
    topology,
)
from fanfold.ports.bus import Message

OWN = {
    "dispatcher": {RUN_REQUESTS},
    "collector_relay": {COLLECTOR_JOBS},
    "aggregator": {COLLECTOR_RESULTS, SWEEP_TICKS, NOTIFICATIONS},
}
FOREIGN = [
    (function, name)
    for function, own in OWN.items()
    for name in (*sorted(set(topology().subscriptions) - own), "somebody-elses", "..", "a/b", "/")
]

#: A message that each function would work on, whatever its subscription.
MESSAGES = {
    "dispatcher": run_request.encode_run_request(RunRequest(run_id="r1")),
    "collector_relay": events.encode_job("r1", "dvf", trace_id="a" * 32, at=START),
    "aggregator": events.encode_result(an_answer("dvf", run_id="r1")),
}


#: What the aggregator works on that comes by the subscription of notifications.
NOTICE = events.encode_notice(a_run("r1-missed", verdict=RunStatus.MISSED), at=START)


def push(message: Message, subscription: object, **more: object) -> bytes:
    """Return the body of a wrapped push that names *subscription* as it stands."""
    data = base64.b64encode(message.data).decode()
    pushed = {"data": data, "attributes": dict(message.attributes), "messageId": "77"}
    return json.dumps({"message": pushed, "subscription": subscription, **more}).encode()


def requests(message: Message, name: str) -> Iterator[tuple[str, Mapping[str, str], bytes]]:
    """Yield *message* as it comes by the subscription *name*, in every shape and spelling."""
    for spelling in (name, f"projects/p/subscriptions/{name}"):
        yield "wrapped", {"Content-Type": "application/json"}, push(message, spelling)
        headers = {
            "X-Goog-Pubsub-Message-Id": "77",
            "X-Goog-Pubsub-Subscription-Name": spelling,
            **message.attributes,
        }
        yield "unwrapped", headers, message.data
        attributes = {"type": EVENTARC_TYPE, "source": "//pubsub.googleapis.com/x", "id": "77"}
        event = CloudEvent(attributes, json.loads(push(message, spelling)))
        yield "structured", *to_structured(event)


@pytest.fixture
def started(world: World) -> World:
    world.ask()
    world.deliver()
    world.logged.clear()
    return world


@pytest.mark.parametrize(("function", "name"), FOREIGN)
@pytest.mark.parametrize("prefix", ["", "dev-"])
def test_anothers_delivery_is_refused_with_a_reason(
    started: World, client_of: ClientOf, function: str, name: str, prefix: str
) -> None:
    started.parts.settings = replace(started.parts.settings, topic_prefix=prefix)
    for spelled in {name, f"{prefix}{name}"}:
        for shape, headers, body in requests(MESSAGES[function], spelled):
            answer = client_of(function).post("/", headers=headers, data=body)

            assert answer.status_code == 403, shape
            assert answer.text.endswith(f" does not feed {function}")
            severity, sentence, fields = started.logged[-1]
            assert (severity, sentence) == ("WARNING", answer.text)
            assert fields["function"] == function
            assert fields["message_id"] == "77"
    assert (started.dead(), started.client.calls, started.outcomes()) == ([], [], {})


@pytest.mark.parametrize("function", OWN)
def test_the_delivery_of_another_environment_is_refused(
    started: World, client_of: ClientOf, function: str
) -> None:
    started.parts.settings = replace(started.parts.settings, topic_prefix="dev-")
    for own in OWN[function]:
        for name in (own, f"prod-{own}", f"dev-dev-{own}"):
            for _, headers, body in requests(MESSAGES[function], name):
                answer = client_of(function).post("/", headers=headers, data=body)
                assert answer.status_code == 403
    assert (started.dead(), started.client.calls) == ([], [])


@pytest.mark.parametrize("prefix", ["", "dev-"])
@pytest.mark.parametrize("function", OWN)
def test_the_functions_own_delivery_is_taken_in_every_spelling(
    started: World, client_of: ClientOf, function: str, prefix: str
) -> None:
    started.ledger.record(an_answer("dvf", run_id="r1"))
    started.parts.settings = replace(started.parts.settings, topic_prefix=prefix)
    for own in OWN[function]:
        message = NOTICE if own == NOTIFICATIONS else MESSAGES[function]
        for shape, headers, body in requests(message, f"{prefix}{own}"):
            answer = client_of(function).post("/", headers=headers, data=body)
            assert answer.status_code == 204, shape
    assert started.dead() == []


@pytest.mark.parametrize("function", OWN)
@pytest.mark.parametrize("said", [None, "", 17, ["run-requests"], {}])
def test_a_delivery_that_names_no_subscription_goes_by_its_type(
    started: World, client_of: ClientOf, function: str, said: Any
) -> None:
    started.ledger.record(an_answer("dvf", run_id="r1"))
    statuses = {}
    for kind, message in MESSAGES.items():
        answer = client_of(function).post("/", data=push(message, said))
        statuses[kind] = answer.status_code

    assert statuses == {kind: 204 if kind == function else 403 for kind in MESSAGES}
    assert started.dead() == []


@pytest.mark.parametrize(
    ("function", "subscription", "message"),
    [
        ("collector_relay", COLLECTOR_JOBS, Message(b"[]")),
        ("aggregator", COLLECTOR_RESULTS, events.encode_result(an_answer("dvf", run_id="no"))),
    ],
)
def test_a_letter_of_a_delivery_that_names_none_can_be_replayed(
    world: World, client_of: ClientOf, function: str, subscription: str, message: Message
) -> None:
    assert client_of(function).post("/", data=push(message, None)).status_code == 204

    (letter,) = world.ledger.dead_letters(10)
    assert letter.subscription == subscription


def test_the_last_delivery_of_anothers_message_is_refused_as_well(
    started: World, client_of: ClientOf
) -> None:
    """Pub/Sub then forwards it to the dead letters of the subscription that it came by."""
    body = push(MESSAGES["dispatcher"], RUN_REQUESTS, deliveryAttempt=100)

    assert client_of("collector_relay").post("/", data=body).status_code == 403
    assert started.dead() == []
    assert started.logged[-1][2]["delivery_attempt"] == 100


def test_an_eventarc_trigger_is_known_by_its_topic(started: World, client_of: ClientOf) -> None:
    def trigger(topic: str) -> int:
        headers, _ = request_of(MESSAGES["collector_relay"], COLLECTOR_JOBS, "eventarc")
        headers = {**headers, "ce-source": f"//pubsub.googleapis.com/projects/p/topics/{topic}"}
        body = push(MESSAGES["collector_relay"], "projects/p/subscriptions/eventarc-x-sub-1")
        return client_of("collector_relay").post("/", headers=headers, data=body).status_code

    assert trigger(RUN_REQUESTS) == 403
    assert started.client.calls == []
    assert trigger(COLLECTOR_JOBS) == 204
    assert started.client.called("dvf") == 1
