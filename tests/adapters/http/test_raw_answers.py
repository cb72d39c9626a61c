"""Bytes that no decent server sends: only their own collector can suffer from them."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.adapters.http.calls import Client, call
from tests.adapters.http.conftest import Serve
from tests.adapters.http.servers import Request, Talk, response, says, sends

from fanfold.domain.protocol.findings import ReportedFigures

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
ANSWER = response(200, {"records": 7})
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX: y\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize(
    "before", [EARLY, PROCESSING, CONTINUE, EARLY + PROCESSING * 20 + CONTINUE], ids=len
)
def test_informational_answers_are_skipped_until_the_final_one(
    client: Client, serve: Serve, before: bytes
) -> None:
    reply = client.invoke(call(serve(sends(before, ANSWER, pause_s=0.02)).url))

    assert reply.findings == ReportedFigures(records=7)


def test_headers_of_an_informational_answer_are_not_those_of_the_final_one(
    client: Client, serve: Serve
) -> None:
    hint = b"HTTP/1.1 103 Early\r\nRetry-After: 77\r\nContent-Encoding: br\r\n\r\n"
    reply = client.invoke(call(serve(sends(hint, response(503, b"busy"))).url))

    assert (reply.http_status, reply.retry_after_s) == (503, None)


@pytest.mark.parametrize(
    ("talk", "kind", "retryable"),
    [
        pytest.param(sends(CHUNKED + b"-5\r\nabcde\r\n0\r\n\r\n"), "network", True, id="chunk -5"),
        pytest.param(sends(CHUNKED + b"\r\nabc"), "network", True, id="no chunk size"),
        pytest.param(sends(CHUNKED + b"ffffffffffffffffff\r\n"), "network", True, id="huge chunk"),
        pytest.param(sends(b"{}"), "bad_response", True, id="HTTP/0.9"),
        pytest.param(
            sends(b"HTTP/2 200\r\n\r\n{}"), "bad_response", True, id="HTTP/2 in the clear"
        ),
        pytest.param(sends(b"HTTP/1.1 099 X\r\n\r\n"), "bad_response", True, id="status 099"),
        pytest.param(
            sends(OK + b"Content-Length: -5\r\n\r\n"), "bad_response", False, id="length -5"
        ),
        pytest.param(sends(OK + b"X: a\0b\r\n\r\n"), "bad_response", False, id="NUL in a header"),
        pytest.param(
            sends(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
            "bad_response",
            False,
            id="transfer-encoding gzip",
        ),
        pytest.param(
            sends(OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n{}"), "too_large", False, id="70 KB"
        ),
        pytest.param(sends(OK, b"X: y\r\n" * 101, b"\r\n{}"), "too_large", False, id="101 headers"),
        pytest.param(sends(CONTINUE * 10_000, ANSWER), "too_large", False, id="10,000 times 100"),
        pytest.param(
            sends(CHUNKED + b"1\r\n{\r\n0\r\n" + b"T: x\r\n" * 200 + b"\r\n"),
            "too_large",
            False,
            id="200 trailers",
        ),
        pytest.param(sends(OK + b"Content-Length: 2\r\n"), "network", True, id="closes in headers"),
        pytest.param(sends(EARLY), "network", True, id="closes behind 103"),
        pytest.param(
            sends(b"HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\nabc"), "bad_response", False, id="101"
        ),
    ],
)
def test_it_is_one_reply_with_a_kind(
    client: Client, serve: Serve, talk: Talk, kind: str, *, retryable: bool
) -> None:
    server = serve(talk)

    reply = client.invoke(call(server.url))

    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.retryable) == (kind, retryable)
    assert len(server.requests) == 1


def test_100_headers_are_read(client: Client, serve: Serve) -> None:
    many = sends(OK + b"X: y\r\n" * 99 + b"Content-Length: 13\r\n\r\n" + b'{"records":7}')

    assert client.invoke(call(serve(many).url)).findings == ReportedFigures(records=7)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(EARLY + ANSWER, id="103 and an answer"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n" + ANSWER, id="204, and a body"),
        pytest.param(ANSWER * 3, id="an answer three times"),
        pytest.param(OK + b"Content-Length: 2\r\n\r\n{}" + ANSWER, id="too short a length"),
        pytest.param(b"HTTP/1.1 304 X\r\n\r\n" + ANSWER, id="304, and a body"),
    ],
)
def test_what_is_sent_too_much_is_nobody_else_s_answer(
    client: Client, serve: Serve, bad: bytes
) -> None:
    late = threading.Event()

    def talk(connection: socket.socket, request: Request) -> bool:
        if request.json()["collector"] == "dvf" and request.json()["params"]["n"] == 0:
            connection.sendall(bad[:40])
            late.wait(0.05)
            connection.sendall(bad[40:])
        else:
            connection.sendall(response(200, {"records": request.json()["params"]["n"]}))
        return True

    url = serve(talk).url

    def records(n: int) -> int | None:
        findings = client.invoke(call(url, params={"n": n})).findings
        return findings.records if findings else None

    for _ in range(3):
        records(0)
        assert records(11) == 11
    with ThreadPoolExecutor(8) as pool:
        numbers = [0, *range(20, 36), 0, *range(40, 56)]
        assert [got for n, got in zip(numbers, pool.map(records, numbers), strict=True) if n] == [
            n for n in numbers if n
        ]


def test_a_declared_charset_is_honoured(client: Client, serve: Serve) -> None:
    for name, codec in (
        ("iso-8859-1", "latin-1"),
        ("utf-16", "utf-16"),
        ("windows-1252", "cp1252"),
    ):
        body = '{"records": 1, "warnings": ["é"]}'.encode(codec)
        talk = says(200, body, Content_Type=f"application/json; charset={name}")

        reply = client.invoke(call(serve(talk).url))

        assert reply.findings == ReportedFigures(records=1, warnings=("é",))


def test_a_trailer_is_no_second_status(client: Client, serve: Serve) -> None:
    trailed = CHUNKED + b'd\r\n{"records":7}\r\n0\r\nHTTP/1.1 500 X: y\r\nRetry-After: 9\r\n\r\n'

    reply = client.invoke(call(serve(sends(trailed)).url))

    assert (reply.http_status, reply.findings) == (200, ReportedFigures(records=7))


@pytest.mark.parametrize(("filling", "is_read"), [(65_000, True), (66_000, False)])
def test_all_headers_together_have_64_kib(
    client: Client, serve: Serve, filling: int, *, is_read: bool
) -> None:
    lines = b"".join(b"X-%d: %s\r\n" % (n, b"y" * 990) for n in range(filling // 1000))
    talk = sends(OK + lines + b"Content-Length: 13\r\n\r\n" + b'{"records":7}')
    reply = client.invoke(call(serve(talk).url))
    assert (reply.failure is None) == is_read
    if reply.failure is not None:
        assert reply.failure.kind == "too_large"
