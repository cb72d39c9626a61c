"""The promises of :class:`fanfold.ports.outside.CollectorClient`, as tests.

An adapter subclasses this and says how to make one whose ``${TOKEN}`` is
:data:`~tests.adapters.http.calls.CANARY`; the collectors are real sockets.
"""

from __future__ import annotations

import tracemalloc
from abc import ABC, abstractmethod
from collections.abc import Callable

import pytest
from tests.adapters.http.calls import API_KEY, BEARER, CANARY, OIDC, call, timed
from tests.adapters.http.servers import Server, Talk, says, sends

from fanfold.domain.model.collector import Auth
from fanfold.domain.protocol.contract import Reply
from fanfold.ports.outside import CollectorClient

Serve = Callable[[Talk], Server]

CHUNK = b"10000\r\n" + b"x" * 65_536 + b"\r\n"


def one_of_three(reply: Reply) -> bool:
    return (reply.failure is not None) + reply.accepted + (reply.findings is not None) == 1


class CollectorClientContract(ABC):
    @pytest.fixture
    @abstractmethod
    def client(self) -> CollectorClient:
        """Return a client to test."""

    @pytest.mark.parametrize("status", [200, 201, 204, 301, 307, 400, 401, 404, 429, 500, 599])
    @pytest.mark.parametrize("body", [b"", b"{", b"\xff\x00", b"[1]", b'{"records": 1}'])
    def test_always_a_reply_whatever_the_status_and_body(
        self, client: CollectorClient, serve: Serve, status: int, body: bytes
    ) -> None:
        reply = client.invoke(call(serve(says(status, body)).url))

        assert reply.http_status == status
        assert one_of_three(reply)
        assert (reply.failure is None) == (200 <= status < 300)

    def test_always_a_reply_when_nobody_is_there(
        self, client: CollectorClient, serve: Serve
    ) -> None:
        server = serve(says())
        server.close()

        reply = client.invoke(call(server.url))

        assert reply.failure is not None
        assert reply.failure.kind == "network"
        assert reply.failure.retryable

    @pytest.mark.parametrize(
        "talk",
        [
            pytest.param(sends(b"", pause_s=30), id="never answers"),
            pytest.param(sends(b"HTTP/1.1 200 OK\r\nX", *[b"y"] * 60, pause_s=0.1), id="headers"),
            pytest.param(
                sends(b"HTTP/1.1 200 OK\r\n\r\n", *[b"y"] * 60, pause_s=0.1), id="trickled body"
            ),
        ],
    )
    def test_no_wait_past_the_timeout(
        self, client: CollectorClient, serve: Serve, talk: Talk
    ) -> None:
        reply, seconds = timed(lambda: client.invoke(call(serve(talk).url, timeout_s=0.6)))

        assert reply.failure is not None
        assert reply.failure.kind == "timeout"
        assert not reply.failure.retryable
        assert 0.5 < seconds < 1.6

    @pytest.mark.parametrize(
        "talk",
        [
            pytest.param(
                sends(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 1_000_000] * 200), id="200 MB body"
            ),
            pytest.param(
                sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[CHUNK] * 2_000),
                id="endless chunks",
            ),
        ],
    )
    def test_no_memory_past_the_cap(
        self, client: CollectorClient, serve: Serve, talk: Talk
    ) -> None:
        server = serve(talk)
        tracemalloc.start()
        try:
            reply = client.invoke(call(server.url))
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        assert reply.failure is not None
        assert reply.failure.kind == "too_large"
        assert not reply.failure.retryable
        assert peak_bytes < 8_000_000

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize("auth", [BEARER, API_KEY, OIDC])
    def test_credentials_stay_home_no_redirect_is_followed(
        self, client: CollectorClient, serve: Serve, status: int, auth: Auth
    ) -> None:
        elsewhere = serve(says(200, {"records": 1}))
        home = serve(says(status, b"", Location=elsewhere.url))

        reply = client.invoke(call(home.url, auth=auth))

        assert CANARY in str(home.requests[0].headers)
        assert elsewhere.requests == []
        assert reply.failure is not None
        assert reply.failure.kind == "redirect"
        assert not reply.failure.retryable
        assert f"redirects to {elsewhere.url};" in reply.failure.message
        assert f"write url: {elsewhere.url}" in reply.failure.message

    @pytest.mark.parametrize("auth", [BEARER, API_KEY, OIDC])
    def test_credentials_stay_home_plain_http_gets_none_off_loopback(
        self, client: CollectorClient, auth: Auth
    ) -> None:
        reply = client.invoke(call("http://collector.example/", auth=auth, timeout_s=1))

        assert reply.failure is not None
        assert reply.failure.kind == "auth"
        assert not reply.failure.retryable
        assert "use https" in reply.failure.message
