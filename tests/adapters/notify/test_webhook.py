"""What a webhook of ``notify`` receives, by a listener that checks it with the stock libraries."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from cloudevents.http import CloudEvent, from_http
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError
from tests.conftest import MakeWorld
from tests.support import World, broken, catalogue, collector, ok
from werkzeug import Request, Response

from fanfold.adapters.clock import SystemClock
from fanfold.adapters.notify.webhook import WebhookTarget
from fanfold.adapters.secrets import EnvironmentSecrets
from fanfold.domain.model.errors import NotConfigured, TargetAway, TargetRefuses
from fanfold.messages import events
from fanfold.messages.topology import NOTIFICATIONS, RUN_REQUESTS, topology
from fanfold.ports.bus import Message

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
REPORT = {
    **dict.fromkeys(("summary", "start_time", "end_time")),
    "run_id": "r1",
    "revision": 1,
    "status": "failed",
    "about": "1 of 2 succeeded: plu said HTTP 503 à Orly",
}
EVENT = events.encode_finished(REPORT, "reports/r1", at=datetime(2026, 11, 23, tzinfo=UTC))


class Listener:
    """Checks the signature of each request with the stock library, and keeps its CloudEvent."""

    def __init__(self) -> None:
        self.events: list[CloudEvent] = []
        self.answer = Response(status=204)

    def __call__(self, request: Request) -> Response:
        Webhook(SECRET).verify(request.get_data(), dict(request.headers))
        self.events.append(from_http(dict(request.headers), request.get_data()))
        return self.answer

    def told(self) -> list[tuple[str, str]]:
        return [(each["type"], each.data["about"]) for each in self.events]


@pytest.fixture
def listener(httpserver: HTTPServer) -> Listener:
    listener = Listener()
    httpserver.expect_request("/hook", method="POST").respond_with_handler(listener)
    return listener


def target(url: str, **env: str) -> WebhookTarget:
    secrets = EnvironmentSecrets({"HOOK": url, "HOOK_SECRET": SECRET, **env})
    return WebhookTarget("${HOOK}", "${HOOK_SECRET}", secrets, SystemClock())


def test_a_finished_event_arrives_as_a_signed_structured_cloudevent(
    listener: Listener, httpserver: HTTPServer
) -> None:
    target(httpserver.url_for("/hook")).tell(EVENT)

    (event,) = listener.events
    assert (event["id"], event["type"]) == ("r1/1", "dev.fanfold.run.finished.v1")
    assert event.data == json.loads(EVENT.data)
    (request, _) = httpserver.log[0]
    assert request.headers["Content-Type"] == "application/cloudevents+json"
    assert request.headers["webhook-id"] == "r1/1"


def test_another_secret_does_not_verify(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/hook").respond_with_data("")
    target(httpserver.url_for("/hook")).tell(EVENT)

    (request, _) = httpserver.log[0]
    other = Webhook("whsec_" + "A" * 44)
    with pytest.raises(WebhookVerificationError):
        other.verify(request.get_data(), dict(request.headers))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (500, TargetAway),
        (503, TargetAway),
        (429, TargetAway),
        (408, TargetAway),
        (302, TargetRefuses),
        (401, TargetRefuses),
        (410, TargetRefuses),
    ],
)
def test_what_the_target_answers_decides_whether_it_is_told_again(
    httpserver: HTTPServer, status: int, error: type[Exception]
) -> None:
    elsewhere = {"Location": httpserver.url_for("/elsewhere")}
    httpserver.expect_request("/hook").respond_with_data("", status, elsewhere)
    httpserver.expect_request("/elsewhere").respond_with_data("")

    with pytest.raises(error, match=f"notify.webhook answered HTTP {status}"):
        target(httpserver.url_for("/hook")).tell(EVENT)
    assert [request.path for request, _ in httpserver.log] == ["/hook"]


def test_a_target_that_is_away_is_told_later_and_its_url_is_not_shown() -> None:
    with pytest.raises(TargetAway) as raised:
        target("http://127.0.0.1:9/hook-s3cr3t").tell(EVENT)

    assert "s3cr3t" not in str(raised.value)
    assert "ConnectionError" in str(raised.value)


@pytest.mark.parametrize("url", ["http://hooks.example/x", "ftp://hooks.example", "https://u:p@h/"])
def test_an_address_that_no_secret_may_travel_to_is_not_called(url: str) -> None:
    with pytest.raises(NotConfigured, match=r"notify\.webhook") as raised:
        target(url).tell(EVENT)

    assert url not in str(raised.value)


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"HOOK_SECRET": ""}, "HOOK_SECRET is not set"),
        ({"HOOK_SECRET": "whsec_not base 64!"}, "no secret of Standard Webhooks"),
    ],
)
def test_a_secret_that_cannot_sign_is_told(env: dict[str, str], sentence: str) -> None:
    with pytest.raises(NotConfigured, match=sentence):
        target("http://127.0.0.1:9/", **env).tell(EVENT)


def nightly(make_world: MakeWorld, httpserver: HTTPServer) -> World:
    configured = catalogue(
        collector("dvf", cron="15 2 * * *"),
        collector("plu", cron="15 2 * * *", max_attempts=1),
        missed_after_s=2700.0,
        notify={"on": (), "webhook": {"url": "${HOOK}", "secret": "${HOOK_SECRET}"}},
    )
    return make_world(
        configured=configured,
        env={"HOOK": httpserver.url_for("/hook"), "HOOK_SECRET": SECRET},
    )


def test_a_webhook_hears_of_every_finished_missed_and_refused_run_once(
    make_world: MakeWorld, listener: Listener, httpserver: HTTPServer
) -> None:
    world = nightly(make_world, httpserver)
    world.client.says("plu", broken(404, retryable=False), ok(40))
    for run_id in ("first", "second"):
        world.ask(run_id=run_id)
        world.settle()
    world.publish(RUN_REQUESTS, Message(b'{"tags": ["dailly"]}'))
    world.settle()
    world.clock.forward(86_400 + 2760)
    world.tick()

    assert [kind.split(".")[3] for kind, _ in listener.told()] == [
        "finished",
        "finished",
        "rejected",
        "missed",
    ]
    abouts = [about for _, about in listener.told()]
    assert abouts[0].startswith("1 of 2 succeeded")
    assert abouts[1].startswith("all 2 succeeded") or abouts[1].startswith("2 of 2 succeeded")
    assert "dailly" in abouts[2]
    assert abouts[3].startswith("missed: no run came for the slot")
    for delivered in list(httpserver.log):
        assert delivered[1].status_code == 204


def test_a_redelivery_sends_nothing_twice(
    make_world: MakeWorld, listener: Listener, httpserver: HTTPServer
) -> None:
    world = nightly(make_world, httpserver)
    world.ask(run_id="r1")
    world.settle()
    (event,) = [message for topic, message in world.published if topic == "run-reports"]
    world.publish("run-reports", event)
    world.settle()

    assert len(listener.events) == 1


def test_a_target_that_is_away_is_a_dead_letter_in_the_end_and_the_run_ends_all_the_same(
    make_world: MakeWorld, listener: Listener, httpserver: HTTPServer
) -> None:
    world = nightly(make_world, httpserver)
    listener.answer = Response(status=503)
    world.ask(run_id="r1")
    world.settle()
    assert world.run().announced_at is not None
    world.live(4 * 3600, step_s=600)

    attempts = topology().subscriptions[NOTIFICATIONS].max_delivery_attempts
    assert len(httpserver.log) <= (attempts or 0)
    (reason,) = world.dead()
    assert "notify.webhook answered HTTP 503" in reason


def test_a_target_that_refuses_is_a_dead_letter_at_once(
    make_world: MakeWorld, listener: Listener, httpserver: HTTPServer
) -> None:
    world = nightly(make_world, httpserver)
    listener.answer = Response(status=403)
    world.ask(run_id="r1")
    world.settle()

    assert world.dead() == ["notify.webhook answered HTTP 403"]
    assert len(listener.events) == 1


def test_without_a_target_nobody_is_told(make_world: MakeWorld) -> None:
    world = make_world()
    world.ask()
    world.settle()

    assert world.dead() == []
    assert [text for _, text, of in world.logged if of.get("event")] == ["no target to tell"]


def test_a_foreign_message_on_run_reports_is_a_dead_letter(make_world: MakeWorld) -> None:
    world = make_world()
    for data, attributes in (
        (b"{}", {}),
        (b"{}", {"ce-type": events.RUN_FINISHED}),
        (b'{"run_id": "r1"}', {"ce-type": events.RUN_FINISHED, "ce-id": "r2/1"}),
        (b'{"run_id": "../x"}', {"ce-type": events.RUN_MISSED, "ce-id": "../x/1"}),
    ):
        world.publish("run-reports", Message(data, attributes))
    world.settle()

    assert len(world.dead()) == 4
