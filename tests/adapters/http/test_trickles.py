"""A byte at a time, in every place where a collector can be slow."""

from __future__ import annotations

import pytest
from tests.adapters.http.calls import Client, call, timed, timed_out
from tests.adapters.http.conftest import Serve
from tests.adapters.http.servers import Talk, sends

TIMEOUT_S = 0.5


def trickles(*parts: bytes) -> Talk:
    return sends(*parts, pause_s=0.1)


@pytest.mark.parametrize(
    "talk",
    [
        pytest.param(trickles(b"HTTP/1.1 200 ", *[b"O"] * 100), id="status line"),
        pytest.param(trickles(b"HTTP/1.1 200 OK\r\n", *[b"X-A: b\r\n"] * 90), id="header lines"),
        pytest.param(sends(b"HTTP/1.1 100 Continue\r\n\r\n", pause_s=0.05, repeat=200), id="100"),
        pytest.param(
            trickles(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", *[b"x"] * 99),
            id="body of a known length",
        ),
        pytest.param(
            trickles(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1\r\nx\r\n"] * 99
            ),
            id="chunks",
        ),
        pytest.param(
            trickles(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", *[b"e"] * 99),
            id="a chunk's extension",
        ),
        pytest.param(
            trickles(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", *[b"A: b\r\n"] * 99
            ),
            id="trailers",
        ),
        pytest.param(
            sends(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123", pause_s=30), id="stalls"
        ),
    ],
)
def test_a_trickle_is_cut_at_the_timeout(client: Client, serve: Serve, talk: Talk) -> None:
    url = serve(talk).url

    reply, seconds = timed(lambda: client.invoke(call(url, TIMEOUT_S)))

    assert timed_out(reply)
    assert seconds < TIMEOUT_S + 1


def test_a_failure_whose_body_trickles_keeps_its_status(client: Client, serve: Serve) -> None:
    talk = sends(b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n\r\n", *[b"x"] * 99, pause_s=0.1)
    url = serve(talk).url

    reply, seconds = timed(lambda: client.invoke(call(url, TIMEOUT_S)))

    assert (reply.http_status, reply.retry_after_s) == (503, 7.0)
    assert reply.failure is not None
    assert reply.failure.retryable
    assert seconds < TIMEOUT_S + 1
