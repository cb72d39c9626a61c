"""The last lines of a collector's own log, as its answer brings them.

Nothing is decided by them, so nothing about them fails a collector: what is too much is left out,
the oldest lines first, and a warning says so.
"""

from __future__ import annotations

from typing import Any

from fanfold.domain.protocol.fields import shown
from fanfold.domain.syntax.limits import MAX_LOG_BYTES, MAX_LOG_LINES
from fanfold.domain.syntax.text import one_line

#: How many lines are looked at, from the last one back.
_LOOKED_AT = 200


def last_lines(value: Any) -> tuple[tuple[str, ...], str]:
    """Return the lines of *value* that are kept, oldest first, and a warning of what is not.

    Args:
        value: What an answer has under ``log``: a list of texts, or one text with line breaks.
    """
    lines = value.splitlines() if isinstance(value, str) else value
    if not isinstance(lines, list | tuple):
        return (), f'"log" is {shown(value)}, not a list of texts: left out'
    texts = [line for line in lines if isinstance(line, str)]
    kept: list[str] = []
    left_bytes, is_cut = MAX_LOG_BYTES, False
    for text in reversed(texts[-_LOOKED_AT:]):
        line = one_line(text, MAX_LOG_BYTES)
        if not line:
            continue
        size_bytes = len(line.encode("utf-8", "replace"))
        if len(kept) == MAX_LOG_LINES or (kept and size_bytes > left_bytes):
            is_cut = True
            break
        if size_bytes > left_bytes:
            line, is_cut = _end_cut(line, left_bytes), True
        kept.append(line)
        left_bytes -= size_bytes
    is_cut = is_cut or len(texts) > _LOOKED_AT or any(len(text) > MAX_LOG_BYTES for text in texts)
    warnings = [f'"log": the last {len(kept)} of {len(texts)} lines are kept'] if is_cut else []
    if len(texts) < len(lines):
        warnings.append(f'"log" holds {len(lines) - len(texts)} that are no texts: left out')
    return tuple(reversed(kept)), "; ".join(warnings)


def _end_cut(line: str, most_bytes: int) -> str:
    """Return the beginning of *line*, a single line that is longer than a whole log may be."""
    kept = line.encode("utf-8", "replace")[: most_bytes - 3].decode("utf-8", "ignore")
    return f"{kept}\N{HORIZONTAL ELLIPSIS}"
