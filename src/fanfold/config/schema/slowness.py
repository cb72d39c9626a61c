"""What ``slow_after`` may be: a length of time, or a multiple of a collector's usual time."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from fanfold.config.file.problems import kind
from fanfold.config.schema.values import Wrong

_USUAL = re.compile(r"usual ?[x*\u00d7] ?([0-9]{1,6}(?:\.[0-9]{1,3})?)", re.IGNORECASE)


def slow_after(
    value: Any, read_duration: Callable[[Any], float]
) -> tuple[float | None, float | None]:
    """Return a length of time in seconds, or else how many times the usual one."""
    if not (isinstance(value, str) and "usual" in value.lower()):
        try:
            return read_duration(value), None
        except Wrong as exc:
            raise Wrong(str(exc), exc.fix or "write usual x 2, or a time such as 10m") from exc
    match = _USUAL.fullmatch(value.strip())
    if match is None:
        raise Wrong(f"{kind(value)} is not a multiple of the usual time", "write usual x 2")
    factor = float(match[1])
    if not 1 < factor <= 100:
        what = f"{kind(value)} is out of range"
        raise Wrong(what, "write more than usual x 1 and at most usual x 100")
    return None, factor
