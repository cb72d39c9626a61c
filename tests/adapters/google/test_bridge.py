"""The bridge delivers as Pub/Sub's push does, from the official emulator to a real HTTP server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.adapters.google.on_pubsub import project, pubsub_host, take

from fanfold.adapters.google.bus.pubsub import PubSubBus
from fanfold.devstack import push_bridge
from fanfold.devstack import topics as setup
from fanfold.devstack.push_bridge import ACKNOWLEDGE, Bridge, BridgeRoute
from fanfold.domain.rules.push import Assumptions
from fanfold.messages.topology import COLLECTOR_JOBS, DEAD_LETTERS, Topology, topology
from fanfold.ports.bus import Message

__all__ = ["project", "pubsub_host"]

pytestmark = pytest.mark.emulator


@dataclass
class Pushed:
    """One request that reached the function."""

    at: float
    headers: dict[str, str]
    body: dict[str, Any]


class Function:
    """A function that answers as *says* does, told the deliveries so far, and records."""

    def __init__(self) -> None:
        self.pushed: list[Pushed] = []
        self.says: Callable[[int], tuple[int, dict[str, str]]] = lambda _: (204, {})
        self.takes_s = 0.0
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, count: int, within_s: float = 20.0) -> list[Pushed]:
        until = time.monotonic() + within_s
        while len(self.pushed) < count:
            assert time.monotonic() < until, f"{len(self.pushed)} of {count} were delivered"
            time.sleep(0.02)
        return self.pushed

    def _work(self, pushed: Pushed) -> tuple[int, dict[str, str]]:
        with self._lock:
            self.pushed.append(pushed)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            answer = self.says(len(self.pushed))
        time.sleep(self.takes_s)
        with self._lock:
            self.at_once -= 1
        return answer

    def _handler(function: Function) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                pushed = Pushed(time.monotonic(), dict(self.headers), body)
                status, headers = function._work(pushed)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        return Handler


@pytest.fixture
def function() -> Iterator[Function]:
    served = Function()
    yield served
    served.close()


#: The topology with an impatient collector-jobs subscription.
IMPATIENT = Topology(
    topology().topics,
    {
        name: replace(each, min_backoff_s=1, max_backoff_s=1, max_delivery_attempts=5)
        if name == COLLECTOR_JOBS
        else each
        for name, each in topology().subscriptions.items()
    },
)

StartBridge = Callable[..., Bridge]


@pytest.fixture
def start_bridge(project: str, function: Function) -> Iterator[StartBridge]:
    setup.create_topology(project, chosen=IMPATIENT)
    bridges: list[Bridge] = []

    def start(concurrency: int = 4, **settings: Any) -> Bridge:
        routes = {"collector_relay": BridgeRoute(settings.pop("url", function.url), concurrency)}
        made = Bridge(project, "", routes, chosen=IMPATIENT, on_trouble=lambda _: None, **settings)
        bridges.append(made)
        made.start()
        return made

    yield start
    for each in bridges:
        each.stop(grace_s=1)


def publish(project: str, *messages: Message) -> None:
    PubSubBus(project).publish(COLLECTOR_JOBS, messages)


def test_a_message_arrives_in_productions_shape(
    project: str, function: Function, start_bridge: StartBridge
) -> None:
    start_bridge()
    publish(project, Message(b"{}", {"ce-id": "r1/dvf"}))

    (pushed,) = function.wait_for(1)
    assert pushed.body["subscription"] == f"projects/{project}/subscriptions/collector-jobs"
    assert pushed.body["deliveryAttempt"] == 1
    assert pushed.body["message"]["data"] == "e30="
    assert pushed.body["message"]["attributes"] == {"ce-id": "r1/dvf"}
    time.sleep(2)
    assert len(function.pushed) == 1  # acknowledged


def test_the_answers_that_acknowledge_are_those_of_pubsub() -> None:
    # https://docs.cloud.google.com/pubsub/docs/push#receive_push
    assert sorted(ACKNOWLEDGE) == [102, 200, 201, 202, 204]


def test_an_answer_outside_them_brings_the_message_back_counted(
    project: str, function: Function, start_bridge: StartBridge
) -> None:
    function.says = lambda count: ([500, 301, 202][count - 1], {})
    start_bridge()
    publish(project, Message(b"{}"))

    function.wait_for(3)
    time.sleep(1.5)
    assert [each.body["deliveryAttempt"] for each in function.pushed] == [1, 2, 3]


def test_a_function_that_is_away_for_a_moment_gets_its_message(
    project: str, function: Function, start_bridge: StartBridge
) -> None:
    away = start_bridge(url="http://127.0.0.1:9/")
    publish(project, Message(b"{}"))
    time.sleep(1)
    away.stop(grace_s=1)
    start_bridge()

    (pushed,) = function.wait_for(1)
    assert pushed.body["deliveryAttempt"] > 1


def test_a_refused_message_waits_as_long_as_retry_after_asks(
    project: str, function: Function, start_bridge: StartBridge
) -> None:
    function.says = lambda count: (503, {"Retry-After": "3"}) if count == 1 else (204, {})
    start_bridge()
    publish(project, Message(b"{}"))

    first, second = function.wait_for(2)
    assert 2.5 < second.at - first.at < 5


def test_as_many_at_a_time_as_the_route_allows(
    project: str, function: Function, start_bridge: StartBridge
) -> None:
    function.takes_s = 0.2
    start_bridge(concurrency=6)
    publish(project, *[Message(b"{}")] * 18)

    function.wait_for(18)
    assert function.most_at_once == 6


@pytest.mark.slow
def test_a_message_is_not_delivered_again_while_it_is_worked_on(
    project: str, function: Function, start_bridge: StartBridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push_bridge, "LEASE_S", 10)  # the shortest that Pub/Sub knows
    monkeypatch.setattr(push_bridge, "RENEW_EVERY_S", 2.0)
    function.takes_s = 13.0
    start_bridge()
    publish(project, Message(b"{}"))

    function.wait_for(1)
    time.sleep(15)
    assert len(function.pushed) == 1


def test_used_up_deliveries_make_a_dead_letter(
    project: str, function: Function, start_bridge: StartBridge
) -> None:
    function.says = lambda _: (500, {})
    start_bridge()
    publish(project, Message(b"poison", {"k": "v"}))

    function.wait_for(5)
    letter = pull_one(project, DEAD_LETTERS)
    assert letter.data == b"poison"
    assert letter.attributes["CloudPubSubDeadLetterSourceSubscription"] == COLLECTOR_JOBS
    assert len(function.pushed) == 5


def test_a_stopped_bridge_leaves_its_messages_to_the_next(
    project: str, function: Function, start_bridge: StartBridge
) -> None:
    function.takes_s = 0.3
    first = start_bridge(concurrency=1)
    publish(project, *[Message(str(number).encode()) for number in range(6)])
    function.wait_for(2)
    first.stop(grace_s=1)
    function.takes_s = 0.0
    start_bridge(concurrency=2)

    until = time.monotonic() + 10
    while len({each.body["message"]["messageId"] for each in function.pushed}) < 6:
        assert time.monotonic() < until
        time.sleep(0.05)


def pull_one(project: str, subscription: str) -> Any:
    until = time.monotonic() + 15
    while time.monotonic() < until:
        received = take(project, subscription)
        if received:
            return received[0].message
        time.sleep(0.1)
    raise AssertionError(f"nothing in {subscription}")


def test_with_a_gate_it_begins_with_few_and_doubles(
    project: str, function: Function, start_bridge: StartBridge
) -> None:
    one = Assumptions(first=1, kept_after_refusal=0.0, pause_s=(0.1, 0.1), cold_start_s=0.0)
    function.takes_s = 0.5
    start_bridge(concurrency=8, push=one)
    publish(project, *(Message(b"{}") for _ in range(7)))

    pushed = function.wait_for(7)
    assert function.most_at_once <= 4
    # One, then two, then four: three rounds of half a second.
    assert pushed[-1].at - pushed[0].at > 0.9


def test_a_bridge_stops_at_once_though_messages_wait_at_its_gate(
    project: str, function: Function, start_bridge: StartBridge
) -> None:
    one = Assumptions(first=1, kept_after_refusal=0.0, pause_s=(60.0, 60.0), cold_start_s=0.0)
    function.says = lambda _: (500, {})
    bridge = start_bridge(push=one)
    publish(project, *(Message(b"{}") for _ in range(3)))
    function.wait_for(1)
    start = time.monotonic()
    bridge.stop(grace_s=1)

    assert time.monotonic() - start < 10
    assert len(function.pushed) == 1
