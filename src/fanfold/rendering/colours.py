"""Colours of a terminal: only for outcomes, and never alone."""

from __future__ import annotations

_RESET = "\x1b[0m"
_DIM = "\x1b[2m"
_RED, _GREEN, _YELLOW, _CYAN, _BOLD = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m", "\x1b[1m"

#: The colour of each status of a run or a collector; all others are dim.
_OF_STATUS = {
    "succeeded": _GREEN,
    "failed": _RED,
    "timed_out": _RED,
    "rejected": _RED,
    "missed": _RED,
    "warning": _YELLOW,
    "running": _CYAN,
    "heading": _BOLD,
}


def painted(text: str, status: str, *, colour: bool) -> str:
    """Return *text* in the colour of *status*; as it is without *colour*.

    Beside the statuses of runs and collectors there are ``warning`` and ``heading``.
    """
    return f"{_OF_STATUS.get(status, _DIM)}{text}{_RESET}" if colour and text else text
