"""Time runs out before an answer begins."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pycurl
import pytest
from tests.adapters.http.calls import OIDC, Client, call, client_with, new_client, timed, timed_out
from tests.adapters.http.conftest import Serve
from tests.adapters.http.servers import Request, says

from fanfold.adapters.http import lookups, transfer
from fanfold.adapters.http.credentials import CollectorCredentials
from fanfold.adapters.id_tokens import IdToken
from fanfold.adapters.secrets import EnvironmentSecrets
from fanfold.domain.protocol.findings import ReportedFigures

TIMEOUT_S = 0.5


def test_a_collector_that_does_not_read_is_cut_at_the_timeout(
    client: Client,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        large = call(url, 2.0, params={"x": "y" * 16_000_000})

        reply, seconds = timed(lambda: client.invoke(large))

    assert timed_out(reply)
    assert seconds < 3


def test_a_collector_that_reads_slowly_is_cut_at_the_timeout(
    client: Client,
) -> None:
    pause = threading.Event()

    def sip(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                while connection.recv(200_000):
                    pause.wait(0.1)

    with socket.create_server(("127.0.0.1", 0)) as slow:
        reader = threading.Thread(target=sip, args=(slow,))
        reader.start()
        url = f"http://127.0.0.1:{slow.getsockname()[1]}/"
        large = call(url, 2.0, params={"x": "y" * 16_000_000})
        reply, seconds = timed(lambda: client.invoke(large))
        pause.set()
        reader.join(5)

    assert timed_out(reply)
    assert seconds < 3


def test_a_handshake_that_stalls_is_cut_at_the_timeout(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"

        reply, seconds = timed(lambda: client.invoke(call(url, TIMEOUT_S)))

    assert timed_out(reply)
    assert seconds < TIMEOUT_S + 1


def test_a_dead_first_address_leaves_time_for_the_second(
    monkeypatch: pytest.MonkeyPatch, client: Client, serve: Serve
) -> None:
    server = serve(says(200, {"records": 1}))
    with socket.create_server(("127.0.0.2", server.port), backlog=0) as full:
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        both = f"collector.test:{server.port}:127.0.0.2,127.0.0.1"
        monkeypatch.setattr(transfer, "FIXED", (*transfer.FIXED, (pycurl.RESOLVE, [both])))
        monkeypatch.setattr(lookups, "_addresses", lambda *_: ["127.0.0.2", "127.0.0.1"])

        reply = client.invoke(call(f"http://collector.test:{server.port}/", timeout_s=2))
        for filler in fillers:
            filler.close()

    assert reply.findings == ReportedFigures(records=1)


def test_a_host_that_takes_no_connection_can_be_tried_again(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        place = full.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(place)
        for scheme in ("http", "https"):
            url = f"{scheme}://127.0.0.1:{place[1]}/"
            reply, seconds = timed(lambda url=url: client.invoke(call(url, TIMEOUT_S)))  # type: ignore[misc]

            assert reply.failure is not None
            assert (reply.failure.kind, reply.failure.retryable) == ("network", True)
            assert "no connection" in reply.failure.message
            assert seconds < TIMEOUT_S + 1
        for filler in fillers:
            filler.close()


def test_an_id_token_that_does_not_come_is_cut_at_the_timeout(serve: Serve) -> None:
    server = serve(says(200))
    asleep = threading.Event()

    def fetch(_: str) -> IdToken:
        asleep.wait(20)
        return IdToken("late", time.time() + 3600)

    secrets = EnvironmentSecrets({})
    client = client_with(CollectorCredentials(secrets, fetch), secrets, {})
    reply, seconds = timed(lambda: client.invoke(call(server.url, TIMEOUT_S, auth=OIDC)))
    asleep.set()

    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.retryable) == ("auth", True)
    assert seconds < TIMEOUT_S + 1
    assert server.requests == []


def test_a_call_without_time_is_not_made(client: Client, serve: Serve) -> None:
    server = serve(says(200))

    reply = client.invoke(call(server.url, timeout_s=0))

    assert timed_out(reply)
    assert server.requests == []


def test_an_answer_in_single_bytes_that_is_in_time_counts(serve: Serve) -> None:
    def talk(connection: socket.socket, _: Request) -> None:
        for byte in b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"records":1}':
            connection.sendall(bytes([byte]))

    client = new_client()
    assert client.invoke(call(serve(talk).url)).findings == ReportedFigures(records=1)
    client.close()
