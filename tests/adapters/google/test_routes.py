"""How jobs travel, as configuration and environment say, and what is said when they cannot."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from tests.support import World, catalogue, collector

from fanfold.adapters.google.bus.task_route import JobRoute, TaskRoute
from fanfold.domain.model.collector import Transport
from fanfold.domain.model.errors import NotConfigured
from fanfold.domain.model.states import RunStatus
from fanfold.settings import Settings, read_settings

CONFIGURED = catalogue(
    "dvf",
    use_cloud_tasks=True,
    queue_name="data-collectors",
    service_account_email="tasks@demo.iam.gserviceaccount.com",
)
ENV = {
    "GOOGLE_CLOUD_PROJECT": "demo",
    "FANFOLD_RELAY_URL": "https://relay.example/",
    "FANFOLD_TASKS_LOCATION": "europe-west1",
}


def route(env: dict[str, str]) -> JobRoute:
    return JobRoute(read_settings(env), lambda: CONFIGURED)


def test_the_configuration_says_whether_and_the_environment_where() -> None:
    assert route(ENV)() == TaskRoute(
        "demo",
        "europe-west1",
        "data-collectors",
        "https://relay.example",
        "tasks@demo.iam.gserviceaccount.com",
        "collector-jobs",
    )
    assert JobRoute(read_settings(ENV), lambda: catalogue("dvf"))() is None


def test_names_that_the_environment_gives_come_first() -> None:
    env = {
        **ENV,
        "FANFOLD_TOPIC_PREFIX": "dev-",
        "FANFOLD_TASKS_QUEUE": "dev-data-collectors",
        "FANFOLD_TASKS_ACCOUNT": "dev@demo.iam.gserviceaccount.com",
    }
    found = route(env)()

    assert found is not None
    assert found.queue == "dev-data-collectors"
    assert found.account == "dev@demo.iam.gserviceaccount.com"
    assert found.subscription == "dev-collector-jobs"


def test_on_the_emulators_pub_sub_has_the_jobs() -> None:
    emulated = JobRoute(Settings(), lambda: CONFIGURED, is_emulated=True)

    assert emulated() is None
    assert emulated.catalogue() is CONFIGURED


def test_all_that_is_missing_is_said_at_once() -> None:
    bare = replace(CONFIGURED, service_account_email="")

    with pytest.raises(NotConfigured) as caught:
        JobRoute(Settings(), lambda: bare).catalogue()
    for name in ("service_account_email", "FANFOLD_TASKS_LOCATION", "FANFOLD_RELAY_URL"):
        assert name in str(caught.value)
    assert "queue_name" not in str(caught.value)


def test_a_token_does_not_travel_in_the_clear() -> None:
    with pytest.raises(NotConfigured, match="write https"):
        route({**ENV, "FANFOLD_RELAY_URL": "http://relay.example"})()


def test_without_the_library_the_fix_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.cloud.tasks_v2", None)
    monkeypatch.delattr("google.cloud.tasks_v2", raising=False)

    with pytest.raises(NotConfigured, match=r'pip install "fanfold\[tasks\]"'):
        route(ENV).catalogue()


def test_the_library_is_needed_only_where_the_feature_is_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "google.cloud.tasks_v2", None)

    assert JobRoute(read_settings(ENV), lambda: catalogue("dvf"))() is None


def test_a_request_is_refused_where_its_jobs_could_not_travel(
    world: World,
) -> None:
    lacking = JobRoute(Settings(), lambda: CONFIGURED)
    world.parts.functions = replace(world.parts.functions, catalogue=lacking.catalogue)

    world.ask()
    world.settle()
    (record,) = world.ledger.recent_runs(10)
    assert record.status is RunStatus.REJECTED
    assert "use_cloud_tasks: true needs service_account_email" not in record.about
    assert "FANFOLD_RELAY_URL" in record.about


def test_a_collector_may_choose_its_own_transport() -> None:
    mixed = replace(
        CONFIGURED,
        use_cloud_tasks=False,
        collectors=(
            collector("slow", transport=Transport.CLOUD_TASKS),
            collector("usual"),
        ),
    )
    found = JobRoute(read_settings(ENV), lambda: mixed)()

    assert found is not None
    assert [found.takes(name) for name in ("slow", "usual", "no-longer-there")] == [
        True,
        False,
        False,
    ]


def test_without_an_enabled_collector_that_needs_it_there_is_no_route() -> None:
    idle = replace(
        CONFIGURED,
        use_cloud_tasks=False,
        collectors=(collector("slow", enabled=False, transport=Transport.CLOUD_TASKS),),
    )

    assert JobRoute(read_settings(ENV), lambda: idle)() is None
