"""Reading ``params``: strict, because a misspelt key that is ignored collects the wrong thing."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any, Final

from fanfold.collector import BadParams

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Codes of départements: 01 to 95 with 2A and 2B for Corsica, and the overseas ones.
DEPARTEMENT: Final = re.compile(r"(?!20)(?:0[1-9]|[1-8]\d|9[0-5])|2[AB]|97[1-46]")
#: INSEE code of a commune, for instance 90010 or 2A004. Not a postal code.
COMMUNE: Final = re.compile(r"\d[\dAB]\d{3}")
#: A year of DVF.
YEAR: Final = re.compile(r"20\d\d")
#: A section of the French nomenclature of activities (NAF).
SECTION: Final = re.compile(r"[A-V]")


def refuse_unknown(params: Mapping[str, Any], *, known: Sequence[str]) -> None:
    """Return if every key of *params* is one of *known*.

    Raises:
        BadParams: Naming the keys nobody reads, with the nearest known one.
    """
    for key in params:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            raise BadParams(f"unknown parameter {str(key)[:40]!r}: {hint}")


def codes(
    params: Mapping[str, Any],
    singular: str,
    plural: str,
    *,
    pattern: re.Pattern[str],
    default: Sequence[str],
) -> list[str]:
    """Return the codes given under *singular* (one) or *plural* (a list), without repeats.

    Raises:
        BadParams: Both are given, the list is empty, or a code does not fit *pattern*.
    """
    if singular in params and plural in params:
        raise BadParams(f"give {singular!r} or {plural!r}, not both")
    given = params.get(plural, params.get(singular, list(default)))
    listed = given if isinstance(given, list) else [given]
    if not listed and default:
        raise BadParams(f"{plural!r} is empty; leave it out for the default")
    for code in listed:
        # YAML reads 01 as the number 1, so a number is refused, not guessed at.
        if not isinstance(code, str) or not pattern.fullmatch(code):
            raise BadParams(
                f'{str(code)[:40]!r} is no {singular}; write codes as text, in quotes ("01")'
            )
    return list(dict.fromkeys(listed))


def choice(params: Mapping[str, Any], key: str, *, known: Sequence[str]) -> str:
    """Return the value under *key*, or the first of *known* if there is none.

    Raises:
        BadParams: It is not one of *known*.
    """
    value = params.get(key, known[0])
    if value not in known:
        raise BadParams(f"{key!r} must be one of {', '.join(known)}, not {str(value)[:40]!r}")
    return str(value)
