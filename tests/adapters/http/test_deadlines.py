"""Slow in every place where a collector can be slow."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.adapters.http.calls import OIDC, call, new_client, timed
from tests.adapters.http.conftest import Serve
from tests.adapters.http.servers import Request, Talk, says, sends

from fanfold.adapters.http import deadline
from fanfold.adapters.http.client import RequestsCollectorClient
from fanfold.adapters.http.credentials import CollectorCredentials
from fanfold.adapters.http.id_tokens import IdToken
from fanfold.adapters.secrets import EnvironmentSecrets
from fanfold.domain.contract import Findings, Reply

TIMEOUT_S = 0.5
TRICKLE = {"pause_s": 0.1}


def timed_out(reply: Reply, seconds: float) -> bool:
    failure = reply.failure
    return (
        failure is not None
        and (failure.kind, failure.retryable) == ("timeout", True)
        and seconds < TIMEOUT_S + 1
    )


@pytest.mark.parametrize(
    "talk",
    [
        pytest.param(sends(*[b"H"] * 100, **TRICKLE), id="status line"),
        pytest.param(
            sends(b"HTTP/1.1 200 OK\r\n", *[b"X-A: b\r\n"] * 90, **TRICKLE), id="header lines"
        ),
        pytest.param(sends(b"HTTP/1.1 100 Continue\r\n\r\n", pause_s=0.05, repeat=200), id="100"),
        pytest.param(
            sends(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", *[b"x"] * 99, **TRICKLE),
            id="body of a known length",
        ),
        pytest.param(
            sends(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                *[b"1\r\nx\r\n"] * 99,
                **TRICKLE,
            ),
            id="chunks",
        ),
        pytest.param(
            sends(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", *[b"e"] * 99, **TRICKLE
            ),
            id="a chunk's extension",
        ),
        pytest.param(
            sends(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
                *[b"A: b\r\n"] * 99,
                **TRICKLE,
            ),
            id="trailers",
        ),
        pytest.param(
            sends(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123", pause_s=30), id="stalls"
        ),
    ],
)
def test_a_trickle_is_cut_at_the_timeout(
    client: RequestsCollectorClient, serve: Serve, talk: Talk
) -> None:
    url = serve(talk).url

    assert timed_out(*timed(lambda: client.invoke(call(url, TIMEOUT_S))))


def test_a_failure_whose_body_trickles_keeps_its_status(
    client: RequestsCollectorClient, serve: Serve
) -> None:
    talk = sends(b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n\r\n", *[b"x"] * 99, pause_s=0.1)
    url = serve(talk).url

    reply, seconds = timed(lambda: client.invoke(call(url, TIMEOUT_S)))

    assert (reply.http_status, reply.retry_after_s) == (503, 7.0)
    assert reply.failure is not None
    assert reply.failure.retryable
    assert seconds < TIMEOUT_S + 1


def test_a_collector_that_does_not_read_is_cut_at_the_timeout(
    client: RequestsCollectorClient,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        large = call(url, TIMEOUT_S, params={"x": "y" * 50_000_000})

        assert timed_out(*timed(lambda: client.invoke(large)))


def test_a_handshake_that_stalls_is_cut_at_the_timeout(client: RequestsCollectorClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"

        assert timed_out(*timed(lambda: client.invoke(call(url, TIMEOUT_S))))


@pytest.fixture
def slow_lookup(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    asleep = threading.Event()

    def getaddrinfo(*_: Any, **__: Any) -> Any:
        asleep.wait(20)
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    monkeypatch.setattr(deadline.socket, "getaddrinfo", getaddrinfo)
    yield
    asleep.set()


@pytest.mark.usefixtures("slow_lookup")
def test_a_lookup_that_stalls_is_cut_at_the_timeout(client: RequestsCollectorClient) -> None:
    url = "http://collector.invalid/"

    assert timed_out(*timed(lambda: client.invoke(call(url, TIMEOUT_S))))


def test_a_dead_first_address_leaves_time_for_the_second(
    monkeypatch: pytest.MonkeyPatch, client: RequestsCollectorClient, serve: Serve
) -> None:
    server = serve(says(200, {"records": 1}))
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        place = full.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)  # noqa: FBT003 - its signature
            filler.connect_ex(place)
        both = [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", at)
            for at in (place, ("127.0.0.1", server.port))
        ]
        monkeypatch.setattr(deadline.socket, "getaddrinfo", lambda *_, **__: both)

        reply = client.invoke(call("http://collector.test/", timeout_s=2))
        for filler in fillers:
            filler.close()

    assert reply.findings == Findings(records=1)


def test_an_id_token_that_does_not_come_is_cut_at_the_timeout(serve: Serve) -> None:
    server = serve(says(200))
    asleep = threading.Event()

    def fetch(_: str) -> IdToken:
        asleep.wait(20)
        return IdToken("late", time.time() + 3600)

    client = RequestsCollectorClient(CollectorCredentials(EnvironmentSecrets({}), fetch))
    reply, seconds = timed(lambda: client.invoke(call(server.url, TIMEOUT_S, auth=OIDC)))
    asleep.set()

    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.retryable) == ("auth", True)
    assert seconds < TIMEOUT_S + 1
    assert server.requests == []


def test_a_call_without_time_is_not_made(client: RequestsCollectorClient, serve: Serve) -> None:
    server = serve(says(200))

    reply = client.invoke(call(server.url, timeout_s=0))

    assert timed_out(reply, 0)
    assert server.requests == []


def test_an_old_connection_is_not_used_again(monkeypatch: pytest.MonkeyPatch, serve: Serve) -> None:
    server = serve(says(200, {"records": 1}))
    monkeypatch.setattr(deadline, "MAX_IDLE_S", 0.05)
    client = new_client()
    client.invoke(call(server.url))
    threading.Event().wait(0.1)
    client.invoke(call(server.url))
    client.close()

    assert [request.connection for request in server.requests] == [1, 2]


def test_an_answer_in_single_bytes_that_is_in_time_counts(serve: Serve) -> None:
    def talk(connection: socket.socket, _: Request) -> None:
        for byte in b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"records":1}':
            connection.sendall(bytes([byte]))

    client = new_client()
    assert client.invoke(call(serve(talk).url)).findings == Findings(records=1)
    client.close()
