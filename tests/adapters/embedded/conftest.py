"""The embedded adapters, on a file in the test's folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support import MovingClock

from fanfold.adapters.embedded.bus import SqliteBus
from fanfold.adapters.embedded.database import Database
from fanfold.messages.topology import topology

OpenDatabase = Callable[[], Database]
OpenBus = Callable[[], SqliteBus]


@pytest.fixture
def open_database(tmp_path: Path) -> Iterator[OpenDatabase]:
    opened: list[Database] = []

    def make() -> Database:
        opened.append(Database(tmp_path / "fanfold.db"))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock()


@pytest.fixture
def open_bus(open_database: OpenDatabase, clock: MovingClock) -> OpenBus:
    return lambda: SqliteBus(open_database(), topology(), clock, lambda: 0.5)
