"""Command lines for people to paste: one place that quotes them for a POSIX shell."""

from __future__ import annotations

import re
import shlex

#: Words that a shell takes as they are. Unlike :func:`shlex.quote`, ``latest~1`` is one of them.
_PLAIN = re.compile(r"[\w@%+=:,./-][\w@%+=:,./~-]*", re.ASCII)


def fanfold(*words: str, why: str = "") -> str:
    """Return ``fanfold WORDS``, each quoted if it needs to be, and *why* as the shell's comment."""
    return commented(" ".join(["fanfold", *map(quoted, words)]), why)


def commented(command: str, why: str) -> str:
    """Return *command* and, unless it is empty, *why* as the shell's comment."""
    return f"{command}   # {why}" if why else command


def quoted(word: str) -> str:
    """Return *word* as a shell takes it for one word."""
    return word if _PLAIN.fullmatch(word) else shlex.quote(word)
