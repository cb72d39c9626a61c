"""The way out is the host's: proxies, and what never goes through one."""

from __future__ import annotations

import base64
import socket
from collections.abc import Mapping

import pytest
from tests.adapters.http.calls import BEARER, CANARY, call, new_client, timed
from tests.adapters.http.certificates import Certificates
from tests.adapters.http.conftest import Serve
from tests.adapters.http.proxies import passes_on
from tests.adapters.http.servers import Server, says, sends

from fanfold.domain.protocol.contract import Reply
from fanfold.domain.protocol.findings import ReportedFigures

HTTP = "http://dvf.test/run?x=1"
ONE = ReportedFigures(records=1)


def reply_through(server: Server, url: str = HTTP, **more: object) -> Reply:
    env = {"ALL_PROXY": f"http://127.0.0.1:{server.port}"}
    return new_client(env).invoke(call(url, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_a_plain_call_goes_through_the_proxy_that_a_variable_names(serve: Serve, name: str) -> None:
    server = serve(says(200, {"records": 1}))
    proxy = serve(passes_on(server.port))

    reply = new_client({name: f"127.0.0.1:{proxy.port}"}).invoke(call(HTTP))

    assert reply.findings == ONE
    assert proxy.requests[0].line == f"POST {HTTP} HTTP/1.1"
    assert server.requests[0].line == "POST /run?x=1 HTTP/1.1"


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_private_call_goes_through_a_tunnel_with_its_credentials_inside(
    serve: Serve, certificates: Certificates, name: str
) -> None:
    server = certificates.server("dvf.test")
    proxy = serve(passes_on(server.port))
    env = {name: f"http://127.0.0.1:{proxy.port}", "SSL_CERT_FILE": certificates.authority}

    reply = new_client(env).invoke(call("https://dvf.test/run", auth=BEARER))

    assert reply.findings == ONE
    assert proxy.requests[0].line == "CONNECT dvf.test:443 HTTP/1.1"
    assert CANARY not in str(proxy.requests)
    assert server.requests[0].headers["authorization"] == f"Bearer {CANARY}"


def test_the_proxy_of_the_configuration_goes_first_and_its_password_is_filled_in(
    serve: Serve,
) -> None:
    server = serve(says(200, {"records": 1}))
    proxy, other = serve(passes_on(server.port)), serve(says(500))
    client = new_client({"HTTP_PROXY": f"http://127.0.0.1:{other.port}"})

    template = f"http://me:${{TOKEN}}@127.0.0.1:{proxy.port}"
    reply = client.invoke(call(HTTP, proxy=template))

    assert reply.findings == ONE
    login = base64.b64encode(f"me:{CANARY}".encode()).decode()
    assert proxy.requests[0].headers["proxy-authorization"] == f"Basic {login}"
    assert other.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "localhost."])
def test_this_machine_is_called_directly(serve: Serve, host: str) -> None:
    server, proxy = serve(says(200, {"records": 1})), serve(says(500))
    proxy_url = f"http://127.0.0.1:{proxy.port}"
    client = new_client({"ALL_PROXY": proxy_url, "HTTP_PROXY": proxy_url})
    url = f"http://{host}:{server.port}/"

    reply = client.invoke(call(url, auth=BEARER, proxy=proxy_url))

    assert reply.findings == ONE
    assert proxy.requests == []


def test_credentials_never_go_over_plain_http_through_a_proxy(serve: Serve) -> None:
    proxy = serve(says(200, {"records": 1}))

    reply = reply_through(proxy, auth=BEARER)

    assert reply.failure is not None
    assert "use https" in reply.failure.message
    assert proxy.requests == []


@pytest.mark.parametrize("exempt", ["*", "dvf.test", ".test", "other.example, dvf.test:80"])
def test_what_no_proxy_names_is_called_directly(serve: Serve, exempt: str) -> None:
    proxy = serve(says(200, {"records": 1}))
    env = {"HTTP_PROXY": f"http://127.0.0.1:{proxy.port}", "NO_PROXY": exempt}

    reply = new_client(env).invoke(call(HTTP, timeout_s=1))

    assert reply.failure is not None
    assert "the name of dvf.test:80 does not resolve" in reply.failure.message
    assert proxy.requests == []


ASKS = b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\nContent-Length: 4\r\n\r\nwho?"


@pytest.mark.parametrize("url", [HTTP, "https://dvf.test/run"])
def test_a_407_is_the_proxy_s(serve: Serve, url: str) -> None:
    proxy = serve(sends(ASKS))

    reply = reply_through(proxy, url)

    assert reply.http_status is None
    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.retryable) == ("network", False)
    assert f"the proxy 127.0.0.1:{proxy.port} asks for a user" in reply.failure.message


def test_without_a_proxy_a_407_is_the_collector_s(serve: Serve) -> None:
    reply = new_client().invoke(call(serve(sends(ASKS)).url))

    assert reply.http_status == 407


@pytest.mark.parametrize(
    ("answer", "retryable", "says_what"),
    [
        (b"HTTP/1.1 403 No\r\n\r\n", False, "did not open the way to dvf.test:443: HTTP 403"),
        (b"HTTP/1.1 503 No\r\n\r\n", True, "did not open the way to dvf.test:443: HTTP 503"),
        (b"SSH-2.0\r\n\r\n", True, "answered with something that is not HTTP"),
        (b"", True, "closed the connection"),
    ],
)
def test_what_a_proxy_refuses_is_told_of_the_proxy(
    serve: Serve, answer: bytes, says_what: str, *, retryable: bool
) -> None:
    proxy = serve(sends(answer))

    reply = reply_through(proxy, "https://dvf.test/run")

    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.retryable) == ("network", retryable)
    assert says_what in reply.failure.message
    assert f"127.0.0.1:{proxy.port}" in reply.failure.message


def test_a_silent_proxy_can_be_tried_again_for_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        client = new_client({"HTTPS_PROXY": f"http://{place}"})

        reply, seconds = timed(lambda: client.invoke(call("https://dvf.test/", timeout_s=0.5)))

    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.retryable) == ("network", True)
    assert f"the proxy {place} did not open the way" in reply.failure.message
    assert seconds < 1.5


def test_a_proxy_that_nobody_serves_is_named(serve: Serve) -> None:
    proxy = serve(says())
    proxy.close()

    reply = reply_through(proxy, "https://dvf.test/")

    assert reply.failure is not None
    assert reply.failure.retryable
    assert reply.failure.message == f"the proxy 127.0.0.1:{proxy.port}: connection refused"


@pytest.mark.parametrize(
    "env",
    [
        {"HTTP_PROXY": "ftp://p:1"},
        {"ALL_PROXY": "http://secret-canary@p:99999"},
        {"http_proxy": "http://p/secret-canary"},
        {"http_proxy": "secret-canary\r\nX: y"},
    ],
)
def test_what_is_no_proxy_is_named_by_its_variable(env: Mapping[str, str]) -> None:
    reply = new_client(env).invoke(call(HTTP))

    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.retryable) == ("network", False)
    assert reply.failure.message.startswith(f"{next(iter(env))} is not a proxy's URL")
    assert "canary" not in reply.failure.message


def test_a_proxy_s_page_does_not_repeat_its_password(serve: Serve) -> None:
    proxy = serve(says(502, b"no way for me:pass-canary-1"))
    env = {"HTTP_PROXY": f"http://me:pass-canary-1@127.0.0.1:{proxy.port}"}

    reply = new_client(env).invoke(call(HTTP))

    assert reply.failure is not None
    assert reply.failure.message == "HTTP 502: no way for ***"
