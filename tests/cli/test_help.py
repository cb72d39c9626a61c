"""Help: quick, taught by examples, and the same in docs/cli.md."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Folder
from tools.cli_docs import COMMANDS, document, help_of

from fanfold import __version__

ROOT = Path(__file__).resolve().parents[2]

#: What ``fanfold --help`` may not wait for. (pydantic is typer's own: it cannot be helped.)
HEAVY = (
    *(
        "requests",
        "urllib3",
        "yaml",
        "jinja2",
        "rich.live",
        "rich.console",
        "grpc",
        "sqlite3",
    ),
    *("waitress", "flask", "fanfold.runtime", "fanfold.config", "fanfold.rendering"),
)

#: Most modules that ``fanfold --help`` loads.
MOST_MODULES = 400


def test_the_document_is_what_the_command_says() -> None:
    assert (ROOT / "docs/cli.md").read_text("utf-8") == document(), (
        "run: python -m tools.cli_docs > docs/cli.md"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_has_examples(command: str) -> None:
    assert "Examples:\n" in help_of(command)


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from fanfold.cli import main; main(['--help']);"
        "print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = done.stderr.split()
    assert [name for name in HEAVY if name in loaded] == []
    assert len(loaded) < MOST_MODULES


def test_the_version_is_printed(folder: Folder) -> None:
    said = folder.run("--version")
    assert (said.code, said.out) == (0, f"fanfold {__version__}\n")
