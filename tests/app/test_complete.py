"""Complete: an asynchronous collector reports, with the run's token."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conftest import MakeWorld
from tests.support import World, accepted, catalogue, collector

from fanfold.app.complete import MOST_LATE, TOKEN_GRACE_S, complete
from fanfold.domain.model.collector import Mode
from fanfold.domain.model.errors import BadToken, UnknownCollector, UnknownRun
from fanfold.domain.model.states import Phase
from fanfold.messages.topology import COLLECTOR_RESULTS
from fanfold.runtime.callbacks import take_callback

SUCCEEDED = {"status": "succeeded", "records": 7}


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """Return a world in which dvf has accepted its job and plu has answered."""
    world = make_world(configured=catalogue(collector("dvf", mode=Mode.ASYNC), "plu"))
    world.client.says("dvf", accepted())
    world.ask()
    world.settle()
    world.clock.forward(20)
    return world


def report(world: World, body: dict[str, Any], run_id: str = "r1", name: str = "dvf") -> str:
    parts = world.parts
    return complete(
        run_id,
        name,
        parts.tokens.token(run_id, name),
        body,
        ledger=parts.ledger,
        bus=parts.bus,
        tokens=parts.tokens,
        masks=parts.masks,
        clock=parts.clock,
    ).words


def post(world: World, body: bytes, token: str | None = None, path: str = "r1/dvf") -> int:
    token = world.parts.tokens.token("r1", "dvf") if token is None else token
    return take_callback(world.parts, f"/callback/{path}", f"Bearer {token}", body)[0]


def test_an_answer_that_comes_later_ends_the_run(world: World) -> None:
    assert report(world, SUCCEEDED) == "succeeded"
    world.settle()

    answer = world.ledger.answer("r1", "dvf")
    assert answer is not None
    assert (answer.records, [each.outcome for each in answer.attempts]) == (7, ["accepted"])
    assert (answer.attempts[0].end_time - answer.attempts[0].start_time).total_seconds() == 20
    assert world.run().phase is Phase.FINAL


def test_the_same_body_twice_is_one_answer(world: World) -> None:
    report(world, SUCCEEDED)
    world.clock.forward(5)
    assert report(world, SUCCEEDED) == "succeeded"
    world.settle()

    assert list(world.ledger.lates("r1")) == []
    assert world.finished_events() == ["r1/1"]


def test_another_body_is_kept_as_evidence(world: World) -> None:
    report(world, SUCCEEDED)
    assert "kept as late" in report(world, SUCCEEDED | {"records": 8})

    world.settle()
    assert [late.answer.records for late in world.ledger.lates("r1")] == [8]
    assert world.finished_events() == ["r1/1", "r1/2"]


def test_progress_is_noted_and_decides_nothing(world: World) -> None:
    assert report(world, {"fraction": 0.4, "message": "downloading"}) == "progress noted"

    noted = {job.collector: job.progress for job in world.ledger.jobs("r1")}["dvf"]
    assert noted is not None
    assert noted["fraction"] == 0.4
    assert world.outcomes() == {"plu": "succeeded"}
    assert world.waiting(COLLECTOR_RESULTS) == []


def test_an_answer_after_its_time_is_up_is_late(world: World) -> None:
    world.live(120)
    assert world.outcomes()["dvf"] == "timed_out"
    assert "kept as late" in report(world, SUCCEEDED)
    world.settle()

    assert world.outcomes()["dvf"] == "timed_out"
    assert world.finished_events() == ["r1/1", "r1/2"]


def test_at_most_a_few_late_answers_of_one_collector_are_kept(world: World) -> None:
    for records in range(9):
        said = report(world, SUCCEEDED | {"records": records})
        world.settle()
        world.clock.forward(1)
    assert said == f"not kept: {MOST_LATE} late answers of this collector are kept already"
    assert [late.answer.records for late in world.ledger.lates("r1")] == [1, 2, 3]
    assert world.run().revision == 1 + MOST_LATE

    assert report(world, SUCCEEDED | {"records": 0}) == "succeeded"
    assert "kept as late" in report(world, SUCCEEDED | {"records": 2})


def test_a_token_ends_with_its_run_and_a_grace(world: World) -> None:
    report(world, SUCCEEDED)
    world.settle()
    world.clock.forward(TOKEN_GRACE_S)
    assert post(world, b'{"status": "succeeded", "records": 1}') == 200
    world.clock.forward(1)
    for body in (b'{"status": "succeeded", "records": 2}', b'{"fraction": 0.4}'):
        assert post(world, body) == 401
    world.settle()
    assert [late.answer.records for late in world.ledger.lates("r1")] == [1]


def test_who_was_not_asked_has_nothing_to_report(world: World) -> None:
    with pytest.raises(UnknownRun):
        report(world, SUCCEEDED, run_id="nobody")
    with pytest.raises(UnknownCollector):
        report(world, SUCCEEDED, name="stranger")


def test_a_token_opens_one_collector_of_one_run_alone(world: World) -> None:
    tokens = world.parts.tokens
    for token in (tokens.token("r1", "plu"), tokens.token("r2", "dvf"), "", "é"):
        with pytest.raises(BadToken):
            complete(
                "r1",
                "dvf",
                token,
                SUCCEEDED,
                ledger=world.ledger,
                bus=world.bus,
                tokens=tokens,
                masks=world.parts.masks,
                clock=world.clock,
            )
    assert world.outcomes() == {"plu": "succeeded"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b'{"status": "succeeded"}', 200, id="an answer"),
        pytest.param(b'{"fraction": 0.1}', 200, id="progress"),
        pytest.param(b"{", 400, id="half an object"),
        pytest.param(b"[]", 400, id="a list"),
        pytest.param(b'{"status": "failed", "error": "\\ud800"}', 400, id="half a character"),
        pytest.param(b" " * (1024 * 1024 + 1), 413, id="too much"),
    ],
)
def test_a_callback_is_told_what_became_of_it(world: World, body: bytes, status: int) -> None:
    assert post(world, body) == status


@pytest.mark.parametrize("path", ["r1", "r1/dvf/x", "r1/../dvf", "", "r1/dvf\n"])
def test_a_callback_to_nowhere_is_not_found(world: World, path: str) -> None:
    assert post(world, b"{}", path=path) == 404


def test_a_stranger_learns_nothing_about_which_runs_exist(world: World) -> None:
    bodies = {
        path: take_callback(world.parts, f"/callback/{path}", "Bearer guess", b"{broken")
        for path in ("r1/dvf", "r9/dvf", "r1/stranger")
    }
    assert len({str(answer) for answer in bodies.values()}) == 1
    assert bodies["r1/dvf"][0] == 401
    assert take_callback(world.parts, "/callback/r1/dvf", "Basic x", b"{}")[0] == 401


def test_a_right_token_for_a_run_that_expired_is_told_so(world: World) -> None:
    token = world.parts.tokens.token("r9", "dvf")
    assert post(world, b'{"status": "succeeded"}', token, "r9/dvf") == 404
