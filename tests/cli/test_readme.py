"""What the README tells people to type does what it says beside it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from tests.cli.conftest import Folder, ended
from tests.docs.documents import fanfold_lines

from fanfold.cli.commands import __file__ as commands

#: The lines of the README that run fanfold on one machine, without those of a sentence, and without
#: the demo, which has a test of its own (``test_demo.py``).
LINES = [
    arguments
    for where, arguments in fanfold_lines("README.md")
    if not where.endswith("sentence")
    and arguments[0] != "demo"
    and arguments != ["status", "latest"]
]


def test_the_readme_has_the_daily_commands() -> None:
    assert [each[0] for each in LINES] == [
        *("check", "doctor", "run", "run", "retry", "status", "report", "serve")
    ]
    assert all((Path(commands).parent / f"{each[0]}.py").is_file() for each in LINES)


def test_they_can_be_typed_one_after_the_other(folder: Folder) -> None:
    for arguments in LINES[:-1]:
        typed = folder.run(*arguments)
        assert typed.code == 0, (arguments, typed)
        assert typed.out
    assert len(folder.collectors.calls) == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_serve_of_the_readme_starts_and_stops(folder: Folder, number: int) -> None:
    serve = folder.spawn(*LINES[-1], "--port", "0")
    assert serve.stdout is not None
    assert "serving at" in serve.stdout.readline()
    serve.send_signal(number)
    stopped = ended(serve)
    assert (stopped.code, stopped.err) == (0, "")
