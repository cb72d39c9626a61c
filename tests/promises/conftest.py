"""The backends on which every promise is held: both ledgers, each behind the embedded bus."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.google.conftest import client_at
from tests.conftest import MakeWorld
from tests.emulators import emulator

from fanfold.adapters.google.ledger import FirestoreLedger

#: Opens one more process of the same deployment; see :class:`tests.support.World`.
Backend = MakeWorld


@pytest.fixture(scope="session")
def firestore_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    base: Path = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    with emulator("firestore", shared / "emulators") as host:
        yield host


@pytest.fixture(params=["embedded", pytest.param("firestore", marks=pytest.mark.emulator)])
def backend(request: pytest.FixtureRequest, make_world: MakeWorld) -> Backend:
    """Return what opens a world on the backend of this test."""
    if request.param == "embedded":
        return make_world
    host, project = request.getfixturevalue("firestore_host"), f"demo-{uuid.uuid4().hex[:12]}"

    def connect() -> Any:
        return FirestoreLedger(client_at(host, project))

    return partial(make_world, connect=connect)
