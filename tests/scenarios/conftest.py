"""A world for each story, on every backend."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.scenarios.collectors import Collectors
from tests.scenarios.embedded import EmbeddedWorld
from tests.scenarios.world import World


@pytest.fixture
def collectors() -> Iterator[Collectors]:
    server = Collectors()
    yield server
    server.close()


@pytest.fixture(params=["embedded"])
def world(
    request: pytest.FixtureRequest, tmp_path: Path, collectors: Collectors
) -> Iterator[World]:
    world = EmbeddedWorld(tmp_path, collectors)
    yield world
    world.stop()
