"""What people, a machine and a monitor receive from the first failure to the recovery.

One listener for each of them, on both backends: Apprise's JSON target, a webhook that checks the
signature with the stock library, and a check of Healthchecks.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook
from tests.promises.conftest import Backend
from tests.support import START, World, broken, catalogue, collector, ok
from werkzeug import Request, Response

from fanfold.messages.topology import RUN_REQUESTS
from fanfold.ports.bus import Message

# Apprise loads all its services, and with them modules that Python will drop.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="

NOT_FOUND = broken(404, retryable=False)


class Listener:
    """Keeps what people, the machine and the monitor were sent since it was last asked."""

    def __init__(self, httpserver: HTTPServer) -> None:
        self.url = httpserver.url_for
        self.heard: list[str] = []
        self.bodies: list[str] = []
        httpserver.expect_request("/people").respond_with_handler(self._people)
        httpserver.expect_request("/machine").respond_with_handler(self._machine)
        for signal in ("", "/start", "/fail"):
            server = httpserver.expect_request(f"/monitor{signal}")
            server.respond_with_handler(self._monitor)

    def _people(self, request: Request) -> Response:
        message = json.loads(request.get_data())
        self.bodies.append(message["message"])
        return self._keep(f"people: {message['title']}")

    def _machine(self, request: Request) -> Response:
        Webhook(SECRET).verify(request.get_data(), dict(request.headers))
        return self._keep(f"machine: {json.loads(request.get_data())['type'].split('.')[-2]}")

    def _monitor(self, request: Request) -> Response:
        return self._keep(f"monitor: {request.path.removeprefix('/monitor')[1:] or 'success'}")

    def _keep(self, what: str) -> Response:
        self.heard.append(what)
        return Response("OK")

    def since(self) -> list[str]:
        """Return what was received since the last call, in the order of the alphabet."""
        heard, self.heard = sorted(self.heard), []
        return heard


@pytest.fixture
def listener(httpserver: HTTPServer) -> Listener:
    return Listener(httpserver)


@pytest.fixture
def world(backend: Backend, listener: Listener) -> World:
    notify = {
        "on": ("failed", "recovered", "missed", "rejected"),
        "to": ("${PEOPLE}",),
        "webhook": {"url": "${MACHINE}", "secret": "${SIGN}"},
        "heartbeat": "${MONITOR}",
    }
    configured = catalogue(
        collector("dvf", cron="15 2 * * *"),
        collector("plu", cron="15 2 * * *", max_attempts=1),
        missed_after_s=2700.0,
        notify=notify,
    )
    env = {
        "PEOPLE": listener.url("/people").replace("http:", "json:"),
        "MACHINE": listener.url("/machine"),
        "MONITOR": listener.url("/monitor"),
        "SIGN": SECRET,
    }
    return backend(configured=configured, env=env)


def night(world: World, number: int, plu: Any) -> str:
    """Let the slot of the night *number* run; return the id of its run."""
    world.client.says("plu", plu)
    world.clock.at = START.replace(day=START.day + number)
    world.tick()
    world.ask(run_id=None, schedule="nightly")
    world.settle()
    return f"2026-11-{START.day + number}T0215Z-nightly"


GOOD_NIGHT = ["machine: finished", "monitor: start", "monitor: success"]
BAD_NIGHT = ["machine: finished", "monitor: fail", "monitor: start"]


def test_first_failure_silence_reminder_and_recovery_by_a_retry(
    world: World, listener: Listener
) -> None:
    night(world, 0, ok(40))
    assert listener.since() == GOOD_NIGHT
    night(world, 1, NOT_FOUND)
    assert listener.since() == [*BAD_NIGHT, "people: ✗ plu failed: http 404"]
    night(world, 2, NOT_FOUND)
    assert listener.since() == BAD_NIGHT
    last = night(world, 3, NOT_FOUND)
    assert listener.since() == [*BAD_NIGHT, "people: ✗ plu still failing, 3 slots: http 404"]

    world.client.says("plu", ok(48))
    world.ask(run_id=None, collectors=("plu",), retry_of=last)
    world.settle()
    # The second try is a run of the same slot, so the monitor hears of it too.
    assert listener.since() == [*GOOD_NIGHT, "people: ✓ plu recovered after 3 failed slots"]
    night(world, 4, ok(48))
    assert listener.since() == GOOD_NIGHT


def test_a_run_by_hand_recovers_a_collector_too(world: World, listener: Listener) -> None:
    night(world, 0, NOT_FOUND)
    listener.since()
    world.client.says("plu", ok(48))
    world.ask(run_id="by-hand", collectors=("plu",))
    world.settle()

    assert listener.since() == ["machine: finished", "people: ✓ plu recovered after 1 failed slot"]
    night(world, 1, ok(48))
    assert listener.since() == GOOD_NIGHT


def test_the_missed_slots_of_an_outage_are_one_message_to_people_and_a_fail(
    world: World, listener: Listener
) -> None:
    night(world, 0, ok(40))
    listener.since()
    world.clock.forward(3 * 86_400 + 2760)
    world.tick()
    world.tick()

    title = "people: ▢ missed: no run came for 3 slots, 2026-11-24 02:15 to 2026-11-26 02:15 UTC"
    heard = listener.since()
    assert heard.count("machine: missed") == 3
    assert [each for each in heard if each.startswith("people")] == [title]
    assert "monitor: fail" in heard


def test_a_refused_request_is_told_once_and_is_no_beat(world: World, listener: Listener) -> None:
    world.publish(RUN_REQUESTS, Message(b'{"tags": ["dailly"]}'))
    world.settle()
    world.live(1800, step_s=600)

    machine, people = listener.since()
    assert machine == "machine: rejected"
    assert people.startswith("people: ✗ refused: not started: ")
    assert "dailly" in people
    assert "fanfold status" in listener.bodies[0]
