from __future__ import annotations

import pytest

from fanfold.adapters.secrets import EnvironmentSecrets
from fanfold.domain.model.errors import NotConfigured

ENV = {
    "TOKEN": "t-1",
    "EMPTY": "",
    "ECHOED": "t-2\n",
    "API_KEY": "k-1",
    "slack-hook": "exact",
    "SLACK_HOOK": "capitals",
    "NESTED": "${TOKEN}",
}


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("plain", "plain"),
        ("", ""),
        ("Bearer ${TOKEN}", "Bearer t-1"),
        ("${TOKEN}${API_KEY}", "t-1k-1"),
        ("${MISSING:-fallback}", "fallback"),
        ("${EMPTY:-fallback}", "fallback"),
        ("${MISSING:-}", ""),
        ("${TOKEN:-fallback}", "t-1"),
        ("${TOKEN:?set it}", "t-1"),
        ("${ECHOED}!", "t-2!"),
        ("${secret:api-key}", "k-1"),
        ("${secret:api-key@7}", "k-1"),
        ("${secret:slack-hook}", "exact"),
        ("$$TOKEN costs 5$", "$TOKEN costs 5$"),
        ("$${TOKEN}", "${TOKEN}"),
        ("${NESTED}", "${TOKEN}"),
    ],
)
def test_references_are_filled(template: str, filled: str) -> None:
    assert EnvironmentSecrets(ENV).fill(template) == filled


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("${MISSING}", "MISSING is not set: export MISSING=…"),
        ("${EMPTY}", "EMPTY is not set"),
        ("${MISSING:?ask the platform team}", "ask the platform team"),
        ("${secret:bank-pin}", "export BANK_PIN=…, or keep it in Secret Manager"),
        ("${secret:}", "is not a reference"),
        ("${secret:a b}", "is not a reference"),
        ("${secret:x@newest}", "is not a reference"),
        ("${1X}", "is not a reference"),
        ("${}", "is not a reference"),
        ("${TOKEN", "is not a reference"),
    ],
)
def test_a_reference_that_stands_for_nothing_says_what_to_do(template: str, says: str) -> None:
    with pytest.raises(NotConfigured) as caught:
        EnvironmentSecrets(ENV).fill(template)

    assert says in str(caught.value)


def test_secret_manager_is_asked_for_secrets_and_only_for_them() -> None:
    asked: list[tuple[str, str]] = []

    def lookup(name: str, version: str) -> str:
        asked.append((name, version))
        return f"{name}-value\n"

    secrets = EnvironmentSecrets(ENV, lookup)

    assert secrets.fill("${secret:bank-pin} ${secret:bank-pin@7} ${TOKEN}") == (
        "bank-pin-value bank-pin-value t-1"
    )
    assert asked == [("bank-pin", "latest"), ("bank-pin", "7")]


def test_a_variable_stands_in_for_secret_manager() -> None:
    def lookup(name: str, version: str) -> str:
        pytest.fail(f"asked for {name}@{version}")

    assert EnvironmentSecrets(ENV, lookup).fill("${secret:api-key@7}") == "k-1"
