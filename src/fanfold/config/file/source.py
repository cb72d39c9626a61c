"""The file's bytes, its text and its lines; and a message for everything that is no text."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from fanfold.config.file.problems import ConfigError, Level, Problem
from fanfold.domain.syntax.lookalikes import first_lookalike

#: The largest configuration that is read, in bytes.
MAX_BYTES = 1024 * 1024

#: What to do where there is no configuration yet.
TO_HAVE_ONE = "fanfold init writes a first one; --config names another"

#: How YAML breaks lines.
_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")

#: Characters that YAML forbids.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something stands: line and column from 1, and how many characters of the line."""

    line: int
    column: int
    width: int


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read. ``name`` is how the user called it; ``version`` names its bytes."""

    name: str
    text: str
    lines: tuple[str, ...]
    version: str

    def line(self, number: int) -> str:
        """Return line *number*, counted from 1; empty where there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def problem(
        self, spot: Spot, where: str, what: str, fix: str = "", level: Level = Level.ERROR
    ) -> Problem:
        """Return a problem with the place of *spot*, and the line that it is in."""
        text, place = self.line(spot.line), (spot.line, spot.column, spot.width)
        odd = odd_character(text, spot.column, spot.column + spot.width)
        return Problem(where, what, "; ".join(filter(None, (odd, fix))), level, *place, text)

    @property
    def short(self) -> str:
        """The file's name without its folder."""
        return Path(self.name).name


def read_source(path: Path) -> Source:
    """Return the file at *path*.

    Raises:
        ConfigError: There is no such file, it cannot be read, or it is not text.
    """
    name = str(path)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as exc:
        raise ConfigError([_unreadable(exc, name)], name) from exc
    return source_of(content, name)


def source_of(content: bytes, name: str) -> Source:
    """Return *content* as a source called *name*.

    Raises:
        ConfigError: It is not text.
    """
    if len(content) > MAX_BYTES:
        _refuse(name, f"larger than {MAX_BYTES // 1024} KiB", "is this the configuration file?")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or content[:2].count(0) == 1:
        _refuse(name, "UTF-16 or UTF-32 text", "save it as UTF-8")
    if content.startswith(b"\xef\xbb\xbf"):
        _refuse(name, "begins with a byte order mark", "save it as UTF-8 without a BOM")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as exc:
        before = content[: exc.start].decode("utf-8")
        _refuse_at(
            name, before, f"byte 0x{content[exc.start]:02x} is not UTF-8", "save it as UTF-8"
        )
    forbidden = _FORBIDDEN.search(text)
    if forbidden:
        character = f"U+{ord(forbidden[0]):04X}"
        what = "a NUL character" if forbidden[0] == "\0" else f"control character {character}"
        _refuse_at(name, text[: forbidden.start()], f"{what} cannot stand in YAML", "delete it")
    version = "sha256:" + hashlib.sha256(content).hexdigest()
    return Source(name, text, tuple(_BREAK.split(text)), version)


def odd_character(line: str, start: int, stop: int) -> str:
    """Return how to mend the first character that only looks like another one; else nothing.

    Args:
        line: A line of the file.
        start: The first column to look at, from 1.
        stop: The column behind the last one.
    """
    found = first_lookalike(line, start - 1, stop - 1)
    if found is None:
        return ""
    odd = f"the {found.name} in column {found.index + 1}"
    return f"write {found.meant}, not {odd}" if found.meant else f"delete {odd}"


def _unreadable(exc: Exception, name: str) -> Problem:
    if isinstance(exc, FileNotFoundError):
        return Problem("", f"no file {name}", TO_HAVE_ONE)
    if isinstance(exc, IsADirectoryError):
        return Problem("", f"{name} is a folder", "name the file in it")
    if isinstance(exc, PermissionError):
        return Problem("", f"no permission to read {name}", f"chmod u+r {name}")
    why = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
    return Problem("", f"cannot read {name}: {why}")


def _refuse(name: str, what: str, fix: str) -> NoReturn:
    raise ConfigError([Problem("", f"not a configuration file: {what}", fix)], name)


def _refuse_at(name: str, before: str, what: str, fix: str) -> NoReturn:
    lines = _BREAK.split(before)
    place = Problem("", what, fix, line=len(lines), column=len(lines[-1]) + 1, text=lines[-1] + " ")
    raise ConfigError([place], name)
