"""JSON from strangers: read strictly, or not at all."""

from __future__ import annotations

import base64
import json
import math
import re
from typing import Any

from fanfold.domain.syntax.lookalikes import first_lookalike

#: Deepest nesting that is read. Firestore stores 20 levels of maps; Python's parser recurses.
MAX_DEPTH = 20


class NotJson(ValueError):
    """The text is not JSON, or JSON that readers disagree about. The text says why."""


def not_in(codec: str, exc: UnicodeDecodeError) -> str:
    """Return the sentence about bytes that are no text in *codec*."""
    is_utf_16 = exc.object[:2] in {b"\xff\xfe", b"\xfe\xff"}
    return f"not {codec.upper()} at byte {exc.start}{': it is UTF-16' if is_utf_16 else ''}"


def read_json(text: bytes | str) -> Any:
    """Return the value of *text*, which must be UTF-8 JSON as every reader understands it.

    Raises:
        NotJson: It is not; or an object repeats a key, a number is NaN, infinite or too large, a
            text holds half of a surrogate pair, or it nests deeper than :data:`MAX_DEPTH`.
    """
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        value = _DECODER.decode(decoded)
        if _HALF_PAIR.search(decoded):
            # Only whole pairs can be written as UTF-8 again, by us or by whoever stores it.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as exc:
        raise NotJson("a text holds half of a surrogate pair") from exc
    except UnicodeDecodeError as exc:
        raise NotJson(not_in("utf-8", exc)) from exc
    except RecursionError as exc:
        raise NotJson(f"nested deeper than {MAX_DEPTH} levels") from exc
    except json.JSONDecodeError as exc:
        raise NotJson(_why(exc)) from exc
    except NotJson:
        raise
    except ValueError as exc:  # Python refuses to read an integer of so many digits
        raise NotJson("a number has thousands of digits") from exc
    if decoded.count("{") + decoded.count("[") > MAX_DEPTH:
        _check_depth(value, MAX_DEPTH)
    return value


def _why(exc: json.JSONDecodeError) -> str:
    """Return why the parser stopped, in words that lead to the mistake where it is a usual one."""
    place = f"{exc.msg} at line {exc.lineno} column {exc.colno}"
    found = first_lookalike(exc.doc, exc.pos, exc.pos + 1)
    if found is not None:
        return f"{place}: there is a {found.name}" + (f", not {found.meant}" if found.meant else "")
    if exc.doc[exc.pos : exc.pos + 1] == "'":
        return f'{place}: JSON writes texts in double quotes (")'
    if is_json_in_base64(exc.doc):
        return f"{place}: it is base64; send the JSON that it stands for"
    return place


def is_json_in_base64(text: str) -> bool:
    """Return whether *text* is an object of JSON that somebody has encoded in base64."""
    begin = "".join(text[:64].split())
    try:
        decoded = base64.b64decode(begin[: len(begin) // 4 * 4], altchars=b"-_", validate=True)
    except ValueError:
        return False
    return decoded.lstrip().startswith((b"{", b"[", b"\xef\xbb\xbf{"))


def _check_depth(value: Any, levels: int) -> None:
    if isinstance(value, dict | list):
        if levels == 0:
            raise NotJson(f"nested deeper than {MAX_DEPTH} levels")
        for item in value.values() if isinstance(value, dict) else value:
            _check_depth(item, levels - 1)


def _refuse_constant(name: str) -> Any:
    raise NotJson(f"{name} is not a JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        shown = digits if len(digits) <= 60 else "a number with many digits"
        raise NotJson(f"{shown} is larger than any number")
    return number


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                # Whole or not at all: of a part, nobody could tell that it is a secret's.
                named = f"the key {key!r}" if len(key) <= 60 else "a long key"
                raise NotJson(f"{named} is there twice")
            seen.add(key)
    return keys


_DECODER = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_unique
)

#: Where half of a surrogate pair may stand, raw or escaped; most documents have none.
_HALF_PAIR = re.compile(r"[\ud800-\udfff]|\\u[dD][89a-fA-F]")
