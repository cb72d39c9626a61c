"""The ``fanfold`` command: the same use cases as the functions, for people and scripts.

Importing this package loads nothing; :func:`main` loads the command line, which loads the one
verb that is called.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec

from fanfold.cli.exit_codes import INTERRUPTED, USAGE

#: What a base install, without the command's own libraries, is told.
MISSING = (
    "error: the fanfold command needs libraries that a base install leaves out ({name})\n"
    '  next: pip install "fanfold[cli]"\n'
)

#: The command's own libraries.
_LIBRARIES = ("typer", "rich")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with *arguments* (the process's own if None) and return its exit code."""
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        sys.stderr.write(MISSING.format(name=missing[0]))
        return USAGE
    try:
        from fanfold.cli.app import run_command_line  # noqa: PLC0415 - a base install cannot
    except KeyboardInterrupt:
        return INTERRUPTED
    return run_command_line(sys.argv[1:] if arguments is None else list(arguments))
