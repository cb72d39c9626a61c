"""Messages that nobody can read, and requests that cannot start a run."""

from __future__ import annotations

import time

import pytest
from tests.scenarios.world import PATIENCE_S, World

from fanfold.domain.model.request import RunRequest
from fanfold.messages import records, topology
from fanfold.ports.bus import Message
from fanfold.ports.ledger import DeadLetter


def _letters(world: World, number: int) -> list[DeadLetter]:
    until = time.monotonic() + PATIENCE_S
    while len(letters := list(world.parts.ledger.dead_letters(100))) < number:
        assert time.monotonic() < until, letters
        time.sleep(0.02)
    return letters


def test_poison_is_kept_with_its_reason_and_stops_nothing(world: World) -> None:
    world.configure(["dvf"])
    world.start()

    for topic in (topology.COLLECTOR_JOBS, topology.COLLECTOR_RESULTS):
        world.publish(topic, Message(b"\xff not json"), Message(b"[1, 2]"))
    world.publish(topology.COLLECTOR_RESULTS, Message(b'{"run_id": "nobody", "collector": "dvf"}'))
    world.ask(RunRequest(run_id="r1"))
    world.report("r1")
    letters = _letters(world, 5)

    assert len(letters) == 5
    assert all(letter.reason for letter in letters)
    assert any("nobody" in letter.reason for letter in letters)


def test_a_result_of_a_collector_that_was_not_asked_is_a_dead_letter(world: World) -> None:
    world.configure(["dvf", "plu"])
    world.start()
    world.ask(RunRequest(run_id="r1", collectors=("dvf",)))
    before = world.report("r1")

    body = {"run_id": "r1", "collector": "plu", "status": "succeeded", "records": 1}
    body["token"] = world.parts.tokens.token("r1", "plu")
    world.publish(topology.COLLECTOR_RESULTS, Message(records.json_bytes(body)))

    assert "did not ask collector 'plu'" in _letters(world, 1)[0].reason
    assert world.report("r1") == before


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        pytest.param(b'{"collectors": ["sirenne"]}', "did you mean 'sirene'", id="unknown name"),
        pytest.param(b'{"colectors": ["sirene"]}', "did you mean 'collectors'", id="unknown key"),
        pytest.param(b"{nope", "not JSON", id="broken JSON"),
        pytest.param(b'{"run_id": "../x"}', "run_id", id="an id that escapes"),
    ],
)
def test_a_request_that_cannot_start_is_recorded_and_acknowledged(
    world: World, data: bytes, hint: str
) -> None:
    world.configure(["dvf", "sirene"])
    world.start()

    world.publish(topology.RUN_REQUESTS, Message(data))
    notice = world.wait_for_notice("-rejected")

    assert hint in notice.about
    assert notice.status.value == "rejected"
    assert world.collectors.asked == []
