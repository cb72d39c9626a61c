"""The google adapters, on the official emulators: a project of its own for each test."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from tests.emulators import emulator

from fanfold.adapters.google.ledger import FirestoreLedger

Connect = Callable[[], FirestoreLedger]
MakeClient = Callable[..., firestore.Client]


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all test processes of this session have in common."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if base.name.startswith("popen-") else base) / "emulators"


@pytest.fixture(scope="session")
def firestore_host(shared_folder: Path) -> Iterator[str]:
    with emulator("firestore", shared_folder) as host:
        yield host


@pytest.fixture
def project() -> str:
    return f"demo-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def make_client(project: str, request: pytest.FixtureRequest) -> Iterator[MakeClient]:
    """Return a function that opens a client; ``host`` may name another way to the emulator."""
    opened: list[firestore.Client] = []

    def make(host: str = "") -> firestore.Client:
        opened.append(client_at(host or request.getfixturevalue("firestore_host"), project))
        return opened[-1]

    yield make
    for client in opened:
        client.close()  # type: ignore[no-untyped-call]


@pytest.fixture
def connect(make_client: MakeClient) -> Connect:
    return lambda: FirestoreLedger(make_client())


@pytest.fixture
def ledger(connect: Connect) -> FirestoreLedger:
    return connect()


def client_at(host: str, project: str) -> firestore.Client:
    """Return a client of the emulator at *host*, whatever the environment says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRESTORE_EMULATOR_HOST", host)
        anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call]
        return firestore.Client(project=project, credentials=anonymous)
