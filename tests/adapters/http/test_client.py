from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.adapters.http.calls import DEADLINE, RUN_ID, Client, call, new_client
from tests.adapters.http.conftest import Serve
from tests.adapters.http.servers import Request, response, says, sends
from tests.contracts.collector_client import CollectorClientContract

from fanfold import __version__
from fanfold.adapters.http import client as module
from fanfold.adapters.http import transfer, transfers
from fanfold.domain.protocol.findings import ReportedFigures


class TestCurlCollectorClient(CollectorClientContract):
    @pytest.fixture
    def client(self, client: Client) -> Client:
        return client


def test_a_call_sends_the_contract(client: Client, serve: Serve) -> None:
    server = serve(says(200, {"records": 3, "revision": "r2"}))
    traceparent = f"00-{'a' * 32}-{'b' * 16}-01"

    reply = client.invoke(
        call(
            server.url + "?source=live",
            params={"departements": ["35"]},
            previous={"revision": "r1", "records": 2},
            callback={"url": "https://relay.example/callback", "token": "t"},
            scheduled_for=DEADLINE,
            traceparent=traceparent,
        )
    )

    assert reply.findings == ReportedFigures(records=3, revision="r2")
    (request,) = server.requests
    assert request.line == "POST /collect?source=live HTTP/1.1"
    assert request.json() == {
        "run_id": RUN_ID,
        "collector": "dvf",
        "attempt": 1,
        "deadline": "2026-11-23T04:15:00.000Z",
        "scheduled_for": "2026-11-23T04:15:00.000Z",
        "params": {"departements": ["35"]},
        "previous": {"revision": "r1", "records": 2},
        "callback": {"url": "https://relay.example/callback", "token": "t"},
    }
    assert request.headers == {
        "host": f"127.0.0.1:{server.port}",
        "content-length": str(len(request.body)),
        "content-type": "application/json",
        "accept": "application/json",
        "accept-encoding": "gzip",
        "user-agent": f"fanfold/{__version__}",
        "idempotency-key": f"{RUN_ID}/dvf",
        "x-fanfold-deadline": "2026-11-23T04:15:00.000Z",
        "traceparent": traceparent,
    }


def test_a_202_that_says_accepted_is_accepted(client: Client, serve: Serve) -> None:
    reply = client.invoke(call(serve(says(202, {"accepted": True, "eta_seconds": 90})).url))

    assert (reply.accepted, reply.eta_s, reply.findings, reply.failure) == (True, 90.0, None, None)


def test_each_call_has_its_own_connection(client: Client, serve: Serve) -> None:
    server = serve(says(200, {"records": 1}))

    for _ in range(5):
        assert client.invoke(call(server.url)).findings == ReportedFigures(records=1)

    assert [request.connection for request in server.requests] == [1, 2, 3, 4, 5]


def test_a_call_whose_answer_was_lost_is_not_sent_again(client: Client, serve: Serve) -> None:
    def talk(connection: socket.socket, request: Request) -> bool:
        if len(server.requests) == 2:
            return False
        connection.sendall(response(200, {"records": 1}))
        return True

    server = serve(talk)
    client.invoke(call(server.url))
    reply = client.invoke(call(server.url))

    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.retryable) == ("network", True)
    assert len(server.requests) == 2


def test_sixteen_threads_share_a_client(client: Client, serve: Serve) -> None:
    def talk(connection: socket.socket, request: Request) -> bool:
        connection.sendall(response(200, {"records": int(request.json()["params"]["n"])}))
        return True

    server = serve(talk)

    def count(n: int) -> int | None:
        findings = client.invoke(call(server.url, params={"n": n})).findings
        return None if findings is None else findings.records

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(count, range(400))) == list(range(400))

    assert len(server.requests) == 400


def test_a_closed_client_closes_its_connections_and_may_be_used_again(
    client: Client, serve: Serve
) -> None:
    server = serve(says(200, {"records": 1}))
    client.invoke(call(server.url))
    client.close()

    assert client.invoke(call(server.url)).findings == ReportedFigures(records=1)
    assert len(server.connections) == 2


def test_a_handle_serves_the_next_call_unless_its_call_broke(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []

    def counted() -> object:
        made.append(transfer.new_handle())
        return made[-1]

    for each in (module, transfers):
        monkeypatch.setattr(each, "new_handle", counted)
    client = new_client()
    good, broken = serve(says(200, {"records": 1})), serve(sends(b""))
    for _ in range(3):
        assert client.invoke(call(good.url)).findings is not None
    assert len(made) == 1
    assert client.invoke(call(broken.url)).failure is not None
    assert client.invoke(call(good.url)).findings is not None
    assert len(made) == 2
    client.close()
    assert client.invoke(call(good.url)).findings is not None
    assert len(made) == 3
