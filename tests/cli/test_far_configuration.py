"""Whoever asks Google Cloud for a run needs no collectors' addresses: the dispatcher has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fanfold.cli.runs.execute import _configured
from fanfold.cli.session import Session
from fanfold.config import ConfigError
from fanfold.settings import Settings


def _session(backend: str, config: Path) -> Session:
    return Session({}, Settings(config=config, backend=backend))


def test_on_google_an_unreadable_configuration_is_left_to_the_dispatcher(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("scheduler: {collectors: {dvf: {}}}")

    assert _configured(_session("google", config)) is None
    assert "the dispatcher checks" in capsys.readouterr().err


def test_on_one_machine_it_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        _configured(_session("embedded", tmp_path / "absent.yaml"))
