"""The endpoint answers callbacks and health, whatever other connections do."""

from __future__ import annotations

import http.client
import io
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from fanfold.adapters.embedded import endpoint as module
from fanfold.adapters.embedded import http_server
from fanfold.adapters.embedded.endpoint import Endpoint, application
from fanfold.domain.model.errors import NotConfigured

Answer = tuple[int, Mapping[str, Any]]


def take(path: str, authorization: str, body: bytes, traceparent: str = "") -> Answer:
    return 200, {"path": path, "authorization": authorization, "length": len(body)}


def well(_: str) -> Answer:
    return 200, {"status": "ok"}


@pytest.fixture
def serve() -> Iterator[Callable[..., Endpoint]]:
    endpoints: list[Endpoint] = []

    def start(callback: module.Callback = take, health: module.Health = well) -> Endpoint:
        endpoints.append(Endpoint(application(callback, health), "127.0.0.1", 0))
        endpoints[-1].start()
        return endpoints[-1]

    yield start
    for each in endpoints:
        each.close()


def ask(endpoint: Endpoint, method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=10)
    try:
        connection.request(method, path, body, {"Authorization": "Bearer t"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def connect(endpoint: Endpoint) -> socket.socket:
    return socket.create_connection(("127.0.0.1", endpoint.port), timeout=10)


def is_closed(connection: socket.socket) -> bool:
    """Return whether the other side closed *connection* within a few seconds."""
    connection.settimeout(5)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


def test_callbacks_and_health_are_answered(serve: Callable[..., Endpoint]) -> None:
    endpoint = serve()
    assert ask(endpoint, "GET", "/healthz") == (200, {"status": "ok"})
    assert ask(endpoint, "POST", "/callback/r/c", b"{}") == (
        200,
        {"path": "/callback/r/c", "authorization": "Bearer t", "length": 2},
    )
    for method, path, status in (
        ("POST", "/healthz", 405),
        ("GET", "/callback/r/c", 405),
        ("GET", "/", 404),
    ):
        assert ask(endpoint, method, path)[0] == status


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(
    serve: Callable[..., Endpoint],
) -> None:
    with connect(serve()) as connection:
        head = f"POST /callback/r/c HTTP/1.1\r\nContent-Length: {module.MAX_BODY_BYTES + 1}\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(100).split()[1] == b"413"


@pytest.mark.parametrize(
    ("length", "status"),
    [
        ("\u00b2", 400),
        ("\u0665", 400),
        ("-1", 400),
        ("+5", 400),
        ("5, 5", 400),
        ("1_0", 400),
        ("0x10", 400),
        ("9" * 5000, 413),
        ("0", 200),
        ("", 200),
    ],
)
def test_a_length_is_ascii_digits_and_no_more_than_the_cap(length: str, status: int) -> None:
    environ = {
        "PATH_INFO": "/callback/r/c",
        "REQUEST_METHOD": "POST",
        "CONTENT_LENGTH": length,
        "wsgi.input": io.BytesIO(),
    }
    answer = module._route(environ, lambda *_: (200, {}), lambda _: (200, {}))

    assert answer[0] == status


class Drip(threading.Thread):
    """Sends a byte of *text* every 50 ms on each of *count* connections, until stopped."""

    def __init__(self, endpoint: Endpoint, count: int, text: bytes) -> None:
        super().__init__(daemon=True)
        self.endpoint, self.text = endpoint, text
        self.stopping = threading.Event()
        self.connections = [connect(endpoint) for _ in range(count)]

    def run(self) -> None:
        position = 0
        while not self.stopping.wait(0.05):
            for number, each in enumerate(self.connections):
                try:
                    each.sendall(self.text[position : position + 1] or b"x")
                except OSError:  # closed: an attacker comes back
                    each.close()
                    self.connections[number] = connect(self.endpoint)
            position += 1

    def stop(self) -> None:
        self.stopping.set()
        self.join()
        for each in self.connections:
            each.close()


@pytest.mark.parametrize(
    "text",
    [
        b"GET /healthz HTTP/1.1\r\nX-Slow: ",
        b"POST /callback/r/c HTTP/1.1\r\nContent-Length: 100000\r\n\r\n",
        b"\r\n" * 1000,
    ],
    ids=["header", "body", "blank lines"],
)
def test_120_connections_that_drip_silence_neither_callbacks_nor_health(
    serve: Callable[..., Endpoint], text: bytes
) -> None:
    endpoint = serve()
    drip = Drip(endpoint, 120, text)
    drip.start()
    try:
        for _ in range(10):
            began = time.monotonic()
            assert ask(endpoint, "GET", "/healthz")[0] == 200
            assert ask(endpoint, "POST", "/callback/r/c", b"{}")[0] == 200
            assert time.monotonic() - began < 2
            time.sleep(0.1)
    finally:
        drip.stop()


@pytest.mark.parametrize(
    ("sent", "limit"),
    [
        (b"", "HEADER_S"),
        (b"GET /healthz HTTP/1.1\r\nX: ", "HEADER_S"),
        (b"\r\n\r\n", "HEADER_S"),
        (b"POST /callback/r/c HTTP/1.1\r\nContent-Length: 9\r\n\r\n{", "BODY_S"),
        (b"POST /callback/r/c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n", "BODY_S"),
    ],
)
def test_a_request_that_takes_too_long_ends_its_connection(
    serve: Callable[..., Endpoint], monkeypatch: pytest.MonkeyPatch, sent: bytes, limit: str
) -> None:
    monkeypatch.setattr(http_server, limit, 0.3)
    endpoint = serve()
    with connect(endpoint) as connection:
        connection.sendall(sent)
        time.sleep(0.2)
        assert is_closed(connection)


def test_a_slow_answer_is_waited_for(
    serve: Callable[..., Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "HEADER_S", 0.2)
    monkeypatch.setattr(http_server, "BODY_S", 0.2)

    served: list[Endpoint] = []

    def slowly(*_: object) -> Answer:
        time.sleep(2.5)
        # No moment after the answer finds the connection already too old.
        assert [each.waits_since for each in served[0]._server._of(None)] == [float("inf")]
        return 200, {}

    served.append(serve(slowly))
    assert ask(served[0], "POST", "/callback/r/c", b"{}")[0] == 200


def test_a_connection_is_used_again(serve: Callable[..., Endpoint]) -> None:
    endpoint = serve()
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=10)
    for _ in range(3):
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b'{"status": "ok"}\n'
    connection.close()


def test_health_is_answered_while_callbacks_wait_for_the_file(
    serve: Callable[..., Endpoint],
) -> None:
    go = threading.Event()

    def blocked(*_: object) -> Answer:
        assert go.wait(20)
        return 200, {}

    endpoint = serve(blocked)
    statuses: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: statuses.append(ask(endpoint, "POST", "/callback/r/c", b"{}")[0])
        )
        for _ in range(8)
    ]
    for each in threads:
        each.start()
    while len(statuses) < 8 - module.CALLBACKS_AT_ONCE:
        time.sleep(0.01)
    assert set(statuses) == {503}
    assert ask(endpoint, "GET", "/healthz")[0] == 200
    go.set()
    for each in threads:
        each.join()
    assert statuses.count(200) == module.CALLBACKS_AT_ONCE


def test_a_port_is_free_and_no_descriptor_or_thread_is_left_after_the_end(
    serve: Callable[..., Endpoint],
) -> None:
    serve()  # whatever the first one loads
    before = len(list(Path("/proc/self/fd").iterdir())), threading.active_count()
    for _ in range(3):
        endpoint = Endpoint(application(take, well), "127.0.0.1", 0)
        endpoint.start()
        with connect(endpoint) as open_one, connect(endpoint):
            assert ask(endpoint, "GET", "/healthz")[0] == 200
            open_one.sendall(b"GET")
            endpoint.close()
        with socket.socket() as again:
            # Closed connections linger; only one that listens keeps the port from a next start.
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind(("127.0.0.1", endpoint.port))
    assert (len(list(Path("/proc/self/fd").iterdir())), threading.active_count()) == before


def test_one_that_was_never_started_leaves_nothing() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    Endpoint(application(take, well), "127.0.0.1", 0).close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_an_address_of_another_machine_is_refused_and_nothing_is_left() -> None:
    before = len(list(Path("/proc/self/fd").iterdir())), threading.active_count()
    with pytest.raises(OSError, match="Cannot assign"):
        Endpoint(application(take, well), "192.0.2.1", 0)
    assert (len(list(Path("/proc/self/fd").iterdir())), threading.active_count()) == before


@pytest.mark.parametrize(
    ("found", "said"), [([], "no address"), (["127.0.0.1", "127.0.0.2"], "several addresses")]
)
def test_a_name_must_be_one_address(
    monkeypatch: pytest.MonkeyPatch, found: list[str], said: str
) -> None:
    def look_up(*_: object) -> list[Any]:
        if not found:
            raise socket.gaierror(-2, "Name or service not known")
        kind = socket.AF_INET, socket.SOCK_STREAM, 6, ""
        return [(*kind, (address, 0)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(NotConfigured, match=said):
        Endpoint(application(take, well), "somewhere.example", 0)


def test_a_request_that_waits_for_a_thread_is_no_news_and_a_failure_is(
    serve: Callable[..., Endpoint],
) -> None:
    logging.getLogger("waitress.queue").setLevel(logging.NOTSET)
    serve()
    queue = logging.getLogger("waitress.queue")
    assert not queue.isEnabledFor(logging.WARNING)
    assert queue.isEnabledFor(logging.ERROR)
