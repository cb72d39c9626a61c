"""The schema that ships and the documentation are made of the models, and cannot go stale."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from tests.config.cases import read
from tools import config_docs
from tools.config_docs import main

from fanfold import config
from fanfold.settings import VARIABLES

ROOT = Path(__file__).parents[2]
SCHEMA = Path(config.__file__).parent / "config.schema.json"
DOCS = ROOT / "docs" / "configuration.md"


def document(path: Path) -> Any:
    """Return the file as an editor reads it: by YAML 1.2, in which ``on`` is a word."""
    text = path.read_text(encoding="utf-8").replace("  on:", "  'on':")
    return yaml.safe_load(text)


def test_the_schema_that_ships_is_the_models() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == config_docs.schema_text()


@pytest.mark.parametrize("name", ["config/config.yaml", "tests/config/golden/old-config.yaml"])
def test_the_schema_takes_what_fanfold_takes(name: str) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document(ROOT / name), schema)


def test_the_schema_refuses_what_fanfold_refuses() -> None:
    found = jsonschema.Draft202012Validator(config_docs.schema()).iter_errors(
        document(ROOT / "tests/config/golden/bad.yaml")
    )
    assert len(list(found)) > 5


def test_the_schema_takes_empty_sections_and_every_form() -> None:
    text = (
        "scheduler: {defaults: , collectors: {dvf: , b: {auth: {bearer: '${T}'}, enabled: '${X}',"
        " expect: {max_drop: {value: 5%, severity: warn}, not_exactly: [1]}, tags: [1, a]}}}"
    )
    jsonschema.validate(yaml.safe_load(text), config_docs.schema())
    read(text, T="t", X="true", B_COLLECTOR_URL="https://b")


def test_the_tables_in_the_documentation_are_the_models() -> None:
    assert config_docs.tables() in DOCS.read_text(encoding="utf-8"), (
        "python -m tools.config_docs keys"
    )


def test_every_variable_that_fanfold_reads_is_documented() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for name, meaning in VARIABLES.items():
        assert f"| `{name}` | {meaning} |" in text


def test_the_examples_in_the_documentation_load() -> None:
    parts = DOCS.read_text(encoding="utf-8").split("```yaml\n")[1:]
    assert parts
    for part in parts:
        read(
            part.split("```")[0],
            TOKEN="t",
            API_KEY="k",
            DVF_COLLECTOR_URL="https://h/",
            SLACK_URL="https://hooks.slack.com/services/T0/B0/x",
            MAILER="m",
        )


def test_every_key_has_a_meaning_and_a_form() -> None:
    for name, form, _, meaning in config_docs.every_key():
        assert form, name
        assert meaning, name


def test_the_command_prints_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "fanfold's configuration"
    assert main(["keys"]) == 0
    assert "| `scheduler.timezone` |" in capsys.readouterr().out
    assert main([]) == 2


def test_importing_the_configuration_loads_no_client_and_no_command() -> None:
    code = (
        "import sys, fanfold.config; "
        "loaded = {'requests', 'grpc', 'sqlite3', 'typer'} & set(sys.modules); "
        "sys.exit(', '.join(loaded) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
