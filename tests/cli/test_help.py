"""Help: quick, taught by examples, and the same in docs/cli.md."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Folder
from tools.cli_docs import COMMANDS, document, help_of

from fanfold import __version__
from fanfold.cli import commands
from fanfold.cli.app import VERBS, load_verb

ROOT = Path(__file__).resolve().parents[2]

#: What ``fanfold --help`` may not wait for.
HEAVY = (
    *(
        "requests",
        "pydantic",
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
MOST_MODULES = 300

#: How long ``fanfold --help`` may take, in seconds.
QUICK_S = 0.3


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
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = done.stderr.split()
    assert [name for name in HEAVY if name in loaded] == []
    assert len(loaded) < MOST_MODULES
    ours = [name for name in loaded if name.startswith("fanfold.")]
    assert [name for name in ours if ".commands" in name or ".runs" in name] == []
    assert len(ours) < 28


def test_help_names_every_verb_and_each_verb_is_one_module() -> None:
    folder = Path(commands.__file__).parent
    modules = {path.stem.replace("_", "-") for path in folder.glob("[a-z]*.py")}
    assert set(VERBS) == modules
    text = help_of("")
    assert "..." not in text.partition("Commands:")[2]
    for verb, sentence in VERBS.items():
        assert f"  {verb.ljust(14)}{sentence}" in text
        assert load_verb(verb).help


def test_only_the_verb_that_is_called_is_loaded() -> None:
    code = (
        "import sys; from fanfold.cli import main; main(['check', '--help']);"
        "print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    verbs = [name for name in done.stderr.split() if name.startswith("fanfold.cli.commands.")]
    assert verbs == ["fanfold.cli.commands.check"]


def test_help_is_quick() -> None:
    """Processor time is measured, which a busy machine does not stretch as it does the clock's."""
    spent_s = []
    for _ in range(7):
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "fanfold", "--help"],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
        )
        _, status, usage = os.wait4(pid, 0)
        assert status == 0
        spent_s.append(usage.ru_utime + usage.ru_stime)
    assert min(spent_s) < QUICK_S


def test_the_package_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fanfold", "--version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == f"fanfold {__version__}\n"


def test_the_version_is_printed(folder: Folder) -> None:
    said = folder.run("--version")
    assert (said.code, said.out) == (0, f"fanfold {__version__}\n")
