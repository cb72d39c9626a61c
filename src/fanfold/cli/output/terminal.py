"""Where output goes: what was asked for to stdout, everything else to stderr, colour if wanted."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from typing import TextIO

#: Width of lines where there is no terminal to ask, in columns; 0 cuts nothing.
UNCUT = 0


def out(text: str) -> None:
    """Write *text* and a line break to stdout."""
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
    """Says things to people, on stderr; a live display puts itself in between while it is up."""

    def __init__(self) -> None:
        self.write: Callable[[str], None] = _to_stderr

    def __call__(self, text: str) -> None:
        """Write *text*, cleaned of what a terminal would obey."""
        self.write(clean(text))

    def direct(self) -> None:
        """Write to stderr again."""
        self.write = _to_stderr


def clean(text: str) -> str:
    """Return *text* without control characters, but for its line breaks."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each == "\n" else "\ufffd" for each in text)


def wants_colour(choice: str, env: Mapping[str, str], stream: TextIO) -> bool:
    """Return whether to colour what goes to *stream*.

    Args:
        choice: ``--color``: always, never or auto.
        env: ``NO_COLOR``, ``FORCE_COLOR`` and ``TERM`` are looked at (https://no-color.org).
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
    """Return whether a person looks at *stream*."""
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def width_of(stream: TextIO) -> int:
    """Return the width of lines on *stream*, in columns: the terminal's, or :data:`UNCUT`."""
    return shutil.get_terminal_size().columns if is_terminal(stream) else UNCUT


def tolerate_encodings() -> None:
    """Let a stream that cannot write a character replace it, rather than end the command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def discard_stdout() -> None:
    """Let what is still buffered for a closed pipe go nowhere, so that Python ends quietly."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
