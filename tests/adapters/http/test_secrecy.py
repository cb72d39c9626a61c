from __future__ import annotations

import socket
from urllib.parse import quote

import pytest
from tests.adapters.http.calls import (
    API_KEY,
    BEARER,
    CANARY,
    OIDC,
    Client,
    call,
    client_with,
    new_client,
)
from tests.adapters.http.conftest import Serve
from tests.adapters.http.servers import Request, response, says

from fanfold.adapters.secrets import EnvironmentSecrets
from fanfold.domain.model.collector import Auth, AuthKind
from fanfold.domain.syntax.urls import is_loopback


@pytest.mark.parametrize("auth", [BEARER, API_KEY, OIDC])
@pytest.mark.parametrize("status", [200, 202, 400, 401, 500])
def test_what_a_collector_says_back_is_masked(
    client: Client, serve: Serve, auth: Auth, status: int
) -> None:
    def talk(connection: socket.socket, request: Request) -> bool:
        head = "; ".join(f"{name}: {value}" for name, value in request.headers.items())
        text = f"{request.line} {head} {request.body.decode()}"
        connection.sendall(
            response(status, {"error": text, "warnings": [text], "revision": text[:500]})
        )
        return True

    server = serve(talk)
    callback = {"url": "https://relay.example/", "token": "callback-canary"}

    reply = client.invoke(call(f"{server.url}?key=query-canary", auth=auth, callback=callback))

    assert CANARY in str(server.requests[0].headers)
    assert "***" in repr(reply)
    assert CANARY not in repr(reply)
    assert "callback-canary" not in repr(reply)
    assert status < 300 or "query-canary" not in repr(reply)


def test_a_message_names_neither_query_nor_token_whatever_breaks(serve: Serve) -> None:
    client = new_client()
    server = serve(says())
    server.close()
    place = f"127.0.0.1:{server.port}"

    for url in (
        f"http://{place}/{CANARY}?key={CANARY}#{CANARY}",
        f"http://no-such-host.invalid/?key={CANARY}",
        f"https://{place}/?key={CANARY}",
        f"http://user:{CANARY}@{place}/",
        f"ftp://{place}/?key={CANARY}",
        f"http://[{CANARY}/",
    ):
        reply = client.invoke(call(url, auth=BEARER if place in url else None))

        assert reply.failure is not None
        assert CANARY not in repr(reply)
    client.close()


@pytest.mark.parametrize(
    "location",
    [
        f"https://user:{CANARY}@elsewhere.example/{CANARY}?t={CANARY}",
        f"//user:p@{CANARY}@elsewhere.example",
        f"https://elsewhere.example#{CANARY}",
        f"/login?next={quote(CANARY)}",
        f"{CANARY}",
        f"https://{CANARY}.example/",
    ],
)
def test_a_redirect_names_its_host_only(client: Client, serve: Serve, location: str) -> None:
    url = serve(says(302, b"", Location=location)).url

    reply = client.invoke(call(url, auth=BEARER))

    assert reply.failure is not None
    assert reply.failure.kind == "redirect"
    assert CANARY not in repr(reply)
    assert ("elsewhere.example" in location) == ("elsewhere.example" in reply.failure.message)


@pytest.mark.parametrize(
    ("value", "kind", "says_what"),
    [
        ("abc\r\nX-Evil: 1", AuthKind.HEADER, "line break"),
        ("abc\ndef", AuthKind.BEARER, "line break"),
        ("clé", AuthKind.HEADER, "outside ASCII"),
        ("${MISSING}", AuthKind.BEARER, "export MISSING=…"),
        ("${secret:api-key}", AuthKind.HEADER, "export API_KEY=…"),
    ],
)
def test_a_secret_that_cannot_be_sent_is_a_permanent_failure_of_its_collector(
    client: Client, serve: Serve, value: str, kind: AuthKind, says_what: str
) -> None:
    server = serve(says(200))

    reply = client.invoke(call(server.url, auth=Auth(kind, {"X-Key": value})))

    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.retryable) == ("auth", False)
    assert says_what in reply.failure.message
    assert "Evil" not in reply.failure.message
    assert server.requests == []


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("0.0.0.0", False),  # noqa: S104
        ("169.254.169.254", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_loopback_is_known_by_name_alone(host: str, loopback: bool) -> None:
    assert is_loopback(host) == loopback


def test_bugs_are_not_failures_of_the_collector(serve: Serve) -> None:
    class Broken:
        def headers(self, *_: object) -> dict[str, str]:
            raise TypeError("a bug")

    client = client_with(Broken(), EnvironmentSecrets({}), {})

    with pytest.raises(TypeError, match="a bug"):
        client.invoke(call(serve(says(200)).url))
