from __future__ import annotations

import socket
import time

from tests.adapters.http.calls import BEARER, OIDC, Client, call, client_with, new_client
from tests.adapters.http.conftest import Serve
from tests.adapters.http.servers import Request, response, says

from fanfold.adapters.http.credentials import CollectorCredentials
from fanfold.adapters.id_tokens import IdToken
from fanfold.adapters.secrets import EnvironmentSecrets
from fanfold.domain.protocol.findings import ReportedFigures


class Issuer:
    def __init__(self) -> None:
        self.audiences: list[str] = []

    def __call__(self, audience: str) -> IdToken:
        self.audiences.append(audience)
        return IdToken(f"token-number-{len(self.audiences)}", time.time() + 3600)

    def client(self) -> Client:
        secrets = EnvironmentSecrets({})
        return client_with(CollectorCredentials(secrets, self), secrets, {})


def accepts(token: str, serve: Serve) -> tuple[list[Request], str]:
    def talk(connection: socket.socket, request: Request) -> bool:
        good = request.headers["authorization"] == f"Bearer {token}"
        connection.sendall(response(200, {"records": 1}) if good else response(401))
        return True

    server = serve(talk)
    return server.requests, server.url


def test_a_refused_id_token_is_fetched_anew_once(serve: Serve) -> None:
    issuer = Issuer()
    requests, url = accepts("token-number-2", serve)
    client = issuer.client()

    assert client.invoke(call(url, auth=OIDC)).findings == ReportedFigures(records=1)
    assert client.invoke(call(url + "?again", auth=OIDC)).findings == ReportedFigures(records=1)
    client.close()

    assert issuer.audiences == [url, url]
    assert len(requests) == 3
    assert len({request.headers["idempotency-key"] for request in requests}) == 1


def test_an_id_token_that_is_refused_again_is_a_permanent_failure(serve: Serve) -> None:
    issuer = Issuer()
    requests, url = accepts("none", serve)
    client = issuer.client()

    reply = client.invoke(call(url, auth=OIDC))
    client.close()

    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.retryable) == ("auth", False)
    assert len(requests) == 2


def test_no_other_refusal_is_tried_again(serve: Serve) -> None:
    client = new_client()
    for status, auth in ((401, BEARER), (401, None), (403, OIDC)):
        server = serve(says(status))
        reply = client.invoke(call(server.url, auth=auth))

        assert reply.failure is not None
        assert (reply.failure.kind, reply.failure.retryable) == ("auth", False)
        assert len(server.requests) == 1
    client.close()
