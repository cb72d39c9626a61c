"""One stack with twelve scripted collectors for the tests of this folder's module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests import emulators
from tests.devstack.running_stack import RunningStack
from tests.scenarios.collectors import Collectors

NAMES = tuple(f"c{number:02}" for number in range(12))


@pytest.fixture(scope="module")
def collectors() -> Iterator[Collectors]:
    server = Collectors()
    yield server
    server.close()


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, collectors: Collectors
) -> Iterator[RunningStack]:
    for kind in emulators.VARIABLES:
        emulators.require(kind)
    made = RunningStack(tmp_path_factory.mktemp("stack"), collectors, NAMES, limit=4)
    try:
        made.await_ready()
        yield made
    finally:
        if made.process.poll() is None:
            made.stop()
