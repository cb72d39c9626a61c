"""Settings from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from fanfold.domain.model.errors import NotConfigured
from fanfold.settings import Settings, read_settings


def test_an_empty_environment_has_a_value_for_everything() -> None:
    assert read_settings({}) == Settings()
    assert read_settings({"FANFOLD_BACKEND": "", "FANFOLD_DB": "", "FANFOLD_CONFIG": ""}) == (
        Settings()
    )


def test_what_the_environment_says_is_taken() -> None:
    settings = read_settings(
        {
            "FANFOLD_CONFIG": "/c.yaml",
            "FANFOLD_DB": "/f.db",
            "FANFOLD_BACKEND": "google",
            "FANFOLD_TOPIC_PREFIX": "staging-",
            "FANFOLD_CALLBACK_URL": "https://relay.example/",
            "FANFOLD_CALLBACK_KEY": "5f3a9c07b1e84d62a0f7c39be1d8462f",
            "FANFOLD_LOG_LEVEL": "debug",
            "FANFOLD_REPORT_MODE": "0640",
            "GOOGLE_CLOUD_PROJECT": "p",
        }
    )
    assert (settings.config, settings.database) == (Path("/c.yaml"), Path("/f.db"))
    assert (settings.backend, settings.topic_prefix, settings.project) == (
        "google",
        "staging-",
        "p",
    )
    assert (settings.callback_url, settings.callback_key) == (
        "https://relay.example",
        "5f3a9c07b1e84d62a0f7c39be1d8462f",
    )
    assert settings.log_level == "DEBUG"
    assert settings.report_mode == 0o640


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("FANFOLD_BACKEND", "embedded or google"),
        ("FANFOLD_LOG_LEVEL", "DEBUG, INFO"),
        ("FANFOLD_REPORT_MODE", "0600, 0640"),
    ],
)
def test_what_cannot_be_is_said_with_its_fix(name: str, fix: str) -> None:
    with pytest.raises(NotConfigured, match=fix):
        read_settings({name: "perhaps"})


@pytest.mark.parametrize("mode", ["0444", "0755", "0677", "640x", "0o600", "384", "٦٠٠"])
def test_a_mode_that_its_owner_could_not_use_or_others_could_run_is_refused(mode: str) -> None:
    with pytest.raises(NotConfigured, match="FANFOLD_REPORT_MODE"):
        read_settings({"FANFOLD_REPORT_MODE": mode})


@pytest.mark.parametrize("key", ["k", "key", "change-me-change-me-change-me", "a" * 64])
def test_a_callback_key_that_can_be_guessed_is_refused_with_a_command_that_makes_one(
    key: str,
) -> None:
    with pytest.raises(NotConfigured) as caught:
        read_settings({"FANFOLD_CALLBACK_KEY": key})

    assert str(caught.value).startswith("FANFOLD_CALLBACK_KEY ")
    assert "export FANFOLD_CALLBACK_KEY=$(openssl rand -hex 32)" in str(caught.value)
    assert key == "k" or key not in str(caught.value).replace("FANFOLD_CALLBACK_KEY", "")
