"""``fanfold init`` writes a first configuration that works; ``config schema`` prints the schema."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from tests.cli.conftest import Folder

from fanfold import config

FIRST = Path("config/config.yaml")


@pytest.fixture
def empty(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A folder without a configuration, where none is named either."""
    folder.path.joinpath("config.yaml").unlink(missing_ok=True)
    monkeypatch.delenv("FANFOLD_CONFIG")
    monkeypatch.setenv("ORDERS_COLLECTOR_URL", folder.collectors.address("ok"))
    monkeypatch.setenv("STOCK_COLLECTOR_URL", folder.collectors.address("ok"))
    return folder


def test_what_it_writes_is_right_and_runs(empty: Folder) -> None:
    said = empty.run("init")

    assert said.code == 0, said.err
    assert "next    cp .env.example .env" in said.out
    checked = empty.run("check")
    assert (checked.code, checked.err) == (0, "")
    assert "✓ 2 collectors, 2 enabled" in checked.out
    assert empty.run("run").code == 0


def test_the_example_of_the_variables_has_all_that_the_file_needs(
    empty: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty.run("init")
    monkeypatch.delenv("ORDERS_COLLECTOR_URL")
    monkeypatch.delenv("STOCK_COLLECTOR_URL")
    assert empty.run("check").code == 2

    for line in Path(".env.example").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            monkeypatch.setenv(*line.split("=", 1))
    assert empty.run("check").code == 0


@pytest.mark.parametrize("there", [FIRST, Path(".env.example")])
def test_it_overwrites_nothing_and_then_writes_nothing(empty: Folder, there: Path) -> None:
    there.parent.mkdir(exist_ok=True)
    there.write_text("mine")

    said = empty.run("init")

    assert (said.code, said.out) == (2, "")
    assert f"{there} is there already: nothing was written" in said.err
    assert there.read_text() == "mine"
    assert [each.exists() for each in (FIRST, Path(".env.example"))].count(True) == 1


def test_variables_that_are_there_are_not_copied_over(empty: Folder) -> None:
    Path(".env").write_text("MINE=1\n")
    said = empty.run("init")
    assert said.code == 0, said.err
    assert said.out.splitlines()[-1] == "  next    set -a && . ./.env && set +a && fanfold check"


def test_it_writes_through_no_link_that_points_nowhere(empty: Folder, tmp_path: Path) -> None:
    FIRST.parent.mkdir()
    FIRST.symlink_to(tmp_path / "elsewhere.yaml")

    assert empty.run("init").code == 2
    assert not (tmp_path / "elsewhere.yaml").exists()


def test_it_writes_the_file_that_config_names(empty: Folder) -> None:
    said = empty.run("-c", "some/nightly.yaml", "init")

    assert said.code == 0, said.err
    assert Path("some/nightly.yaml").is_file()
    assert not FIRST.exists()


def test_without_a_configuration_init_is_what_to_type(empty: Folder) -> None:
    said = empty.run("check")

    assert said.code == 2
    assert "fanfold init writes a first one" in said.err


def test_the_schema_is_the_shipped_one_and_takes_the_first_file(empty: Folder) -> None:
    said = empty.run("config", "schema")

    assert said.code == 0
    shipped = Path(config.__file__).with_name("config.schema.json")
    assert said.json() == json.loads(shipped.read_text("utf-8"))
    empty.run("init")
    jsonschema.validate(yaml.safe_load(FIRST.read_text("utf-8")), said.json())
