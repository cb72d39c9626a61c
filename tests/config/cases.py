"""How the tests of this folder read a configuration: from a text, without a file."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime

import pytest

from fanfold.config import ConfigError, Level, Loaded
from fanfold.config.file.source import source_of
from fanfold.config.loading import load_source
from fanfold.domain.model.collector import CollectorSpec

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

#: The variables that a file of one collector, dvf, needs.
URL = {"DVF_COLLECTOR_URL": "https://dvf.example/run"}


def read(text: str | bytes, env: dict[str, str] | None = None, /, **more: str) -> Loaded:
    """Return what *text* holds; its dvf has a URL unless *env* says otherwise."""
    content = text if isinstance(text, bytes) else textwrap.dedent(text).encode()
    variables = {**(URL if env is None else env), **more}
    return load_source(source_of(content, "config.yaml"), variables, NOW)


def refused(text: str | bytes, env: dict[str, str] | None = None, /, **more: str) -> ConfigError:
    """Return the error that *text* raises."""
    with pytest.raises(ConfigError) as caught:
        read(text, env, **more)
    return caught.value


def errors(text: str | bytes, env: dict[str, str] | None = None, /, **more: str) -> list[str]:
    """Return the sentences of the errors in *text*, by line."""
    problems = refused(text, env, **more).problems
    return [each.sentence for each in problems if each.level is Level.ERROR]


def warnings(text: str, env: dict[str, str] | None = None, /, **more: str) -> list[str]:
    """Return the sentences of the warnings of *text*, which can be used."""
    return [each.sentence for each in read(text, env, **more).warnings]


def dvf(settings: str = "{}", env: dict[str, str] | None = None, /, **more: str) -> CollectorSpec:
    """Return the collector that *settings*, a flow mapping, make."""
    return read(of_dvf(settings), env, **more).catalogue.collector("dvf").spec


def of_dvf(settings: str = "{}", scheduler: str = "") -> str:
    """Return a file whose only collector has *settings*, with a line of the scheduler's."""
    return f"version: 2\nscheduler:\n  {scheduler}\n  collectors:\n    dvf: {settings}\n"
