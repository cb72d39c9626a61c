"""Who is believed: the ledger, and a collector that shows its run's token. No message by itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.conftest import MakeWorld
from tests.support import World, accepted, an_answer, catalogue, collector

from fanfold.domain.model.collector import Mode
from fanfold.domain.model.run import LateAnswer
from fanfold.domain.protocol.contract import Call, Reply, request_body
from fanfold.messages import events
from fanfold.messages.records import json_bytes
from fanfold.messages.topology import COLLECTOR_RESULTS
from fanfold.ports.bus import Message
from fanfold.runtime.callbacks import take_callback
from fanfold.runtime.parts import CallbackAddress

WORDS: dict[str, Any] = {"status": "succeeded", "records": 7}
PROGRESS: dict[str, Any] = {"fraction": 0.5, "message": "half way"}


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """Return a world in which slow has accepted its job, and nobody else is asked."""
    world = make_world(configured=catalogue(collector("slow", mode=Mode.ASYNC)))
    world.client.says("slow", accepted())
    world.ask()
    world.settle()
    return world


def publish(world: World, document: dict[str, Any], **attributes: str) -> None:
    """Publish *document* for slow in r1 on the results topic, as anybody may who can publish."""
    named = {"run_id": "r1", "collector": "slow"} | document
    world.publish(COLLECTOR_RESULTS, Message(json_bytes(named), attributes))
    world.settle()


def progress(world: World) -> Any:
    (job,) = world.ledger.jobs("r1")
    return job.progress


def untouched(world: World) -> bool:
    return world.outcomes() == {} and progress(world) is None and not world.ledger.lates("r1")


@pytest.mark.parametrize("words", [WORDS, PROGRESS, {"status": "failed"}, {"records": "many"}])
@pytest.mark.parametrize("token", ["", "guess", None, 5, ["x"]])
def test_words_without_the_token_are_a_dead_letter(
    world: World, words: dict[str, Any], token: Any
) -> None:
    publish(world, words | {"token": token})

    assert untouched(world)
    assert len(world.dead()) == 1
    assert "token" in world.dead()[0]


def test_nobody_answers_for_a_collector_that_is_being_called(make_world: MakeWorld) -> None:
    world = make_world(configured=catalogue("slow"))

    def meanwhile(_: Call) -> Reply:
        publish(world, WORDS)
        return Reply(503, failure=None, findings=None)

    world.client.says("slow", meanwhile)
    world.ask()
    world.settle()

    assert world.outcomes() == {"slow": "failed"}
    assert len(world.dead()) == 1


def test_the_token_of_another_run_or_collector_is_none(world: World) -> None:
    for token in (world.token("slow", "r2"), world.token("dvf")):
        publish(world, WORDS | {"token": token})
        publish(world, WORDS, token=token)

    assert untouched(world)
    assert len(world.dead()) == 4


@pytest.mark.parametrize("where", ["field", "attribute"])
def test_a_collector_that_shows_its_token_is_heard(world: World, where: str) -> None:
    token = world.token("slow")
    for words in (PROGRESS, WORDS):
        if where == "field":
            publish(world, words | {"token": token})
        else:
            publish(world, words, token=token)

    assert progress(world)["fraction"] == 0.5
    assert world.outcomes() == {"slow": "succeeded"}
    assert world.dead() == []
    assert world.finished_events() == ["r1/1"]


@pytest.mark.parametrize("change", [{}, {"records": -5}, {"outcome": "failed"}, {"error": "x"}])
def test_an_event_of_ours_is_not_believed_before_the_ledger_holds_its_answer(
    world: World, change: dict[str, Any]
) -> None:
    message = events.encode_result(an_answer("slow", run_id="r1"))
    document = json.loads(message.data)
    document["answer"] |= change
    world.publish(COLLECTOR_RESULTS, Message(json_bytes(document), message.attributes))
    world.settle()

    assert untouched(world)
    assert world.dead() == ["the ledger does not hold this answer of 'slow' in run 'r1'"]


@pytest.mark.parametrize("encode", [events.encode_result, events.encode_late_result])
def test_an_event_of_ours_makes_no_late_evidence(world: World, encode: Any) -> None:
    publish(world, WORDS | {"token": world.token("slow")})
    forged = an_answer("slow", run_id="r1", writer="forged", records=99)
    world.publish(COLLECTOR_RESULTS, encode(forged))
    world.settle()

    assert list(world.ledger.lates("r1")) == []
    assert world.finished_events() == ["r1/1"]
    assert len(world.dead()) == 1


def test_late_evidence_that_the_ledger_holds_makes_the_next_revision(world: World) -> None:
    publish(world, WORDS | {"token": world.token("slow")})
    late = an_answer("slow", run_id="r1", writer="late", records=99)
    world.ledger.keep_late(LateAnswer(late, world.clock.now()))
    message = events.encode_late_result(late)
    document = json.loads(message.data)
    document["answer"] |= {"records": -5, "collector": "slow"}
    world.publish(COLLECTOR_RESULTS, Message(json_bytes(document), message.attributes))
    world.settle()

    second = json.loads(world.report(revision=2) or b"{}")
    assert [each["records"] for each in second["late"]] == [99]
    assert world.dead() == []


def test_a_message_of_ids_alone_counts_what_is_stored(world: World) -> None:
    publish(world, {})
    assert world.dead() == ["the ledger does not hold this answer of 'slow' in run 'r1'"]

    world.ledger.record(an_answer("slow", run_id="r1"))
    publish(world, {})
    assert world.finished_events() == ["r1/1"]


def test_the_same_words_by_callback_and_topic_are_one_answer(world: World) -> None:
    token = world.token("slow")
    body = json_bytes(WORDS)
    assert take_callback(world.parts, "/callback/r1/slow", f"Bearer {token}", body)[0] == 200
    named = json_bytes(WORDS | {"run_id": "r1", "collector": "slow", "token": token})
    assert take_callback(world.parts, "/callback/r1/slow", f"Bearer {token}", named)[0] == 200
    publish(world, WORDS | {"token": token})
    publish(world, WORDS, token=token)

    assert list(world.ledger.lates("r1")) == []
    assert world.finished_events() == ["r1/1"]


def test_progress_after_the_answer_changes_nothing(world: World) -> None:
    token = world.token("slow")
    publish(world, WORDS | {"token": token})
    before = progress(world)
    publish(world, PROGRESS | {"token": token})

    assert progress(world) == before
    assert world.dead() == []


def test_a_collector_is_told_its_token_even_where_there_is_no_endpoint(world: World) -> None:
    (call,) = world.client.calls
    tokens = world.parts.tokens
    no_endpoint = CallbackAddress(tokens)("r1", "slow")
    no_key = CallbackAddress(tokens, "https://relay.example", gives_tokens=False)("r1", "slow")

    assert request_body(call)["callback"] == {
        "url": "https://relay.example/callback/r1/slow",
        "token": world.token("slow"),
    }
    assert no_endpoint == {"token": world.token("slow")}
    assert no_key is None


def test_a_callback_without_an_endpoint_has_no_address(make_world: MakeWorld) -> None:
    world = make_world(configured=catalogue("slow"))
    world.parts.callback.base = ""
    world.ask()
    world.settle()

    (call,) = world.client.calls
    assert request_body(call)["callback"] == {"url": None, "token": world.token("slow")}


def test_a_dead_letter_keeps_what_its_replay_needs_and_no_signed_token(
    make_world: MakeWorld,
) -> None:
    world = make_world(configured=catalogue(collector("slow", mode=Mode.ASYNC)))
    world.client.says("slow", accepted())
    signed = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl"
    words = WORDS | {"token": world.token("slow"), "warnings": [f"sent {signed}"]}
    publish(world, words)  # before its run is there
    (letter,) = world.ledger.dead_letters(9)
    assert signed.encode() not in letter.data
    assert world.token("slow").encode() in letter.data

    world.ask()
    world.settle()
    world.publish(COLLECTOR_RESULTS, Message(letter.data, letter.attributes))
    world.settle()
    assert world.outcomes() == {"slow": "succeeded"}
    (answer,) = world.ledger.answers("r1")
    assert answer.warnings == ("sent ***",)
