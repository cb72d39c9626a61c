"""How a length of time is written: ``90s``, ``10m``, ``1h30m``, ``7d``, ``4.2s``, ``120ms``.

The file, the command line and every page use this one grammar: what :func:`duration` writes,
:func:`seconds_of` reads. Units stand from the longest to the shortest, each at most once. Only
seconds may have a decimal point, so ``1.5h`` is refused; milliseconds stand alone.
"""

from __future__ import annotations

import re

#: No length of time is longer, in seconds: ten years.
LONGEST_S = 3_650 * 86_400

#: The grammar as a regular expression, for the JSON Schema of the configuration.
PATTERN = r"^(([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+(\.[0-9]+)?s)?|[0-9]+ms)$"

#: Examples, for a sentence.
FORMS = "90s, 10m, 2h or 1d"

_PARTS = re.compile(
    r"(?:([0-9]{1,6})d)?(?:([0-9]{1,7})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,11}(?:\.[0-9]{1,6})?)s)?"
)
_MILLISECONDS = re.compile(r"([0-9]{1,14})ms")
_UNITS_S = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_SPELT_OUT = re.compile(
    r"([0-9]{1,6})(\.[0-9]{1,6})? *([smhd])(?:ecs?|econds?|ins?|inutes?|rs?|ours?|ays?)?",
    re.IGNORECASE,
)
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400


class NotADuration(ValueError):
    """A text that is no length of time. ``fix`` is what to write instead, empty if unknown."""

    def __init__(self, text: str) -> None:
        shown = text if len(text) <= 60 else text[:57] + "..."
        super().__init__(f"{shown!r} is not a duration; write {FORMS}")
        self.fix = _guess(text.strip())


def seconds_of(text: str) -> float:
    """Return the length of time that *text* is, in seconds; 0 or more.

    Raises:
        NotADuration: It is none, or its unit is missing.
    """
    stripped = text.strip()
    if milliseconds := _MILLISECONDS.fullmatch(stripped):
        return int(milliseconds[1]) / 1000
    match = _PARTS.fullmatch(stripped)
    if match is None or not stripped:
        raise NotADuration(text)
    parts = zip(match.groups(), _UNITS_S.values(), strict=True)
    return sum(float(number) * unit_s for number, unit_s in parts if number)


def _guess(text: str) -> str:
    if re.fullmatch(r"[0-9]{1,11}(\.[0-9]{1,6})?", text):
        return f"is it seconds? write {text}s"
    near = _SPELT_OUT.fullmatch(text)
    if near is None:
        return ""
    unit = near[3].lower()
    if not near[2]:
        return f"did you mean {near[1]}{unit}?"
    left_s = round(float(f"0{near[2]}") * _UNITS_S[unit])
    return f"did you mean {_exactly(int(near[1]) * _UNITS_S[unit] + left_s)}?"


def _exactly(seconds: int) -> str:
    """Return a whole number of seconds without rounding: ``1h30m``."""
    words = []
    for unit, unit_s in _UNITS_S.items():
        number, seconds = divmod(seconds, unit_s)
        words += [f"{number}{unit}"] if number else []
    return "".join(words) or "0s"


def duration(seconds: float) -> str:
    """Return a length of time in two units at most: ``0s``, ``120ms``, ``4.2s``, ``1h05m``.

    It is rounded; a negative one is ``0s``.
    """
    milliseconds = round(seconds * 1000)
    if seconds <= 0 or milliseconds < 1000:
        return f"{max(1, milliseconds)}ms" if seconds > 0 else "0s"
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + "s"
    if round(seconds) < _MINUTE_S:
        return f"{round(seconds)}s"
    for unit_s, most_s, names in ((1, _HOUR_S, "ms"), (_MINUTE_S, _DAY_S, "hm")):
        whole = round(seconds / unit_s)
        if whole * unit_s < most_s:
            return f"{whole // 60}{names[0]}{whole % 60:02d}{names[1]}"
    hours = round(seconds / _HOUR_S)
    return f"{hours // 24}d{hours % 24:02d}h"
