"""The backends on which every promise is held."""

from __future__ import annotations

import pytest
from tests.conftest import MakeWorld

#: Opens one more process of the same deployment; see :class:`tests.support.World`.
Backend = MakeWorld


@pytest.fixture(params=["embedded"])
def backend(request: pytest.FixtureRequest, make_world: MakeWorld) -> Backend:
    """Return what opens a world on the backend of this test."""
    worlds = {"embedded": make_world}
    return worlds[request.param]
