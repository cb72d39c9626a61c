"""One stand with twelve scripted collectors for the tests of this folder's module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests import emulators
from tests.devstack.stand import DevStack
from tests.scenarios.collectors import Collectors

NAMES = tuple(f"c{number:02}" for number in range(12))


@pytest.fixture(scope="module")
def collectors() -> Iterator[Collectors]:
    server = Collectors()
    yield server
    server.close()


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory, collectors: Collectors) -> Iterator[DevStack]:
    for kind in emulators.VARIABLES:
        emulators._command(kind)  # skips, or fails in CI, where it is not installed
    made = DevStack(tmp_path_factory.mktemp("stand"), collectors, NAMES, limit=4)
    try:
        made.await_ready()
        yield made
    finally:
        if made.process.poll() is None:
            made.stop()
