"""Fixtures for every room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("tests.contracts", "tests.support", "tests.app.damage")

from tests.needs import give_up, lacks  # noqa: E402 - the same
from tests.support import World  # noqa: E402 - after its assertions are to be rewritten

# How long an example takes says how busy the machine is, and no promise of fanfold is about that.
# A hang is bounded all the same: ``timeout`` in pyproject.toml ends any test.
settings.register_profile("busy", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("busy")

#: Makes a world in the test's folder; more than one shares its file, clock and client if given.
MakeWorld = Callable[..., World]


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        for what in mark.args:
            if missing := lacks(what):
                give_up(missing, what)


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[MakeWorld]:
    worlds: list[World] = []

    def make(**changes: Any) -> World:
        worlds.append(World(tmp_path, **changes))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    return make_world()
