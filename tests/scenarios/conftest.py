"""A world for each story, on every backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.emulators import VARIABLES, emulator
from tests.scenarios.collectors import Collectors
from tests.scenarios.embedded import EmbeddedWorld
from tests.scenarios.world import World


@pytest.fixture
def collectors() -> Iterator[Collectors]:
    server = Collectors()
    yield server
    server.close()


@pytest.fixture(params=["embedded", pytest.param("google", marks=pytest.mark.emulator)])
def world(
    request: pytest.FixtureRequest, tmp_path: Path, collectors: Collectors
) -> Iterator[World]:
    world: World
    if request.param == "google":
        world = request.getfixturevalue("make_google_world")(tmp_path, collectors)
    else:
        world = EmbeddedWorld(tmp_path, collectors)
    yield world
    world.stop()


@pytest.fixture
def make_google_world(
    emulator_hosts: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[Path, Collectors], World]:
    from tests.scenarios.google import GoogleWorld  # noqa: PLC0415 - the embedded stories do without

    for name, host in emulator_hosts.items():
        monkeypatch.setenv(name, host)
    return GoogleWorld


@pytest.fixture(scope="session")
def emulator_hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Return the emulators' addresses by the variables that the official clients read."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if base.name.startswith("popen-") else base) / "emulators"
    with ExitStack() as started:
        yield {
            variable: started.enter_context(emulator(kind, shared))
            for kind, variable in VARIABLES.items()
        }
