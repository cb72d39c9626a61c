from __future__ import annotations

import random
import socket
import struct

import pytest
from tests.adapters.http.calls import Client, call
from tests.adapters.http.conftest import Serve
from tests.adapters.http.servers import Request, Talk, sends
from tests.contracts.collector_client import one_of_three

OK = b"HTTP/1.1 200 OK\r\n"


def resets(connection: socket.socket, _: Request) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.mark.parametrize(
    ("talk", "kind", "retryable"),
    [
        pytest.param(sends(), "network", True, id="closes without a word"),
        pytest.param(resets, "network", True, id="resets"),
        pytest.param(sends(OK + b"Content-Le"), "network", True, id="closes in the headers"),
        pytest.param(
            sends(OK + b"Content-Length: 100\r\n\r\n{}"), "network", True, id="lies: too long"
        ),
        pytest.param(
            sends(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab"),
            "network",
            True,
            id="chunk cut",
        ),
        pytest.param(
            sends(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab"), "network", True, id="no size"
        ),
        pytest.param(sends(b"garbage\r\n\r\n"), "bad_response", True, id="garbage status line"),
        pytest.param(sends(b"HTTP/1.1 abc\r\n\r\n"), "bad_response", True, id="no status"),
        pytest.param(sends(b"SSH-2.0-OpenSSH_9\r\n"), "bad_response", True, id="another protocol"),
        pytest.param(
            sends(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy"),
            "bad_response",
            False,
            id="two lengths",
        ),
        pytest.param(
            sends(OK + b"no colon here\r\nContent-Length: 2\r\n\r\n{}"),
            "bad_response",
            False,
            id="malformed headers",
        ),
        pytest.param(
            sends(OK, *[b"X-%d: y\r\n" % n for n in range(5_000)]),
            "too_large",
            False,
            id="too many headers",
        ),
        pytest.param(
            sends(OK, b"X: ", *[b"y" * 65_536] * 50), "too_large", False, id="long header"
        ),
        pytest.param(
            sends(b"HTTP/1.1 200 ", *[b"y" * 65_536] * 50), "too_large", False, id="long reason"
        ),
    ],
)
def test_a_broken_answer_is_a_failure(
    client: Client, serve: Serve, talk: Talk, kind: str, *, retryable: bool
) -> None:
    server = serve(talk)

    reply = client.invoke(call(server.url))

    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.retryable) == (kind, retryable)
    assert reply.failure.message.startswith(f"127.0.0.1:{server.port}")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://no-such-host.invalid/", "does not resolve"),
        (f"http://{'a' * 70}.example/", "its host is not a host's name"),
        ("https://*.example.com/", "* stands for no host"),
        ("http://[::1]:1/", "[::1]:1: "),
        ("ftp://127.0.0.1/", "begin with https"),
        ("collector", "is not a URL"),
        ("", "is not a URL"),
        ("http://", "is not a URL"),
        ("http://127.0.0.1:99999/", "is not a URL"),
        ("http://[::1/", "is not a URL"),
        ("http://user:canary@127.0.0.1/", "holds a user name or password"),
    ],
)
def test_a_url_that_leads_nowhere_is_a_failure(client: Client, url: str, says: str) -> None:
    reply = client.invoke(call(url, timeout_s=3))

    assert reply.failure is not None
    assert reply.failure.kind == "network"
    assert says in reply.failure.message
    assert "canary" not in repr(reply)


def test_noise_is_always_one_reply(client: Client, serve: Serve) -> None:
    chance = random.Random(20261123)
    words = [
        b"HTTP/1.1 ",
        b"200",
        b" OK",
        b"\r\n",
        b"\r\n\r\n",
        b":",
        b"Content-Length: ",
        b"5",
        b"-1",
        b"Transfer-Encoding: chunked",
        b"{",
        b"}",
        b'"records": ',
        b"\xff\0",
        b" ",
        b"Content-Encoding: gzip",
        b"Location: //",
        b"Connection: close",
        b"HTTP/0.9 ",
    ]

    def talk(connection: socket.socket, _: Request) -> None:
        connection.sendall(b"".join(chance.choices(words, k=chance.randrange(12))))

    def plausible(connection: socket.socket, _: Request) -> None:
        noise = b"".join(chance.choices(words, k=chance.randrange(12)))
        connection.sendall(b"HTTP/1.1 %d X\r\n" % chance.randrange(100, 1000) + noise)

    for each in (talk, plausible):
        url = serve(each).url
        for _ in range(300):
            assert one_of_three(client.invoke(call(url)))
