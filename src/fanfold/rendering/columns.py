"""Text in the columns of a terminal: how wide it is, cut, filled or wrapped to a width."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

#: Categories of characters that stand on, around or inside the one before them.
_WITHOUT_WIDTH = frozenset({"Mn", "Me", "Cf"})

#: Columns between two texts that stand side by side.
_APART = 2


def cells(text: str) -> int:
    """Return how many columns of a terminal *text* takes."""
    if text.isascii():
        return len(text)
    return sum(map(_cell, text))


def cut(text: str, width: int) -> str:
    """Return *text*, shortened to *width* columns with ``…`` if it is longer and width is > 0."""
    if width <= 0 or cells(text) <= width:
        return text
    kept, used = 0, 1
    while used + _cell(text[kept]) <= width:
        used += _cell(text[kept])
        kept += 1
    return text[:kept].rstrip() + "…"


def pad(text: str, width: int) -> str:
    """Return *text* filled with spaces to *width* columns; longer text stays as it is."""
    return text + " " * (width - cells(text))


def in_columns(texts: Sequence[str], width: int, indent: str = "") -> list[str]:
    """Return *texts* side by side in columns of equal width, row by row; none is cut.

    Args:
        texts: One line each.
        width: Of a row in columns, the indent included; 0 or less puts all in one row.
        indent: What each row begins with.
    """
    if width <= 0:
        return [indent + (" " * _APART).join(texts)] if texts else []
    column = max(map(cells, texts), default=0)
    number = max(1, (width - len(indent) + _APART) // (column + _APART))
    rows = [texts[first : first + number] for first in range(0, len(texts), number)]
    apart = " " * _APART
    return [indent + apart.join(pad(each, column) for each in row).rstrip() for row in rows]


def wrap(text: str, width: int, indent: str = "", hang: str | None = None) -> list[str]:
    """Return *text* as lines of at most *width* columns; nothing of it is lost.

    Args:
        text: One line.
        width: In columns, the indent included; 0 or less wraps nothing.
        indent: What the first line begins with.
        hang: What the others begin with, as *indent* if absent.
    """
    hang = indent if hang is None else hang
    if width <= 0:
        return [indent + text]
    lines: list[str] = []
    line = indent
    for word in _pieces(text, max(8, width - max(cells(indent), cells(hang)))):
        is_first = line == (hang if lines else indent)
        joined = f"{line}{word}" if is_first else f"{line} {word}"
        if cells(joined) > width and not is_first:
            lines.append(line)
            joined = hang + word
        line = joined
    return [*lines, line]


def _pieces(text: str, most: int) -> list[str]:
    """Return the words of *text*; one of more than *most* columns in several pieces.

    A dot that parts two things stays with the first: no line begins with it.
    """
    pieces: list[str] = []
    for word in text.replace(" · ", "\0· ").split(" "):
        piece = ""
        for character in word.replace("\0", " "):
            if cells(piece + character) > most:
                pieces.append(piece)
                piece = ""
            piece += character
        pieces.append(piece)
    return pieces


def _cell(character: str) -> int:
    if unicodedata.category(character) in _WITHOUT_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
