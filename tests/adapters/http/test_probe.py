"""A probe says how far a call would come, and sends nothing of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping

import pytest
from tests.adapters.http.calls import BEARER, call
from tests.adapters.http.certificates import Certificates

from fanfold.adapters.http.credentials import CollectorCredentials
from fanfold.adapters.http.probe import CollectorProbe, Probed, Step
from fanfold.adapters.secrets import EnvironmentSecrets


def probed(url: str, env: Mapping[str, str] | None = None, **spec: object) -> Probed:
    secrets = EnvironmentSecrets(env or {})
    probe = CollectorProbe(CollectorCredentials(secrets), secrets, env or {})
    return probe.probe(call(url, **spec).spec, 3.0)  # type: ignore[arg-type]


@pytest.fixture
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """A port that takes connections, and what was received on each of them."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(2)
                    received.append(connection.recv(1000))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], received
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def test_nothing_is_sent(listener: tuple[int, list[bytes]]) -> None:
    port, received = listener

    one = probed(f"http://127.0.0.1:{port}/start?key=abc")

    assert (one.step, one.problem, one.place) == (Step.DONE, "", f"127.0.0.1:{port}")
    again = probed(f"http://127.0.0.1:{port}/")
    assert again.step is Step.DONE
    assert b"".join(received) == b""


def test_tls_is_shaken_and_nothing_asked(certificates: Certificates) -> None:
    server = certificates.server("localhost")
    trusted = {"SSL_CERT_FILE": certificates.authority}

    assert probed(f"https://localhost:{server.port}/", trusted).step is Step.DONE
    strange = probed(f"https://localhost:{server.port}/")

    assert strange.step is Step.TLS
    assert "certificate" in strange.problem
    assert server.requests == []


def test_each_step_that_fails_is_told_apart(listener: tuple[int, list[bytes]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        free = closed.getsockname()[1]
    assert probed(f"http://127.0.0.1:{free}/").step is Step.CONNECTION
    assert probed("http://nowhere.invalid/").step is Step.NAME
    proxy = {"HTTPS_PROXY": f"http://user:secret-word@localhost:{free}"}
    behind = probed("https://collector.example/", proxy)
    assert (behind.step, behind.proxy) == (Step.PROXY, f"localhost:{free}")
    assert "secret-word" not in behind.problem


def test_what_is_behind_a_proxy_for_http_is_not_said_to_be_there(
    listener: tuple[int, list[bytes]],
) -> None:
    port, received = listener

    one = probed("http://collector.example/", {"HTTP_PROXY": f"http://localhost:{port}"})

    assert (one.step, one.proxy) == (Step.BEHIND_PROXY, f"localhost:{port}")
    assert b"".join(received) == b""


def test_credentials_that_are_missing_are_found_before_anybody_is_asked(
    listener: tuple[int, list[bytes]],
) -> None:
    port, received = listener

    one = probed(f"http://127.0.0.1:{port}/", auth=BEARER)

    assert one.step is Step.PREPARED
    assert one.problem
    assert received == []
