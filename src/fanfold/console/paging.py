"""Long lists, a page at a time, and the query of a page's own address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from flask import request

from fanfold.console.errors import NotHere
from fanfold.domain.syntax.text import count, plural

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sheet(Generic[T]):
    """One page of a list. ``newer`` and ``older`` are the addresses beside it, or empty."""

    rows: Sequence[T]
    number: int
    newer: str
    older: str
    words: str


def page_number() -> int:
    """Return the page that is asked for, from 1 on.

    Raises:
        NotHere: It is no number of a page.
    """
    text = request.args.get("page", "1")
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) > 0):
        shown = text[:60]
        raise NotHere(f"there is no page {shown!r}", [("page 1", address(page=None))])
    return int(text)


def sheet(rows: Sequence[T], size: int, noun: str, *, is_all: bool = True) -> Sheet[T]:
    """Return the page of *rows* that is asked for.

    Args:
        rows: All of them, or those up to the page and one more.
        size: Rows of a page.
        noun: What a row is.
        is_all: Whether *rows* are all that there are.

    Raises:
        NotHere: The list has no such page.
    """
    number = page_number()
    last = max(1, -(-len(rows) // size))
    if number > last:
        words = f"there is no page {count(number)}: the last one is {count(last)}"
        raise NotHere(words, [(f"page {last}", address(page=None if last == 1 else last))])
    first = (number - 1) * size
    here = rows[first : first + size]
    of = f" of {count(len(rows))}" if is_all else ""
    told = plural(len(rows), noun) if is_all else ""
    words = f"{count(first + 1)} to {count(first + len(here))}{of}" if last > 1 else told
    return Sheet(
        rows=here,
        number=number,
        newer=address(page=number - 1 if number > 2 else None) if number > 1 else "",
        older=address(page=number + 1) if number < last else "",
        words=words,
    )


def address(**changes: object) -> str:
    """Return this page's address with *changes* of its query; None takes a key away."""
    query: Mapping[str, object] = {**request.args.to_dict(), **changes}
    text = urlencode([(key, value) for key, value in query.items() if value not in (None, "")])
    return f"{request.path}?{text}" if text else request.path
