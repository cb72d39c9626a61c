"""The service of the callbacks: the relay's bundle, deployed with another entry point."""

from __future__ import annotations

import json

import pytest
from tests.functions.conftest import ClientOf, request_of
from tests.support import START, World, accepted
from werkzeug.test import TestResponse

from fanfold.domain.model.errors import StoreUnavailable
from fanfold.messages import events
from fanfold.messages.topology import COLLECTOR_JOBS
from fanfold.runtime import refusals


@pytest.fixture
def accepted_world(world: World) -> World:
    """Return a world whose collector ``dvf`` answers later; ``plu`` is done."""
    world.ask()
    world.client.says("dvf", accepted())
    world.settle()
    return world


def call_back(
    world: World,
    client_of: ClientOf,
    body: object,
    *,
    path: str = "/callback/r1/dvf",
    **headers: str,
) -> TestResponse:
    token = world.parts.tokens.token("r1", "dvf")
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client_of("callbacks").post(
        path, data=data, headers={"Authorization": f"Bearer {token}"} | headers
    )


def test_a_collector_answers_there_as_often_as_it_likes(
    accepted_world: World, client_of: ClientOf
) -> None:
    body = {"status": "succeeded", "records": 3}
    answers = [call_back(accepted_world, client_of, body) for _ in range(2)]
    accepted_world.settle()

    assert [each.status_code for each in answers] == [200, 200]
    assert [each.mimetype for each in answers] == ["application/json"] * 2
    assert accepted_world.outcomes()["dvf"] == "succeeded"
    assert accepted_world.finished_events() == ["r1/1"]


def the_lines(world: World) -> list[tuple[str, str]]:
    """Return severity and sentence of what the service logged of callbacks."""
    return [
        (severity, sentence)
        for severity, sentence, fields in world.logged
        if fields.get("function") == "callbacks"
    ]


def test_every_callback_is_logged_with_its_run_and_collector(
    accepted_world: World, client_of: ClientOf
) -> None:
    call_back(accepted_world, client_of, {"fraction": 0.5, "message": "half"})
    call_back(accepted_world, client_of, {"status": "succeeded"}, Authorization="Bearer s3cret")
    call_back(accepted_world, client_of, b"{")
    call_back(accepted_world, client_of, {"status": "succeeded"}, path="/callback/no/such/path")

    told = [fields for *_, fields in accepted_world.logged if fields["function"] == "callbacks"]
    assert [each["http_status"] for each in told] == [200, 401]  # refusals do not fill the log
    assert [(each["run_id"], each["collector"]) for each in told] == [("r1", "dvf")] * 2
    assert [severity for severity, _ in the_lines(accepted_world)] == ["INFO", "WARNING"]
    assert the_lines(accepted_world)[1][1].startswith("callback refused: the callback's token")
    assert "s3cret" not in str(accepted_world.logged)


def test_refused_callbacks_are_counted_in_the_next_line_of_the_log(
    accepted_world: World, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in ("/callback/r1/dvf", "/nothing", "/callback/r1/dvf"):
        call_back(accepted_world, client_of, b"{", path=path)
    monkeypatch.setattr(refusals, "TELL_EVERY_S", 0.0)
    call_back(accepted_world, client_of, b"{", path="/callback/no/such/path\x1b[31m")

    told = [fields for *_, fields in accepted_world.logged if fields["function"] == "callbacks"]
    assert [each["refused"] for each in told] == [1, 3]
    assert [each["http_status"] for each in told] == [400, 404]
    assert "\x1b" not in str(accepted_world.logged)


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer x", "Basic x"])
def test_a_callback_without_its_token_is_refused_with_a_reason(
    accepted_world: World, client_of: ClientOf, authorization: str
) -> None:
    refused = call_back(
        accepted_world, client_of, {"status": "succeeded"}, Authorization=authorization
    )

    assert refused.status_code == 401
    assert "token" in refused.get_json()["error"]
    assert "dvf" not in accepted_world.outcomes()


def test_a_store_that_is_away_asks_the_collector_to_try_again(
    accepted_world: World, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("not now")

    with monkeypatch.context() as patch:
        patch.setattr(accepted_world.ledger, "snapshot", away)
        answer = call_back(accepted_world, client_of, {"status": "succeeded", "records": 3})
    assert (answer.status_code, answer.get_json()) == (503, {"error": "try again: not now"})
    assert the_lines(accepted_world) == [("NOTICE", "refused: try again: not now")]
    assert (
        call_back(accepted_world, client_of, {"status": "succeeded", "records": 3}).status_code
        == 200
    )


@pytest.mark.parametrize(
    "path", ["/", "/callback", "/callback/r1", "/callback/r1/dvf/x", "/collector_relay"]
)
@pytest.mark.parametrize("shape", ["wrapped", "eventarc", "unwrapped"])
def test_a_job_cannot_be_posted_there(
    accepted_world: World, client_of: ClientOf, path: str, shape: str
) -> None:
    """Whoever may call back holds no right to have a collector invoked."""
    called = len(accepted_world.client.calls)
    job = events.encode_job("r1", "dvf", trace_id="a" * 32, at=START)
    headers, body = request_of(job, COLLECTOR_JOBS, shape)

    answer = client_of("callbacks").post(path, data=body, headers=headers)

    assert answer.status_code == 404
    assert answer.get_json() == {"error": "nothing here; callbacks go to /callback/RUN/COLLECTOR"}
    assert len(accepted_world.client.calls) == called
    assert accepted_world.dead() == []
