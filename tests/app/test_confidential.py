"""What a collector was sent in confidence does not come back with what it says later."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from tests.conftest import MakeWorld
from tests.support import World, accepted, catalogue, collector

from fanfold.domain.model.collector import Auth, AuthKind, Mode
from fanfold.domain.protocol.masking import LEFT_OUT
from fanfold.messages.topology import COLLECTOR_RESULTS
from fanfold.ports.bus import Message
from fanfold.runtime.callbacks import take_callback

CANARY = "canary/3f9a+51c07b"
BEARER = Auth(AuthKind.BEARER, {"Authorization": "Bearer ${TOKEN}"})


def made(make_world: MakeWorld, env: dict[str, str]) -> World:
    dvf = collector("dvf", mode=Mode.ASYNC, auth=BEARER)
    world = make_world(configured=catalogue(dvf, "plu"), env=env)
    world.client.says("dvf", accepted())
    world.ask()
    world.settle()
    return world


def by_callback(world: World, words: dict[str, Any]) -> None:
    body = json.dumps(words).replace("/", "\\/").encode()
    status, _ = take_callback(world.parts, "/callback/r1/dvf", f"Bearer {world.token('dvf')}", body)
    assert status == 200


def by_topic(world: World, words: dict[str, Any]) -> None:
    document = {"run_id": "r1", "collector": "dvf", "token": world.token("dvf"), **words}
    world.publish(COLLECTOR_RESULTS, Message(json.dumps(document).encode(), {}))
    world.settle()


WAYS = pytest.mark.parametrize("way", [by_callback, by_topic])


@WAYS
def test_an_answer_is_masked_with_the_collector_s_own_secrets(
    make_world: MakeWorld, way: Any
) -> None:
    world = made(make_world, {"TOKEN": CANARY})
    packed = base64.b64encode(CANARY.encode()).decode()
    said = f"got {CANARY}, %63anary%2F3f9a%2B51c07b, {packed} and {world.token('dvf')}"

    way(world, {"status": "succeeded", "records": 7, "warnings": [said], "metrics": {said: 1}})

    answer = world.ledger.answer("r1", "dvf")
    assert answer is not None
    assert answer.records == 7
    assert answer.warnings == ("got ***, ***, *** and ***",)
    assert dict(answer.metrics) == {"got ***, ***, *** and ***": 1}


@WAYS
def test_a_failure_and_progress_are_masked(make_world: MakeWorld, way: Any) -> None:
    world = made(make_world, {"TOKEN": CANARY})

    way(world, {"fraction": 0.5, "message": f"with {CANARY}"})
    (job,) = (each for each in world.ledger.jobs("r1") if each.collector == "dvf")
    assert job.progress is not None
    assert job.progress["message"] == "with ***"

    way(world, {"status": "failed", "error": {"message": f"with {CANARY}", "kind": "quota"}})
    answer = world.ledger.answer("r1", "dvf")
    assert answer is not None
    assert answer.error is not None
    assert (answer.error.kind, answer.error.message) == ("quota", "with ***")


@WAYS
@pytest.mark.parametrize("env", [{}, {"TOKEN": "kept-by-the-function-that-needs-it"}])
def test_where_the_secret_is_unknown_the_numbers_count_and_the_words_are_left_out(
    make_world: MakeWorld, way: Any, env: dict[str, str]
) -> None:
    world = made(make_world, env)

    way(world, {"status": "succeeded", "records": 7, "warnings": [f"got {CANARY}"]})

    answer = world.ledger.answer("r1", "dvf")
    assert answer is not None
    assert (answer.records, answer.warnings) == (7, (LEFT_OUT,))
