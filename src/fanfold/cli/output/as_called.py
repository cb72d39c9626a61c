"""How the command was called, so that a command that a message proposes works when it is pasted."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from fanfold.domain.syntax.command_line import quoted

#: Options of the whole command that say where things are: what is proposed needs them, too.
KEPT = ("--config", "-c", "--db", "--backend")

#: ``fanfold`` where a shell reads it as a command.
_COMMAND = re.compile(r"(^|&& |\bthen )fanfold(?= |$)")


@dataclass(frozen=True, slots=True)
class Invocation:
    """The ``program`` as a shell takes it, and the given ``options`` of :data:`KEPT`."""

    program: str = "fanfold"
    options: tuple[tuple[str, str], ...] = ()

    def words(self, proposed: str) -> str:
        """Return the program and the options that *proposed*, a command line, does not have."""
        if proposed.endswith("--help"):
            return self.program
        wanted = [each for each in self.options if f" {each[0]} " not in proposed]
        return " ".join([self.program, *(quoted(word) for each in wanted for word in each)])


#: How a command is called of which nothing is known.
_PLAIN = Invocation()

_now: ContextVar[Invocation] = ContextVar("_now", default=_PLAIN)


@contextmanager
def called(arguments: Sequence[str]) -> Iterator[None]:
    """Let :func:`as_called` speak of this process, called with *arguments*, within the block."""
    token = _now.set(Invocation(program_of(sys.argv[0], sys.orig_argv[0]), options_of(arguments)))
    try:
        yield
    finally:
        _now.reset(token)


def as_called(command: str) -> str:
    """Return *command*, which calls ``fanfold``, as it has to be typed by whoever called this one.

    What stands behind ``#`` is for people, and stays.
    """
    typed, comment, why = command.partition("   # ")
    return _COMMAND.sub(lambda found: found[1] + _now.get().words(typed), typed) + comment + why


def program_of(script: str, interpreter: str) -> str:
    """Return how the program is called again.

    Args:
        script: ``sys.argv[0]``.
        interpreter: ``sys.orig_argv[0]``, as it was typed.
    """
    path = Path(script)
    if path.name == "__main__.py" and path.parent.name == "fanfold":
        return f"{quoted(interpreter)} -m fanfold"
    if path.name != "fanfold" or shutil.which("fanfold") == script:
        return "fanfold"
    return quoted(script)


def options_of(arguments: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the options in :data:`KEPT` that *arguments* have, the last of each kind.

    ``-c`` is returned as ``--config``.
    """
    found: dict[str, str] = {}
    left = iter(arguments)
    for each in left:
        if each == "--":
            break
        name, equals, value = each.partition("=")
        if name in KEPT:
            value = value if equals else next(left, "")
            found["--config" if name == "-c" else name] = value
    return tuple(found.items())
