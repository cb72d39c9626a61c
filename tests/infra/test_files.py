"""The files themselves: their form, their references, and the tests of the shaping module."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.infra.terraform import INFRA, SHAPE, offline, terraform


def test_the_files_are_formatted(state: Path) -> None:
    said = terraform("fmt", "-check", "-recursive", "-diff", at=INFRA, state=state)

    assert said.returncode == 0, said.stdout


def test_the_schema_knows_every_argument() -> None:
    said = offline("validate")

    assert said.returncode == 0, said.stderr


def test_the_shaping_keeps_its_promises(state: Path) -> None:
    assert terraform("init", "-backend=false", at=SHAPE, state=state).returncode == 0

    said = terraform("test", at=SHAPE, state=state)

    assert said.returncode == 0, said.stdout + said.stderr
    assert "0 failed" in said.stdout


@pytest.mark.parametrize("kind", ["variable", "output"])
def test_variables_and_outputs_stand_in_order(kind: str) -> None:
    for folder in (INFRA, SHAPE):
        written = (folder / f"{kind}s.tf").read_text("utf-8")
        names = re.findall(rf'(?m)^{kind} "(\w+)"', written)

        assert names == sorted(names)


def test_every_variable_is_in_the_table_of_the_readme() -> None:
    names = re.findall(r'(?m)^variable "(\w+)"', (INFRA / "variables.tf").read_text("utf-8"))
    readme = (INFRA / "README.md").read_text("utf-8")

    assert [name for name in names if f"| `{name}` |" not in readme] == []
