"""The keys of a collector's JSON object, each checked: an illegal value breaks the contract.

Null is the same as an absent key everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeGuard

from fanfold.domain.syntax.text import one_line

#: Largest count that every store holds: a signed 64-bit integer.
MAX_COUNT = 2**63 - 1


class BrokenContract(ValueError):
    """A value has a type or range that the contract does not allow. The text says which."""


def flag(document: Mapping[str, Any], key: str) -> bool | None:
    """Return the boolean at *key*."""
    value = document.get(key)
    if value is None or isinstance(value, bool):
        return value
    raise BrokenContract(f'"{key}" must be true or false')


def count(document: Mapping[str, Any], key: str) -> int | None:
    """Return the count at *key*: an integer from 0 to :data:`MAX_COUNT`."""
    value = document.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_COUNT:
        raise BrokenContract(f'"{key}" must be a whole number, 0 or more')
    return value


def seconds(document: Mapping[str, Any], key: str, limit_s: float) -> float | None:
    """Return the length of time at *key*, in seconds, at most *limit_s*."""
    value = document.get(key)
    if value is None:
        return None
    if not is_number(value) or value < 0:
        raise BrokenContract(f'"{key}" must be a number of seconds, 0 or more')
    return float(min(value, limit_s))


def texts(document: Mapping[str, Any], key: str, *, most: int, chars: int) -> tuple[str, ...]:
    """Return the list of texts at *key*, each on one line of at most *chars* characters.

    At most *most* of them: where there are more, the last one says how many were left out.
    """
    value = document.get(key)
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise BrokenContract(f'"{key}" must be a list of texts')
    if len(value) <= most:
        return tuple(one_line(item, chars) for item in value)
    kept = tuple(one_line(item, chars) for item in value[: most - 1])
    return (*kept, f"… and {len(value) - len(kept)} more")


def token(document: Mapping[str, Any], key: str, *, chars: int) -> str | None:
    """Return the text at *key* exactly as it is: printable and at most *chars* characters."""
    value = document.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > chars or not value.isprintable():
        raise BrokenContract(f'"{key}" must be a text of at most {chars} printable characters')
    return value


def scalars(
    document: Mapping[str, Any], key: str, *, most: int, name_chars: int, chars: int
) -> dict[str, Any]:
    """Return the object at *key*: its first *most* entries, whose values are scalars."""
    value = document.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BrokenContract(f'"{key}" must be an object')
    found: dict[str, Any] = {}
    for name, item in value.items():
        if not (item is None or isinstance(item, str | bool) or is_number(item)):
            raise BrokenContract(f'"{key}" must hold texts, numbers, true, false or null only')
        if len(found) < most:
            found[one_line(str(name), name_chars)] = (
                one_line(item, chars) if isinstance(item, str) else item
            )
    return found


def is_number(value: Any) -> TypeGuard[int | float]:
    """Return whether *value* is a finite number that every store holds, and no boolean."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return abs(value) <= MAX_COUNT
    return isinstance(value, float) and math.isfinite(value)
