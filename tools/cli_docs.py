"""Writes docs/cli.md from ``--help``: ``python -m tools.cli_docs > docs/cli.md``."""

from __future__ import annotations

import contextlib
import io
import os
import sys

from fanfold.cli import main
from fanfold.cli.exit_codes import BUG, PIPE_CLOSED

#: Width of the help in the document, in columns.
COLUMNS = 100

#: Every command, in the order of the document.
COMMANDS = (
    "",
    "demo",
    "init",
    "run",
    "retry",
    "status",
    "history",
    "report",
    "cancel",
    "check",
    "probe",
    "doctor",
    "config show",
    "config schema",
    "completion",
    "serve",
    "sweep",
    "dead-letters list",
    "dead-letters replay",
    "notify test",
    "event run",
)

_HEAD = f"""# The command `fanfold`

Written by `python -m tools.cli_docs` from each `--help`; a test holds the two together.

Results go to stdout, everything else to stderr. Off a terminal nothing moves: a line is written
when a collector ends, and when it waits for its next attempt. Every error ends with the next
command to type.

| exit code | meaning |
|--:|---|
| 0 | all succeeded, nothing was due, or it was only planned |
| 1 | a run finished, and something in it failed or was cancelled; never an error of fanfold |
| 2 | usage or configuration error, or a refused request: nothing was started |
| 3 | gave up waiting (`--wait-timeout`); the run goes on |
| 4 | a run is missing or overdue (`status`) |
| 5 | the backend cannot be reached, or a file or stream cannot be used (a full disk) |
| {BUG} | a bug in fanfold; `-v` shows the traceback |
| 130 | interrupted; the run is kept, and `fanfold run --run-id ID` goes on with it |
| {PIPE_CLOSED} | whoever read the output had enough |
"""


def document() -> str:
    """Return docs/cli.md as the code says it should be."""
    parts = [_HEAD]
    for command in COMMANDS:
        name = f"fanfold {command}".strip()
        parts.append(f"## `{name}`\n\n```text\n{help_of(command)}\n```\n")
    return "\n".join(parts)


def help_of(command: str) -> str:
    """Return what ``fanfold COMMAND --help`` prints on a terminal of :data:`COLUMNS` columns."""
    printed = io.StringIO()
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(COLUMNS)
    try:
        with contextlib.redirect_stdout(printed):
            main([*command.split(), "--help"])
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    lines = (line.rstrip() for line in printed.getvalue().strip().splitlines())
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(document())
