from __future__ import annotations

import gzip
import socket
import tracemalloc
import zlib

import pytest
from tests.adapters.http.calls import Client, call
from tests.adapters.http.conftest import Serve
from tests.adapters.http.servers import Request, Talk, response, says, sends

from fanfold.adapters.http.transfer import MAX_BODY_BYTES
from fanfold.domain.protocol.findings import ReportedFigures

ANSWER = b'{"records": 1}'
BOMB = gzip.compress(b"\0" * 100_000_000)
#: 100 MB in two layers of gzip: a few hundred bytes.
DOUBLE_BOMB = gzip.compress(BOMB)


def json_body(body: bytes, encoding: str = "gzip") -> Talk:
    return says(200, body, Content_Type="application/json", Content_Encoding=encoding)


@pytest.mark.parametrize(
    "talk",
    [
        pytest.param(says(200, ANSWER), id="as it is"),
        pytest.param(json_body(ANSWER, "identity"), id="identity"),
        pytest.param(json_body(gzip.compress(ANSWER)), id="gzip"),
        pytest.param(json_body(gzip.compress(ANSWER), "X-GZip"), id="x-gzip"),
        pytest.param(json_body(gzip.compress(ANSWER), "identity, gzip,"), id="identity and gzip"),
        pytest.param(json_body(ANSWER, "Identity"), id="identity"),
        pytest.param(
            sends(
                b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"r\r\n'
                b'b;ext=1\r\necords": 1}\r\n0\r\nTrailer: x\r\n\r\n'
            ),
            id="chunked",
        ),
        pytest.param(sends(b"HTTP/1.0 200 OK\r\n\r\n" + ANSWER), id="HTTP/1.0, until it closes"),
    ],
)
def test_a_body_is_read(client: Client, serve: Serve, talk: Talk) -> None:
    assert client.invoke(call(serve(talk).url)).findings == ReportedFigures(records=1)


def test_a_body_just_at_the_cap_is_read(client: Client, serve: Serve) -> None:
    body = ANSWER + b" " * (MAX_BODY_BYTES - len(ANSWER))

    for talk in (says(200, body), json_body(gzip.compress(body))):
        assert client.invoke(call(serve(talk).url)).findings == ReportedFigures(records=1)


@pytest.mark.parametrize(
    ("talk", "kind"),
    [
        pytest.param(says(200, b" " * (MAX_BODY_BYTES + 1)), "too_large", id="a byte too long"),
        pytest.param(
            sends(b"HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n"),
            "too_large",
            id="announces too much",
        ),
        pytest.param(json_body(BOMB), "too_large", id="gzip bomb"),
        pytest.param(json_body(DOUBLE_BOMB), "bad_response", id="double bomb as one layer"),
        pytest.param(json_body(DOUBLE_BOMB, "gzip, gzip"), "bad_response", id="double bomb"),
        pytest.param(json_body(zlib.compress(ANSWER), "deflate"), "bad_response", id="deflate"),
        pytest.param(json_body(b"\x0b\x02\x80", "br"), "bad_response", id="br"),
        pytest.param(json_body(b"(\xb5/\xfd", "zstd"), "bad_response", id="zstd"),
        pytest.param(
            sends(
                b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Encoding: gzip\r\n\r\n"
                + gzip.compress(gzip.compress(ANSWER))
            ),
            "bad_response",
            id="two headers, two layers",
        ),
        pytest.param(json_body(ANSWER), "bad_response", id="gzip that is none"),
        pytest.param(json_body(gzip.compress(ANSWER)[:-5]), "bad_response", id="gzip cut short"),
        pytest.param(
            json_body(gzip.compress(ANSWER) + b"more"), "bad_response", id="gzip and more"
        ),
        pytest.param(
            says(200, '{"warnings": ["é"]}'.encode("latin-1"), Content_Type="application/json"),
            "bad_response",
            id="another charset",
        ),
        pytest.param(
            says(200, b"<html>oops", Content_Type="application/json"), "bad_response", id="no JSON"
        ),
    ],
)
def test_a_body_is_refused(client: Client, serve: Serve, talk: Talk, kind: str) -> None:
    url = serve(talk).url
    tracemalloc.start()
    try:
        reply = client.invoke(call(url))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert reply.http_status == 200
    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.retryable) == (kind, False)
    assert peak_bytes < 8_000_000


def test_the_double_bomb_is_as_small_as_it_is_told() -> None:
    assert len(DOUBLE_BOMB) < 1000


def test_a_connection_with_a_refused_body_is_closed(client: Client, serve: Serve) -> None:
    def talk(connection: socket.socket, request: Request) -> bool:
        if request.connection == 2:
            connection.sendall(response(200, {"records": 1}))
        else:  # announce, and send only when the next request comes
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n")
        return True

    server = serve(talk)
    refused = client.invoke(call(server.url))

    assert refused.failure is not None
    assert refused.failure.kind == "too_large"
    assert client.invoke(call(server.url)).findings == ReportedFigures(records=1)
    assert [request.connection for request in server.requests] == [1, 2]


def test_a_failure_with_a_body_that_cannot_be_read_keeps_its_status(
    client: Client, serve: Serve
) -> None:
    for talk in (
        says(503, b"x" * 2_000_000),
        says(503, BOMB, Content_Encoding="gzip"),
        says(503, b"x", Content_Encoding="br"),
    ):
        reply = client.invoke(call(serve(talk).url))

        assert reply.http_status == 503
        assert reply.failure is not None
        assert (reply.failure.kind, reply.failure.retryable) == ("http", True)
        assert reply.failure.message == "HTTP 503"


def test_bytes_after_the_body_do_not_become_the_next_answer(client: Client, serve: Serve) -> None:
    smuggled = response(200, {"records": 1}) + response(200, {"records": 99})

    def talk(connection: socket.socket, _: Request) -> bool:
        connection.sendall(smuggled)
        return True

    server = serve(talk)
    for _ in range(3):
        assert client.invoke(call(server.url)).findings == ReportedFigures(records=1)
