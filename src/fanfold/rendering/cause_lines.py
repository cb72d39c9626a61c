"""A cause of failure in a terminal: wrapped, so that nothing of it is cut."""

from __future__ import annotations

from fanfold.rendering.causes import Cause, Try
from fanfold.rendering.colours import painted
from fanfold.rendering.columns import cells, cut, in_columns, wrap

_INDENT = "    "

#: Fewest columns in which a text goes on below its own beginning.
_FEWEST_FOR_HANGING = 24


def cause_lines(
    cause: Cause, width: int, *, most_log_lines: int = 0, colour: bool = False
) -> list[str]:
    """Return the lines of a cause for a terminal of *width* columns; 0 or less wraps nothing.

    A single collector stands before its cause, as on the page's headline; several stand below.
    Of the log at most *most_log_lines* are shown, the last ones, each cut to the width.
    """
    is_one = len(cause.names) == 1
    title = f"{cause.names[0]}: {cause.title}" if is_one else cause.title
    title += f" · {cause.news}" if cause.news else ""
    mark = mark_of(cause)
    lines = [
        painted(each, "failed", colour=colour) for each in wrap(title, width, f"{mark} ", "  ")
    ]
    if not is_one:
        lines += name_lines(cause, width, _INDENT)
    lines += [line for each in cause.tries for line in _try_lines(each, width)]
    for warning in cause.warnings:
        lines += _hanging("it warned  ", warning, width)
    if cause.facts:
        lines += wrap(" · ".join(cause.facts), width, _INDENT)
    shown = cause.log[-most_log_lines:] if most_log_lines else ()
    if shown:
        lines += wrap(f"last lines of {cause.log_of}:", width, _INDENT)
        columns = max(0, width - len(_INDENT))
        lines += [f"{_INDENT}{cut(f'| {line}', columns)}" for line in shown]
    return lines


def mark_of(cause: Cause) -> str:
    """Return the sign of a cause: ``◷`` for who took too long, else ``✗``."""
    return "◷" if cause.icon == "late" else "✗"


def name_lines(cause: Cause, width: int, indent: str) -> list[str]:
    """Return the names of a cause in columns, and how many more there are."""
    more = [f"{indent}{cause.more.strip()}"] if cause.more else []
    return in_columns(cause.names, width, indent) + more


def _try_lines(each: Try, width: int) -> list[str]:
    return _hanging(f"attempt {each.number}  {each.at}  {each.took:>6}  ", each.met, width)


def _hanging(begin: str, text: str, width: int) -> list[str]:
    """Return *text* behind *begin*; what does not fit goes on below the text, if it has room."""
    column = cells(_INDENT + begin)
    if width - column < _FEWEST_FOR_HANGING:
        return wrap(begin + text, width, _INDENT, _INDENT + "  ")
    return wrap(text, width, _INDENT + begin, " " * column)
