"""A cause of failure in a terminal: wrapped, so that nothing of it is cut."""

from __future__ import annotations

from fanfold.rendering.causes import Cause
from fanfold.rendering.columns import cut, wrap

_INDENT = "      "


def cause_lines(
    cause: Cause, width: int, *, most_log_lines: int = 0
) -> tuple[list[str], list[str]]:
    """Return the lines of a cause for a terminal of *width* columns: its title, and the rest.

    A single collector stands before its cause, as on the page's headline; several stand below.
    Of the log at most *most_log_lines* are shown, the last ones, each cut to the width.
    """
    is_one = len(cause.names) == 1
    verb = "timed out" if cause.icon == "late" else "failed"
    title = f"{cause.names[0]} {verb}: {cause.title}" if is_one else cause.title
    title += f" · {cause.news}" if cause.news else ""
    lines: list[str] = []
    if not is_one:
        lines += wrap(", ".join(cause.names) + cause.more, width, _INDENT)
    for each in cause.tries:
        begin = f"attempt {each.number}, {each.at}, {each.took}: "
        lines += wrap(begin + each.met, width, _INDENT, _INDENT + "  ")
    for warning in cause.warnings:
        lines += wrap(f"it warned: {warning}", width, _INDENT, _INDENT + "  ")
    if cause.facts:
        lines += wrap(" · ".join(cause.facts), width, _INDENT)
    shown = cause.log[-most_log_lines:] if most_log_lines else ()
    if shown:
        lines += wrap(f"last lines of {cause.log_of}:", width, _INDENT)
        columns = max(0, width - len(_INDENT))
        lines += [f"{_INDENT}{cut(f'| {line}', columns)}" for line in shown]
    return wrap(title, width, "  ✗ ", "    "), lines
