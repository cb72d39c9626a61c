"""Text in the columns of a terminal: how wide it is, cut or wrapped to a width."""

from __future__ import annotations

import unicodedata


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
    """Return the words of *text*; one of more than *most* columns in several pieces."""
    pieces: list[str] = []
    for word in text.split(" "):
        piece = ""
        for character in word:
            if cells(piece + character) > most:
                pieces.append(piece)
                piece = ""
            piece += character
        pieces.append(piece)
    return pieces


def _cell(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
