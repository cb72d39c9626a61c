"""Two plans: of the old file with URLs alone, and of all that can be on; and a deployed project."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.infra.terraform import CONFIGURATIONS, ROOT, Plan, Planner
from tests.infra.world import World, empty_project
from tools.bundle import bundle

#: Everything that is optional, given.
EVERYTHING = {
    "alert_email": "night@example.com",
    "async_collector_members": {
        "callback": ["serviceAccount:slow@demo.iam.gserviceaccount.com"],
        "publish": ["serviceAccount:late@demo.iam.gserviceaccount.com"],
    },
    "collector_services": {
        "dvf": {"service": "dvf-collector"},
        "plu": {"service": "plu", "location": "europe-west1", "project": "elsewhere"},
    },
    "console": {"members": ["group:readers@example.com"]},
    "environment": {
        "CLOUD_FUNCTIONS_BASE_URL": "https://collectors.example.com",
        "DVF_COLLECTOR_URL": "https://dvf.example.com",
    },
    "function_auth_token": {"secret": "auth-token", "version": "4"},
    "operators": ["group:data@example.com"],
    "prefix": "staging",
    "project_number": "123456789012",
    "secret_environment": {"PLU_KEY": {"secret": "plu-key", "version": "2"}},
}

#: The configuration of the repository.
SHIPPED = ROOT / "config" / "config.yaml"

#: URLs, without which no plan is made.
URLS = {
    f"{name}_{kind}_URL": f"https://{name.lower()}.example.com"
    for name in ("DVF", "INSEE", "INSEE_CONTOURS", "PLU", "SIRENE")
    for kind in ("COLLECTOR", "FUNCTION")
}

#: Makes a planner for one of the shape module's configurations, or for the shipped one.
MakePlanner = Callable[[str], Planner]


@pytest.fixture(scope="session")
def make_planner(tmp_path_factory: pytest.TempPathFactory) -> MakePlanner:
    def make(name: str) -> Planner:
        folder = tmp_path_factory.mktemp("plan")
        config = SHIPPED if name == "shipped" else CONFIGURATIONS / f"{name}.yaml"
        bundle(config, folder / "build")
        return Planner(
            folder,
            {
                "bundles_folder": str(folder / "build"),
                "config_file": str(config),
                "environment": URLS,
            },
        )

    return make


@pytest.fixture(scope="session")
def plan(make_planner: MakePlanner) -> Plan:
    return make_planner("old").plan()


@pytest.fixture(scope="session")
def full_plan(make_planner: MakePlanner) -> Plan:
    return make_planner("new").plan(**EVERYTHING)


@pytest.fixture(scope="session", params=["plan", "full_plan"])
def any_plan(request: pytest.FixtureRequest) -> Plan:
    found: Plan = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "terraform"


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A project on which nothing was applied, and the shipped configuration."""
    folder = tmp_path_factory.mktemp("world")
    config = SHIPPED.read_text("utf-8")
    with empty_project(folder, config, environment=URLS, project_number="123456789012") as world:
        yield world


@pytest.fixture(scope="session")
def _deployed(empty: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    return empty.copy(tmp_path_factory.mktemp("deployed")).apply()


@pytest.fixture
def deployed(_deployed: World, tmp_path: Path) -> World:
    """A project on which the shipped configuration was applied, for one test alone."""
    return _deployed.copy(tmp_path)
