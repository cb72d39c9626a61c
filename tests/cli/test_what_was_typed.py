"""What was typed and cannot be meant is said again, so far as one can read it."""

from __future__ import annotations

import pytest
from tests.cli.conftest import Folder


@pytest.mark.parametrize(
    "arguments",
    [
        ["pause"],
        ["pause", "--format"],
        ["pause", "plu", "--for"],
        ["probe"],
        ["probe", "dvf", "--param"],
        ["run", "--param"],
        ["run", "--run-id"],
        ["cancel"],
        ["report", "--compare"],
        ["demo", "--source"],
        ["demo", "--fault"],
        ["completion"],
        ["status", "--backend"],
        ["status", "--color"],
    ],
    ids=" ".join,
)
def test_what_is_refused_is_repeated_up_to_a_bound(folder: Folder, arguments: list[str]) -> None:
    folder.run("run")  # there is something to look in
    printed = folder.run(*arguments, "x" * 10_000)
    assert printed.code == 2
    assert "xxx" in printed.err
    assert len(printed.err) < 500
