"""A verb that can go on without the configuration says so, and what to type."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Folder


def test_a_sweep_without_a_configuration_says_what_it_leaves_out(folder: Folder) -> None:
    assert folder.run("run").code == 0
    Path("config.yaml").write_text("scheduler: [", "utf-8")
    said = folder.run("sweep")
    assert said.code == 0
    assert said.err.splitlines()[-2:] == [
        "warning: config.yaml cannot be read, so slots whose run never came are not noted",
        "  next: fanfold check",
    ]
