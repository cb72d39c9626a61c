from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.adapters.http.calls import FORM, Client, LoopClient, new_client
from tests.adapters.http.certificates import Certificates
from tests.adapters.http.servers import Server, Talk

from fanfold.adapters.http.client import CurlCollectorClient

Serve = Callable[[Talk], Server]


@pytest.fixture(autouse=True, params=[CurlCollectorClient, LoopClient], ids=["blocking", "loop"])
def form(request: pytest.FixtureRequest) -> Iterator[type[Client]]:
    """Give every test both forms of the client: what one promises the other does as well."""
    FORM.append(request.param)
    yield request.param
    FORM.pop()


@pytest.fixture
def client() -> Iterator[Client]:
    client = new_client()
    yield client
    client.close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that starts a collector."""
    servers: list[Server] = []

    def start(talk: Talk) -> Server:
        servers.append(Server(talk))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def certificates(tmp_path: Path) -> Iterator[Certificates]:
    made = Certificates(tmp_path)
    yield made
    made.close()
