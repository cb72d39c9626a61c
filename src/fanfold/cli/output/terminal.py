"""Where output goes: what was asked for to stdout, everything else to stderr, colour if wanted."""

from __future__ import annotations

import io
import os
import shutil
import stat
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TextIO

from fanfold.domain.syntax.text import printable

#: Width of lines where there is no terminal to ask, in columns; 0 cuts nothing.
UNCUT = 0


def out(text: str) -> None:
    """Write *text* and a line break to stdout, cleaned of what a terminal would obey."""
    sys.stdout.write(printable(text) + "\n")


def out_styled(text: str) -> None:
    """Write *text* and a line break to stdout as they are.

    For what may hold colours, and whose foreign parts were cleaned one by one.
    """
    sys.stdout.write(text + "\n")


def out_bytes(content: bytes) -> None:
    """Write *content* to stdout as it is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _to_stderr(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


class Notes:
    """Tells people something, on stderr. Nothing is raised: a command goes on without readers.

    ``write`` is replaced while a live picture is shown, which prints the text above itself.
    """

    def __init__(self) -> None:
        self.write: Callable[[str], None] = _to_stderr

    def __call__(self, text: str) -> None:
        """Write *text*, cleaned of what a terminal would obey."""
        try:
            self.write(printable(text))
        except (OSError, ValueError):  # a full disk, a closed pipe, a closed stream
            discard(sys.stderr)

    def direct(self) -> None:
        """Write to stderr again."""
        self.write = _to_stderr


@dataclass(slots=True)
class Terminal:
    """This process's stdout and stderr, and how to write on them.

    ``colour`` is what ``--color`` was given: auto, always or never.
    """

    env: Mapping[str, str]
    colour: str = "auto"
    note: Notes = field(default_factory=Notes)

    def is_coloured(self) -> bool:
        """Return whether what goes to stdout is coloured."""
        return wants_colour(self.colour, self.env, sys.stdout)

    def width(self) -> int:
        """Return the width of lines on stdout in columns, or :data:`UNCUT`."""
        return shutil.get_terminal_size().columns if is_terminal(sys.stdout) else UNCUT

    def columns(self) -> int:
        """Return the width for what is laid out in columns: ``COLUMNS`` counts off a terminal."""
        asked = self.env.get("COLUMNS", "")
        return int(asked) if asked.isdecimal() else self.width()

    def has_one_reader(self) -> bool:
        """Return whether what goes to stdout and to stderr is most likely read in one place."""
        return have_one_reader(sys.stdout, sys.stderr)

    def is_live(self) -> bool:
        """Return whether stderr can show a picture that moves."""
        return is_terminal(sys.stderr) and self.env.get("TERM") != "dumb"


def have_one_reader(one: TextIO, other: TextIO) -> bool:
    """Return whether whoever reads the one stream most likely reads the other one, too.

    That is so where both are the same file, pipe or terminal, and where both are pipes: a service
    manager, a container and a CI system keep what comes by two pipes in one log.
    """
    try:
        these = [os.fstat(stream.fileno()) for stream in (one, other)]
    except (OSError, ValueError):  # closed, or no file behind it
        return False
    first, second = ((each.st_dev, each.st_ino) for each in these)
    return first == second or all(
        stat.S_ISFIFO(each.st_mode) or stat.S_ISSOCK(each.st_mode) for each in these
    )


def wants_colour(choice: str, env: Mapping[str, str], stream: TextIO) -> bool:
    """Return whether to colour what goes to *stream*.

    Args:
        choice: ``--color``: always, never or auto.
        env: Holds ``NO_COLOR``, ``FORCE_COLOR`` and ``TERM`` if they are set
            (https://no-color.org).
        stream: Where to; ``auto`` colours terminals only.
    """
    if choice in ("always", "never"):
        return choice == "always"
    if env.get("NO_COLOR"):
        return False
    if env.get("FORCE_COLOR"):
        return True
    return is_terminal(stream) and env.get("TERM") != "dumb"


def is_terminal(stream: TextIO) -> bool:
    """Return whether a person reads *stream* as it is written."""
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def prepare_streams() -> None:
    """Let no stream end the command: a closed one is written to nobody, a ? replaces letters."""
    sys.stdout = sys.stdout or io.TextIOWrapper(io.BytesIO())
    sys.stderr = sys.stderr or io.TextIOWrapper(io.BytesIO())
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def discard(stream: TextIO) -> None:
    """Let what is still buffered for a closed pipe or a full disk go nowhere.

    Without it Python tries again at its end, prints a warning and exits with 120.
    """
    with suppress(OSError, ValueError):  # no file behind it, or none that can be opened
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
        finally:
            os.close(nowhere)
