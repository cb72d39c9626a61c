"""What is in a bundle, and what is not."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest
from tools.bundle import CONSOLE, FUNCTIONS, READ_CONFIGURATION, bundle, contents, main

from fanfold.messages.topology import topology

ONE_COLLECTOR = "scheduler: {collectors: {dvf: {url: 'https://dvf.example.com'}}}\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "some.yaml"
    path.write_text(ONE_COLLECTOR)
    return path


def test_there_is_a_bundle_for_every_function_of_the_topology_and_the_console() -> None:
    assert set(FUNCTIONS) - {CONSOLE} == {each.function for each in topology().fed()}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_bundle_holds_the_function_and_the_package(config: Path, name: str) -> None:
    files = contents(name, config)

    assert {"main.py", "requirements.txt", "fanfold/runtime/http_entry.py"} <= set(files)
    assert {"fanfold/messages/topology.json", "fanfold/rendering/page.html.j2"} <= set(files)
    assert f"def {name}(".encode() in files["main.py"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_bundle_holds_no_command_no_tests_and_no_leftovers(config: Path, name: str) -> None:
    outside = {"main.py", "requirements.txt", "config.yaml"}
    for path in contents(name, config):
        assert path in outside or path.startswith("fanfold/")
        assert not path.startswith(("fanfold/cli/", "fanfold/collector/", "fanfold/devstack/"))
        assert name == CONSOLE or not path.startswith(("fanfold/console/", "fanfold/views/"))
        assert "__pycache__" not in path
        assert not path.endswith(".pyc")


def test_only_who_reads_the_configuration_has_it(config: Path) -> None:
    having = {name for name in FUNCTIONS if "config.yaml" in contents(name, config)}

    assert having == set(READ_CONFIGURATION) == {"aggregator", CONSOLE, "dispatcher"}


def test_the_same_sources_make_the_same_bytes(config: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"

    assert bundle(config, first) == bundle(config, second)
    for name in FUNCTIONS:
        made = (first / f"{name}.zip").read_bytes()
        assert made == (second / f"{name}.zip").read_bytes()


def test_an_archive_says_nothing_of_this_machine(config: Path, tmp_path: Path) -> None:
    bundle(config, tmp_path)
    with zipfile.ZipFile(tmp_path / "dispatcher.zip") as archive:
        entries = archive.infolist()

    assert [each.filename for each in entries] == sorted(each.filename for each in entries)
    assert {each.date_time for each in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {each.external_attr >> 16 for each in entries} == {0o644}
    assert {each.compress_type for each in entries} == {zipfile.ZIP_STORED}


def test_other_content_is_another_archive(config: Path, tmp_path: Path) -> None:
    before = bundle(config, tmp_path)["bundles"]
    config.write_text(ONE_COLLECTOR + "# one more line\n")
    after = bundle(config, tmp_path)["bundles"]

    assert before["dispatcher"] != after["dispatcher"]
    assert before["collector_relay"] == after["collector_relay"]


def test_the_folder_beside_an_archive_holds_the_same(config: Path, tmp_path: Path) -> None:
    (tmp_path / "dispatcher").mkdir()
    (tmp_path / "dispatcher" / "of_yesterday.py").touch()
    bundle(config, tmp_path)

    folder = tmp_path / "dispatcher"
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == set(contents("dispatcher", config))


def test_what_was_made_is_written_down(config: Path, tmp_path: Path) -> None:
    bundle(config, tmp_path)

    said = json.loads((tmp_path / "bundles.json").read_text())
    assert said["config_sha256"] == hashlib.sha256(config.read_bytes()).hexdigest()
    for name in FUNCTIONS:
        content = (tmp_path / f"{name}.zip").read_bytes()
        assert said["bundles"][name]["sha256"] == hashlib.sha256(content).hexdigest()


def test_the_command_prints_a_line_for_each(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(config), "--into", str(tmp_path / "out")]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [Path(line.split()[0]).stem for line in lines] == list(FUNCTIONS)


def test_a_configuration_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--config", str(tmp_path / "absent.yaml")])

    assert ended.value.code == 2
    assert "absent.yaml" in capsys.readouterr().err
