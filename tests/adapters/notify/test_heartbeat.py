"""What a monitor hears, by a listener that keeps the state of a check as Healthchecks does."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from tests.conftest import MakeWorld
from tests.support import START, World, a_run, broken, catalogue, collector, ok
from werkzeug import Request, Response

from fanfold.adapters.notify.heartbeat import HealthchecksHeartbeat
from fanfold.adapters.secrets import EnvironmentSecrets
from fanfold.app.heartbeat import beat_of
from fanfold.domain.model.errors import NotConfigured, TargetAway, TargetRefuses
from fanfold.domain.model.states import Phase
from fanfold.messages import events
from fanfold.messages.topology import RUN_REPORTS
from fanfold.ports.outside import Beat


class Monitor:
    """A check of Healthchecks: its pings, and whether it is up, down, or waits for an end."""

    def __init__(self, httpserver: HTTPServer) -> None:
        self.url = httpserver.url_for("/ping/s3cr3t")
        self.pings: list[tuple[str, str]] = []
        self.state = "new"
        self.started: uuid.UUID | None = None
        self.answer = Response("OK")
        for path in ("", "/start", "/fail", "/log"):
            server = httpserver.expect_request(f"/ping/s3cr3t{path}", method="POST")
            server.respond_with_handler(self._take)

    def _take(self, request: Request) -> Response:
        signal = request.path.removeprefix("/ping/s3cr3t").strip("/") or "success"
        rid = uuid.UUID(request.args["rid"])
        if self.answer.status_code == 200:
            self.pings.append((signal, request.get_data(as_text=True)))
            if signal == "start":
                self.started = rid
            elif signal != "log":
                self.state = "down" if signal == "fail" else "up"
                if self.started == rid or signal == "fail":
                    self.started = None
        return self.answer

    def signals(self) -> list[str]:
        return [signal for signal, _ in self.pings]


@pytest.fixture
def monitor(httpserver: HTTPServer) -> Monitor:
    return Monitor(httpserver)


@pytest.fixture
def world(make_world: MakeWorld, monitor: Monitor) -> World:
    configured = catalogue(
        collector("dvf", cron="15 2 * * *"),
        collector("plu", cron="15 2 * * *", max_attempts=1),
        missed_after_s=2700.0,
        notify={"on": (), "heartbeat": "${PING}"},
    )
    return make_world(configured=configured, env={"PING": monitor.url})


def night(world: World, number: int, **says: Any) -> None:
    world.client.says("plu", says.get("plu", ok(40)))
    world.clock.at = START.replace(day=START.day + number)
    world.ask(run_id=None, schedule="nightly")
    world.settle()


def test_the_run_of_a_slot_is_a_start_and_a_success_or_a_fail_with_the_sentence(
    world: World, monitor: Monitor
) -> None:
    night(world, 0)
    assert monitor.signals() == ["start", "success"]
    assert (monitor.state, monitor.started) == ("up", None)

    night(world, 1, plu=broken(404, retryable=False))
    assert monitor.signals()[2:] == ["start", "fail"]
    assert monitor.state == "down"
    assert monitor.pings[-1][1] == (
        f"{world.run('2026-11-24T0215Z-nightly').about}\n2026-11-24T0215Z-nightly"
    )
    assert "plu" in monitor.pings[-1][1]


def test_runs_by_hand_and_refused_requests_send_nothing(world: World, monitor: Monitor) -> None:
    world.ask(run_id="by-hand")
    world.ask(run_id="bad", tags=("dailly",))
    world.settle()

    assert monitor.pings == []


def test_a_missed_slot_is_a_fail(world: World, monitor: Monitor) -> None:
    night(world, 0)
    world.clock.forward(86_400 + 2760)
    world.tick()
    world.tick()

    assert monitor.signals() == ["start", "success", "fail"]
    assert monitor.pings[-1][1].startswith("missed: no run came for the slot")


def test_no_start_is_sent_after_the_end(world: World, monitor: Monitor) -> None:
    monitor.answer = Response(status=503)
    night(world, 0)
    monitor.answer = Response("OK")
    world.live(1800, step_s=600)

    assert monitor.signals() == ["success"]
    assert monitor.started is None
    assert world.dead() == []


def test_a_start_that_is_under_way_while_the_run_ends_is_followed_by_its_end(
    world: World, monitor: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    night(world, 0)
    final = world.run("2026-11-23T0215Z-nightly")
    stages = [replace(final, phase=Phase.OPEN, verdict=None), final]
    monkeypatch.setattr(type(world.ledger), "run", lambda *_: stages.pop(0))
    monkeypatch.setattr(type(world.ledger), "is_told", lambda *_: False)
    event = events.decode_run_event(events.encode_started(final, at=START))
    world.parts.functions.notifier.take(event, world.configured)

    assert monitor.signals() == ["start", "success", "start", "success"]
    assert monitor.started is None


def test_an_older_slot_is_not_told_after_a_newer_one(world: World, monitor: Monitor) -> None:
    night(world, 0, plu=broken(404, retryable=False))
    ended = [message for topic, message in world.published if topic == RUN_REPORTS][-1]
    event = events.decode_run_event(ended)
    assert beat_of(event, world.ledger) is not None
    night(world, 1)

    assert beat_of(event, world.ledger) is None


def test_a_backfill_of_older_slots_sends_neither_start_nor_end(
    world: World, monitor: Monitor
) -> None:
    night(world, 1)
    monitor.pings.clear()
    run = a_run("older", phase=Phase.OPEN, scheduled_for=START, start_time=world.clock.now())
    world.ledger.create_run(run, ())
    started = events.decode_run_event(events.encode_started(run, at=START))

    assert beat_of(started, world.ledger) is None
    newer = replace(run, run_id="newer", scheduled_for=START.replace(day=START.day + 2))
    world.ledger.create_run(newer, ())
    started = events.decode_run_event(events.encode_started(newer, at=START))
    beat = beat_of(started, world.ledger)
    assert beat is not None
    assert beat.signal == "start"


def test_a_monitor_that_is_away_touches_no_run_and_ends_as_a_dead_letter(
    world: World, monitor: Monitor
) -> None:
    monitor.answer = Response(status=500)
    night(world, 0)
    assert world.run("2026-11-23T0215Z-nightly").announced_at is not None
    world.live(4 * 3600, step_s=600)

    (reason,) = world.dead()
    assert "notify.heartbeat answered HTTP 500" in reason
    assert "s3cr3t" not in reason


def test_without_a_heartbeat_no_start_is_published(make_world: MakeWorld) -> None:
    world = make_world()
    world.ask(run_id=None, schedule="nightly")
    world.settle()

    assert all(not each.endswith("/started") for each in world.published_ids(RUN_REPORTS))


def heartbeat(url: str) -> HealthchecksHeartbeat:
    return HealthchecksHeartbeat("${PING}", EnvironmentSecrets({"PING": url}))


def test_rid_is_a_uuid_that_start_and_end_share_and_a_query_stays(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/key/nightly/start").respond_with_data("OK")
    httpserver.expect_request("/key/nightly").respond_with_data("Created", 201)
    for signal in ("start", "success"):
        heartbeat(httpserver.url_for("/key/nightly?create=1")).send(Beat("r1", signal, "à Orly"))

    start, end = (request for request, _ in httpserver.log)
    assert start.args["create"] == end.args["create"] == "1"
    assert uuid.UUID(start.args["rid"]) == uuid.UUID(end.args["rid"])
    assert end.get_data(as_text=True) == "à Orly\nr1"


@pytest.mark.parametrize(
    ("status", "text", "error"),
    [
        (200, "OK (not found)", TargetRefuses),
        (404, "not found", TargetRefuses),
        (301, "", TargetRefuses),
        (409, "ambiguous slug", TargetRefuses),
        (429, "", TargetAway),
        (502, "", TargetAway),
    ],
)
def test_what_the_monitor_answers_decides_whether_it_is_told_again(
    httpserver: HTTPServer, status: int, text: str, error: type[Exception]
) -> None:
    httpserver.expect_request("/s3cr3t").respond_with_data(text, status)
    with pytest.raises(error, match=r"notify\.heartbeat") as raised:
        heartbeat(httpserver.url_for("/s3cr3t")).send(Beat("r1", "success", ""))
    assert "s3cr3t" not in str(raised.value)


@pytest.mark.parametrize("url", ["http://hc.example/x", "ftp://hc.example", "https://u:p@h/"])
def test_an_address_that_no_secret_may_travel_to_is_not_called(url: str) -> None:
    with pytest.raises(NotConfigured, match=r"notify\.heartbeat") as raised:
        heartbeat(url).send(Beat("r1", "success", ""))

    assert url not in str(raised.value)
