"""Characters that look like another one, or like nothing: copied from a page, they break a file."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

#: What a character outside ASCII looks like, by its category; one of Cf looks like nothing.
_LOOKS_LIKE = {"Zs": "a space", "Pi": "a straight quote", "Pf": "a straight quote", "Pd": "-"}


@dataclass(frozen=True, slots=True)
class Lookalike:
    """The character at *index* of a text. ``meant`` is what it looks like, or empty."""

    index: int
    name: str
    meant: str


def first_lookalike(text: str, start: int = 0, stop: int | None = None) -> Lookalike | None:
    """Return the first such character of ``text[start:stop]``, or None."""
    for index, character in enumerate(text[start:stop], start):
        category = unicodedata.category(character)
        if character.isascii() or (category != "Cf" and category not in _LOOKS_LIKE):
            continue
        name = "byte order mark" if character == "\ufeff" else unicodedata.name(character, "")
        shown = f"{name.lower()} (U+{ord(character):04X})"
        return Lookalike(index, shown, _LOOKS_LIKE.get(category, ""))
    return None
