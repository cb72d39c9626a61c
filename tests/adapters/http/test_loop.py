"""The loop form alone: many calls in one thread, and none waits for another."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.adapters.http.calls import call, loop_only, timed_out
from tests.adapters.http.certificates import Certificates
from tests.adapters.http.conftest import Serve
from tests.adapters.http.servers import Request, response, says

from fanfold.adapters.http import lookups, loop, transfers
from fanfold.adapters.http.credentials import CollectorCredentials
from fanfold.adapters.http.loop import CurlLoop
from fanfold.adapters.secrets import EnvironmentSecrets
from fanfold.domain.protocol.contract import Call, Reply

pytestmark = loop_only

OpenLoop = Callable[..., CurlLoop]


@pytest.fixture
def open_loop() -> Iterator[OpenLoop]:
    loops: list[CurlLoop] = []

    def make(env: Mapping[str, str] | None = None) -> CurlLoop:
        secrets = EnvironmentSecrets({})
        loops.append(
            CurlLoop(
                CollectorCredentials(secrets),
                secrets,
                env or {},
                places=600,
                now=lambda: datetime.now(UTC),
            )
        )
        return loops[-1]

    yield make
    for each in loops:
        each.close()


def replies(calls: CurlLoop, count: int, *, turn: bool = True) -> dict[object, Reply]:
    """Return what came of *count* calls; with *turn* False somebody else must turn the loop."""
    came: dict[object, Reply] = {}
    until = time.monotonic() + 20
    while len(came) < count:
        assert time.monotonic() < until
        if turn:
            calls.turn(1.0)
        else:
            time.sleep(0.01)
        for each in calls.take():
            assert isinstance(each.reply, Reply)
            came[each.key] = each.reply
    return came


def records(reply: Reply) -> int | None:
    return None if reply.findings is None else reply.findings.records


def test_500_calls_are_under_way_in_one_thread_and_each_has_its_own_answer(
    open_loop: OpenLoop, serve: Serve
) -> None:
    all_are_here = threading.Barrier(501)

    def talk(connection: socket.socket, request: Request) -> None:
        all_are_here.wait(20)
        connection.sendall(response(200, {"records": request.json()["params"]["n"]}))

    url = serve(talk).url
    calls = open_loop()
    before = set(threading.enumerate())
    calls.start([(n, call(url, 20, params={"n": n})) for n in range(500)])
    of_the_loop: list[str] = []

    def look() -> None:
        all_are_here.wait(20)
        new = set(threading.enumerate()) - before
        of_the_loop.extend(each.name for each in new if "fanfold" in each.name)

    looking = threading.Thread(target=look)
    looking.start()
    came = replies(calls, 500)
    looking.join()

    assert {key: records(reply) for key, reply in came.items()} == {n: n for n in range(500)}
    assert of_the_loop == ["fanfold-calls"]


def test_an_answer_is_read_in_time_though_the_caller_is_kept_elsewhere(
    open_loop: OpenLoop, serve: Serve
) -> None:
    """A large answer needs somebody who reads all along: the stand-in does."""
    url = serve(says(200, {"records": 1, "more": "x" * 900_000})).url
    calls = open_loop()
    calls.start([("large", call(url, 1.0))])
    time.sleep(2.0)  # as if a disk stood still

    assert records(replies(calls, 1, turn=False)["large"]) == 1


def test_what_is_ready_is_read_before_its_time_is_judged(
    open_loop: OpenLoop, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "AWAY_S", 30.0)
    silent, may_answer = threading.Event(), threading.Event()

    def talk(connection: socket.socket, request: Request) -> None:
        may_answer.wait(10)
        if request.json()["params"]["n"]:
            silent.wait(10)
        connection.sendall(response(200, {"records": 1}))

    server = serve(talk)
    calls = open_loop()
    calls.start([(n, call(server.url, 2.0, params={"n": n})) for n in (0, 1)])
    while len(server.requests) < 2:
        calls.turn(0.01)
    may_answer.set()
    time.sleep(2.5)  # as if the whole process was paused
    came = replies(calls, 2)
    silent.set()

    assert records(came[0]) == 1
    assert timed_out(came[1])


def test_a_wake_up_between_two_looks_is_not_the_last_one(
    open_loop: OpenLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = open_loop()
    calls.turn(0.0)
    watched, real = calls._transfers, calls._transfers._wake_out

    class Drained:
        """Another thread wakes just before the bytes are read away."""

        def recv(self, count: int) -> bytes:
            calls.wake()
            return real.recv(count)

    key = watched._selector.get_key(real)
    monkeypatch.setattr(watched, "_wake_out", Drained())
    monkeypatch.setattr(
        watched._selector, "select", lambda _: [(key._replace(fileobj=watched._wake_out), 1)]
    )
    calls.wake()
    calls.turn(0.0)
    monkeypatch.undo()
    calls.wake()
    began = time.monotonic()
    calls.turn(5.0)

    assert time.monotonic() - began < 2.0


def test_a_name_whose_server_is_silent_holds_up_no_other_name(
    open_loop: OpenLoop, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(says(200, {"records": 1}))
    asked: list[str] = []
    silent = threading.Event()

    def look_up(host: str, _: int) -> list[str]:
        asked.append(host)
        if host.startswith("silent"):
            silent.wait(20)
        return ["127.0.0.1"]

    monkeypatch.setattr(lookups, "_addresses", look_up)
    calls = open_loop()
    urls = [f"http://silent{n}.test:{server.port}/" for n in range(40)]
    calls.start([(url, call(url, 2.0)) for url in urls])
    good = f"http://good.test:{server.port}/"
    began = time.monotonic()
    for n in range(3):
        calls.start([(n, call(good, 2.0))])
        assert records(replies(calls, 1)[n]) == 1
    assert time.monotonic() - began < 1.5
    assert asked.count("good.test") == 1  # it is known for a while
    for reply in replies(calls, 40).values():
        assert reply.failure is not None
        assert (reply.failure.kind, reply.failure.retryable) == ("network", True)
        assert "no connection" in reply.failure.message
    silent.set()


def test_a_peer_that_says_no_goodbye_keeps_no_descriptor(
    open_loop: OpenLoop, certificates: Certificates
) -> None:
    end = threading.Event()

    def talk(connection: socket.socket, _: Request) -> None:
        connection.sendall(response(200, {"records": 1}))
        end.wait(20)

    server = certificates.server("127.0.0.1", talk)
    url = f"https://127.0.0.1:{server.port}/"
    calls = open_loop({"SSL_CERT_FILE": certificates.authority})
    for n in range(20):
        calls.start([(n, call(url))])
        assert records(replies(calls, 1)[n]) == 1
    until = time.monotonic() + transfers.REST_LOOKS_S
    while calls._transfers.watched and time.monotonic() < until:
        calls.turn(0.2)
    sockets = [each for each in _sockets() if each.endswith(f":{server.port}")]
    end.set()

    assert sockets == []


def _sockets() -> list[str]:
    """Return the remote ends of this process's own TCP connections to servers, as host:port."""
    found = []
    for fd in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(int(fd.name))) as each:
            if each.family == socket.AF_INET:
                found.append("{}:{}".format(*each.getpeername()))
    return found


def test_a_closed_loop_leaves_no_descriptor_and_no_thread(
    open_loop: OpenLoop, serve: Serve
) -> None:
    url = serve(says(200, {"records": 1})).url
    descriptors = Path("/proc/self/fd")
    open_loop().close()
    before = len(list(descriptors.iterdir()))
    threads = set(threading.enumerate())
    for _ in range(3):
        calls = open_loop()
        calls.start([("answered", call(url))])
        replies(calls, 1)
        never: Call = call("http://127.0.0.1:9/", 5)
        calls.start([("under way", never)])
        calls.close()
    time.sleep(0.2)

    assert len(list(descriptors.iterdir())) <= before + 3  # the server's ends of connections
    new = set(threading.enumerate()) - threads
    assert not [each for each in new if each.name == "fanfold-calls"]
