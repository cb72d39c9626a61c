"""The keys of a collector's JSON object, each checked: an illegal value breaks the contract.

Null is the same as an absent key everywhere. The sentences show the value that was sent, for
whoever has to find it in the collector's code.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeGuard

from fanfold.domain.syntax.limits import MAX_NUMBER, MAX_SHOWN_CHARS
from fanfold.domain.syntax.text import listed, one_line

#: Most numbers that are left out and named.
_NAMED = 3


class BrokenContract(ValueError):
    """A value has a type or range that the contract does not allow. The text says which."""


def flag(document: Mapping[str, Any], key: str) -> bool | None:
    """Return the boolean at *key*."""
    value = document.get(key)
    if value is None or isinstance(value, bool):
        return value
    raise _wrong_type(f'"{key}"', value, "true or false")


def count(document: Mapping[str, Any], key: str) -> int | None:
    """Return the count at *key*: an integer from 0 to :data:`MAX_NUMBER`."""
    value = document.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong_type(f'"{key}"', value, "a whole number")
    _check_range(f'"{key}"', value, least=0)
    return value


def seconds(document: Mapping[str, Any], key: str, limit_s: float) -> float | None:
    """Return the length of time at *key*, in seconds; a longer one than *limit_s* is that long."""
    value = document.get(key)
    if value is None:
        return None
    if not is_number(value):
        raise _wrong_type(f'"{key}"', value, "a number of seconds")
    if value < 0:
        raise BrokenContract(f'"{key}" is {shown(value)}, less than 0')
    return float(min(value, limit_s))


def texts(document: Mapping[str, Any], key: str, *, most: int, chars: int) -> tuple[str, ...]:
    """Return the list of texts at *key*, each on one line of at most *chars* characters.

    At most *most* of them: where there are more, the last one says how many were left out.
    """
    value = document.get(key)
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise _wrong_type(f'"{key}"', value, "a list of texts")
    for item in value:
        if not isinstance(item, str):
            raise BrokenContract(f'"{key}" holds {_typed(item)}, where only texts may stand')
    if len(value) <= most:
        return tuple(one_line(item, chars) for item in value)
    kept = tuple(one_line(item, chars) for item in value[: most - 1])
    return (*kept, f"… and {len(value) - len(kept)} more")


def token(document: Mapping[str, Any], key: str, *, chars: int) -> str | None:
    """Return the text at *key* exactly as it is: printable and at most *chars* characters."""
    value = document.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _wrong_type(f'"{key}"', value, "a text")
    if len(value) > chars:
        raise BrokenContract(f'"{key}" has {len(value)} characters, more than {chars}')
    if not value.isprintable():
        raise BrokenContract(f'"{key}" is {shown(value)}: not all of it can be printed')
    return value


def instant(document: Mapping[str, Any], key: str) -> str | None:
    """Return the date, or the instant, at *key* as it was written."""
    value = document.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _wrong_type(f'"{key}"', value, "a date in a text")
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise BrokenContract(f'"{key}" is {shown(value)}, no date such as 2026-11-23') from None
    return one_line(value, MAX_SHOWN_CHARS)


def scalars(
    document: Mapping[str, Any], key: str, *, most: int, name_chars: int, chars: int
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the object at *key*, its first *most* entries, and what is to be said of the rest.

    The values are scalars. A number beyond :data:`MAX_NUMBER`, such as a time in nanoseconds,
    does not fit every store: it is left out, and a sentence says so. Nothing is decided on it.
    """
    value = document.get(key)
    if value is None:
        return {}, ()
    if not isinstance(value, Mapping):
        raise _wrong_type(f'"{key}"', value, "an object")
    found: dict[str, Any] = {}
    beyond: list[str] = []
    for name, item in value.items():
        word = one_line(str(name), name_chars)
        if not (item is None or isinstance(item, str | bool) or is_number(item)):
            wanted = "a text, a number, true, false or null"
            raise _wrong_type(f'"{word}" in "{key}"', item, wanted)
        if is_number(item) and abs(item) > MAX_NUMBER:
            beyond.append(f'"{word}" ({shown(item)})')
        elif len(found) < most:
            found[word] = one_line(item, chars) if isinstance(item, str) else item
    return found, _left_out(key, beyond)


def _left_out(key: str, beyond: list[str]) -> tuple[str, ...]:
    if not beyond:
        return ()
    said = f'left out of "{key}", beyond ±{MAX_NUMBER:,}: {listed(beyond, _NAMED)}'
    return (said,)


def is_number(value: Any) -> TypeGuard[int | float]:
    """Return whether *value* is a finite number of any size, and no boolean."""
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))


def shown(value: Any) -> str:
    """Return *value* as JSON writes it, on one line of at most :data:`MAX_SHOWN_CHARS`."""
    return one_line(json.dumps(value, ensure_ascii=False, default=str), MAX_SHOWN_CHARS)


def _check_range(where: str, value: float, *, least: int) -> None:
    if value > MAX_NUMBER:
        raise BrokenContract(f"{where} is {shown(value)}, more than {MAX_NUMBER:,}")
    if value < least:
        raise BrokenContract(f"{where} is {shown(value)}, less than {least:,}")


def _wrong_type(where: str, value: Any, wanted: str) -> BrokenContract:
    return BrokenContract(f"{where} is {_typed(value)}, not {wanted}")


def _typed(value: Any) -> str:
    """Return *value* and what it is: ``"5", a text``. True, false and null say it themselves."""
    match value:
        case None | bool():
            return shown(value)
        case str():
            kind = "a text"
        case int():
            kind = "a whole number"
        case float():
            kind = "a decimal number"
        case list() | tuple():
            kind = "a list"
        case _:
            kind = "an object"
    return f"{shown(value)}, {kind}"
