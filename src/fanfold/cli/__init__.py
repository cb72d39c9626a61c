"""The ``fanfold`` command: the same use cases as the functions, for people and scripts.

Importing this package loads nothing; :func:`main` loads the command line, and each command the
rooms that it needs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

#: What a base install, without the command's own libraries, is told.
MISSING = (
    "error: the fanfold command needs libraries that a base install leaves out ({name})\n"
    '  next: pip install "fanfold[cli]"\n'
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with *arguments* (the process's own if None) and return its exit code."""
    try:
        import rich  # noqa: F401, PLC0415 - a base install has no command line
        import typer  # noqa: F401, PLC0415
    except ImportError as exc:
        sys.stderr.write(MISSING.format(name=exc.name))
        return 2
    from fanfold.cli.app import run_command_line  # noqa: PLC0415 - only once its libraries are there

    return run_command_line(sys.argv[1:] if arguments is None else list(arguments))
