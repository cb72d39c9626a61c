"""The old scheduler's file loads as it is, and keeps its meaning."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.config.cases import NOW

from fanfold.config import ConfigError, Level, load
from fanfold.domain.model.collector import AuthKind

HERE = Path(__file__).parent / "golden"
OLD = HERE / "old-config.yaml"
NAMES = ("DVF", "SIRENE", "INSEE", "PLU")
URLS = {f"{name}_FUNCTION_URL": f"https://old.example/{name.lower()}" for name in NAMES}


def test_it_loads_unchanged_with_its_urls_in_the_environment() -> None:
    catalogue = load(OLD, URLS, now=NOW).catalogue
    found = {each.name: (each.enabled, each.cron, each.spec.url) for each in catalogue.collectors}
    assert found == {
        "dvf": (True, "0 2 * * *", "https://old.example/dvf"),
        "sirene": (True, "0 3 * * *", "https://old.example/sirene"),
        "insee_contours": (True, "0 4 * * 0", "https://old.example/insee"),
        "plu": (True, "0 5 * * 0", "https://old.example/plu"),
    }
    assert catalogue.max_concurrent_collectors == 4
    assert catalogue.queue_name == "data-collectors"
    assert not catalogue.use_cloud_tasks
    assert not catalogue.use_secret_manager


def test_it_runs_in_utc_whatever_the_machine_says() -> None:
    assert load(OLD, {**URLS, "TZ": "Asia/Tokyo"}, now=NOW).catalogue.timezone == "UTC"


def test_without_them_every_missing_variable_is_printed_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        load(OLD, {}, now=NOW)
    rendered = caught.value.render().replace(str(OLD), "old-config.yaml") + "\n"
    assert rendered == (HERE / "old-config-missing.txt").read_text(encoding="utf-8")


def test_a_variable_that_nobody_needs_is_a_warning() -> None:
    loaded = load(OLD, URLS, now=NOW)
    assert [each.what.split()[0] for each in loaded.warnings] == [
        "SERVICE_ACCOUNT_EMAIL",
        "CLOUD_FUNCTIONS_BASE_URL",
    ]
    assert {each.level for each in loaded.warnings} == {Level.WARNING}


def test_with_every_variable_there_is_nothing_to_say() -> None:
    env = {
        **URLS,
        "SERVICE_ACCOUNT_EMAIL": "x@y.iam.gserviceaccount.com",
        "CLOUD_FUNCTIONS_BASE_URL": "https://eu-project.cloudfunctions.net",
    }
    loaded = load(OLD, env, now=NOW)
    assert loaded.warnings == ()
    assert loaded.catalogue.service_account_email == "x@y.iam.gserviceaccount.com"


def test_its_service_account_is_needed_once_cloud_tasks_are_used(tmp_path: Path) -> None:
    file = tmp_path / "old.yaml"
    text = OLD.read_text(encoding="utf-8").replace(
        "use_cloud_tasks: false", "use_cloud_tasks: true"
    )
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="SERVICE_ACCOUNT_EMAIL is not set"):
        load(file, URLS, now=NOW)


def test_its_base_url_is_needed_by_a_collector_without_another(tmp_path: Path) -> None:
    file = tmp_path / "old.yaml"
    text = OLD.read_text(encoding="utf-8").replace('    plu: "${PLU_FUNCTION_URL}"\n', "")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="CLOUD_FUNCTIONS_BASE_URL is not set"):
        load(file, URLS, now=NOW)
    based = load(file, {**URLS, "CLOUD_FUNCTIONS_BASE_URL": "https://base.example/"}, now=NOW)
    assert based.catalogue.collector("plu").spec.url == "https://base.example/plu"


def test_its_token_is_sent_where_there_is_one() -> None:
    def kind(**env: str) -> AuthKind:
        return load(OLD, {**URLS, **env}, now=NOW).catalogue.collector("dvf").spec.auth.kind

    assert kind() is AuthKind.NONE
    assert kind(FUNCTION_AUTH_TOKEN="t0ken") is AuthKind.BEARER
    assert kind(FANFOLD_BACKEND="google") is AuthKind.OIDC
