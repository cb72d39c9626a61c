"""config/config.yaml, the example that ships, does what its comments say."""

from __future__ import annotations

from pathlib import Path

from tests.config.cases import NOW

from fanfold.config import load
from fanfold.domain.model.collector import AuthKind, Mode

EXAMPLE = Path(__file__).parents[2] / "config" / "config.yaml"
NAMES = ("insee_contours", "sirene", "dvf", "plu")
LOCAL = {f"{name.upper()}_COLLECTOR_URL": f"http://127.0.0.1:8081/{name}" for name in NAMES}


def test_it_loads_with_nothing_but_its_urls() -> None:
    loaded = load(EXAMPLE, LOCAL, now=NOW)
    assert loaded.warnings == ()
    assert tuple(each.name for each in loaded.catalogue.collectors) == NAMES
    assert all(each.enabled for each in loaded.catalogue.collectors)
    assert all(each.spec.auth.kind is AuthKind.NONE for each in loaded.catalogue.collectors)
    assert loaded.catalogue.notify == {}
    assert loaded.catalogue.report_to.endswith("/reports")


def test_it_loads_on_google_cloud_with_what_terraform_gives() -> None:
    env = {
        "FANFOLD_BACKEND": "google",
        "CLOUD_FUNCTIONS_BASE_URL": "https://europe-west9-acme.cloudfunctions.net",
        "FANFOLD_REPORT_BUCKET": "gs://acme-fanfold",
        "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/x",
    }
    loaded = load(EXAMPLE, env, now=NOW)
    assert loaded.warnings == ()
    dvf = loaded.catalogue.collector("dvf").spec
    assert dvf.url == "https://europe-west9-acme.cloudfunctions.net/dvf"
    assert dvf.auth.kind is AuthKind.OIDC
    assert loaded.catalogue.report_to == "gs://acme-fanfold"
    assert set(loaded.catalogue.notify) == {"on", "remind", "slack"}


def test_what_it_says_of_retries_and_switches_holds() -> None:
    catalogue = load(EXAMPLE, {**LOCAL, "PLU_ENABLED": "no"}, now=NOW).catalogue
    assert not catalogue.collector("plu").enabled
    dvf, sirene = catalogue.collector("dvf").spec, catalogue.collector("sirene").spec
    assert (dvf.max_attempts, dvf.backoff_s, sirene.max_attempts) == (2, 30, 3)
    assert sirene.mode is Mode.SYNC
    assert catalogue.schedule == "nightly"
