"""Whether a key can be guessed: a rule of thumb that refuses what nobody drew at random."""

from __future__ import annotations

import re
from itertools import pairwise

#: Prints a key that is good enough.
MAKE_A_KEY = "openssl rand -hex 32"

#: Shortest key, and fewest different characters in it: half of what MAKE_A_KEY makes.
MIN_CHARS, MIN_DIFFERENT = 24, 8

_WORDS = re.compile(
    r"change-?me|pass-?w(?:or)?d|pass-?phrase|secret|token|example|sample|default|dummy|test"
    r"|fan-?fold|call-?back|collector|admin|qwertz?|azerty|letmein|key|foo|bar|baz|dev|prod"
)

#: Rows of English, French and German keyboards.
_KEYBOARDS = (
    *("qwertyuiop", "asdfghjkl", "zxcvbnm"),
    *("azertyuiop", "qsdfghjklm", "wxcvbn"),
    *("qwertzuiop", "yxcvbnm"),
)
_NEIGHBOURS = {pair for row in _KEYBOARDS for pair in [*pairwise(row), *pairwise(row[::-1])]}


def guessable(key: str) -> str:
    """Return why *key* can be guessed, as a predicate; ``""`` if it is good enough, or empty.

    It is too short; or it is, but for well-known words, rows such as ``abc``, ``111`` or
    ``asdf``, and repetitions, too short.
    """
    if not key:
        return ""
    if len(key) < MIN_CHARS:
        return f"has {len(key)} characters, and needs at least {MIN_CHARS}"
    rest = _without_rows(_WORDS.sub("", _repeated(key.lower())))
    if len(rest) < MIN_CHARS // 2 or len(set(rest)) < MIN_DIFFERENT:
        return "can be guessed: it is made of words, rows or repetitions"
    return ""


def _repeated(text: str) -> str:
    """Return what *text* repeats, or *text* itself."""
    at = (text + text).find(text, 1)
    return text[:at]


def _without_rows(text: str) -> str:
    """Return *text* without the characters that continue a row: the same, the next, the last.

    The next and the last are those of the alphabet, and those of a keyboard.
    """
    steps = (pair for pair in pairwise(text) if pair not in _NEIGHBOURS)
    return text[:1] + "".join(b for a, b in steps if abs(ord(a) - ord(b)) > 1)
