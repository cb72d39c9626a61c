"""The example, the variables, the promises and the states of the documents are the code's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.docs.documents import ROOT, blocks, text_of

from fanfold import config
from fanfold.cli import main
from fanfold.domain.model.states import (
    COLLECTOR_MOVES,
    PHASE_MOVES,
    CollectorState,
    Phase,
    RunStatus,
)
from fanfold.domain.rules import plan
from fanfold.settings import VARIABLES

GUARANTEES = text_of("docs/guarantees.md")


def example() -> str:
    """Return the configuration that README shows."""
    (block,) = [each for each in blocks("README.md") if each.kind == "yaml"]
    return block.text


def code_words(text: str) -> set[str]:
    return set(re.findall(r"`([a-z_]+)`", text))


def section(heading: str) -> str:
    return GUARANTEES.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def test_the_readme_example_loads(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(example(), encoding="utf-8")
    loaded = config.load(path, {})
    assert [each.name for each in loaded.catalogue.collectors] == ["dvf", "plu"]
    assert list(loaded.warnings) == []


def test_check_likes_the_readme_example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "config"
    folder.mkdir()
    folder.joinpath("config.yaml").write_text(example(), encoding="utf-8")
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 0
    assert "2 collectors" in capsys.readouterr().out


def test_the_environment_table_names_no_variable_that_nobody_reads() -> None:
    table = text_of("docs/configuration.md").partition("## The environment\n")[2]
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE)) == set(VARIABLES)


@pytest.mark.parametrize(
    "document", ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
)
def test_every_variable_of_ours_is_read_somewhere(document: str) -> None:
    known = {*VARIABLES, "FANFOLD_REPORT_BUCKET"}  # the second is the example configuration's own
    assert set(re.findall(r"\bFANFOLD_[A-Z_]+\b", text_of(document))) - known == set()


def test_every_promise_has_a_test_of_its_name() -> None:
    promises = re.findall(r"^\d+\. \*\*(.+?)\.\*\*", GUARANTEES, re.MULTILINE)
    names = ["test_" + promise.lower().replace(" ", "_") for promise in promises]
    written = text_of("tests/promises/test_promises.py")
    assert re.findall(r"^def (test_\w+)", written, re.MULTILINE) == names
    assert len(names) == 12


def test_every_state_is_named() -> None:
    states = section("States")
    known = {each.value for kind in (Phase, RunStatus, CollectorState) for each in kind}
    words = set(re.findall(r"\w+", states))
    assert {each for each in known if each not in words} == set()
    assert code_words(states) - known == {
        "disabled",
        "not_due",
        "not_selected",
        "excluded",
        "overlap",
        "paused",
    }


def test_every_move_of_the_charts_is_in_the_tables() -> None:
    drawn: dict[str, set[str]] = {}
    for old, new in re.findall(
        r"^\* \([a-g]\) (\w+) → ([\w, ]+?):", section("States"), re.MULTILINE
    ):
        drawn.setdefault(old, set()).update(new.split(", "))
    moves = [*PHASE_MOVES.items(), *COLLECTOR_MOVES.items()]
    assert drawn == {old.value: {each.value for each in new} for old, new in moves if new}


def test_the_reasons_for_skipping_are_those_of_the_plan() -> None:
    listed = re.findall(r"^\* skipped.*", section("States"), re.MULTILINE)[0]
    written = Path(plan.__file__).read_text("utf-8")
    assert [each for each in code_words(listed) if f'"{each}"' not in written] == []


def test_the_pictures_of_the_readme_are_small_and_its_terminal_is_the_one_that_was_taken() -> None:
    images = ROOT / "docs" / "images"
    assert max(path.stat().st_size for path in images.iterdir()) < 150_000
    assert (images / "report.png").read_bytes().startswith(b"\x89PNG")
    readme = text_of("README.md")
    assert f"```text\n{text_of('docs/images/terminal-80.txt')}```" in readme
    assert "](docs/images/report.png)" in readme
    for columns in (80, 120):
        lines = text_of(f"docs/images/terminal-{columns}.txt").splitlines()
        assert max(map(len, lines)) <= columns
        assert lines[-1].startswith("✗ 3 of 4 succeeded")
