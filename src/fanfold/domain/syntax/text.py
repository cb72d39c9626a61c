"""How numbers, instants and foreign text are written for people, everywhere.

Pure text in, pure text out: names of days and months are English whatever the locale.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from fanfold.domain.syntax.limits import MAX_TEXT_CHARS

#: Between the thousands of a number: NARROW NO-BREAK SPACE.
THIN = "\u202f"

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = " Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
_SPACES = re.compile(" {2,}")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def count(number: float) -> str:
    """Return *number* rounded to an integer, its thousands apart: ``31 874``."""
    return f"{round(number):,}".replace(",", THIN).replace("-", "\u2212")


def plural(number: int, noun: str) -> str:
    """Return ``0 records``, ``1 record``, ``31 874 records``."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def size(size_bytes: float) -> str:
    """Return a size in decimal units: ``0 B``, ``4.1 MB``, ``38 MB``."""
    amount = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 999.5 or unit == "TB":
            break
        amount /= 1000
    digits = f"{amount:.1f}" if unit != "B" and amount < 9.95 else count(amount)
    return f"{digits} {unit}"


def percent(fraction: float) -> str:
    """Return ``20 %``, ``12.5 %``."""
    return f"{fraction * 100:.1f}".removesuffix(".0") + " %"


def change(number: float | None, before: float | None) -> str:
    """Return how *number* differs from *before*, ``+0.7 %``; empty if that says nothing."""
    if number is None or not before:
        return ""
    text = percent(abs(number - before) / before)
    if text == "0 %":
        return text
    return ("+" if number > before else "\u2212") + text


def instant(moment: datetime) -> str:
    """Return *moment* in UTC to the millisecond: ``2026-11-23T02:15:00.112Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def zone(name: str) -> tzinfo:
    """Return the IANA zone called *name*, or UTC if there is none (``str`` of it names it)."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, not a legal key, a directory of zones
        return ZoneInfo("UTC")


def local(text: str, timezone: str) -> datetime:
    """Return the instant that :func:`instant` wrote as *text*, as the clocks of a zone show it."""
    return datetime.fromisoformat(text).astimezone(zone(timezone))


def day(moment: datetime) -> str:
    """Return ``Mon 23 Nov 2026``."""
    return f"{_DAYS[moment.weekday()]} {moment.day} {_month(moment)} {moment.year}"


def _month(moment: datetime) -> str:
    return _MONTHS[moment.month * 4 - 3 : moment.month * 4]


def short(moment: datetime) -> str:
    """Return ``1 Dec 03:15``."""
    return f"{moment.day} {_month(moment)} {moment:%H:%M}"


def weekday(moment: datetime, timezone: str) -> str:
    """Return ``Tue 24 Nov 03:15``, as the clocks of a zone show *moment*."""
    there = moment.astimezone(zone(timezone))
    return f"{_DAYS[there.weekday()]} {short(there)}"


def is_visible(character: str) -> bool:
    """Return whether a terminal shows *character* where it stands, as a letter or as a space.

    Spaces of every width count; control and format characters (escape, bidirectional marks, zero
    width), line separators, surrogates and code points without a meaning do not.
    """
    return unicodedata.category(character) not in _INVISIBLE


def printable(text: str) -> str:
    """Return *text* with its line breaks, and U+FFFD for all else that is not visible.

    A tab is one space, so that what stands below a character stays below it.
    """
    if text.isprintable():
        return text
    text = text.replace("\t", " ")
    return "".join(each if each == "\n" or is_visible(each) else "\ufffd" for each in text)


def printable_line(text: str) -> str:
    """Return :func:`printable` text of the same length, with U+FFFD for its line breaks, too."""
    return printable(text).replace("\n", "\ufffd")


def one_line(text: str, limit: int = MAX_TEXT_CHARS) -> str:
    """Return *text* as one line of at most *limit* visible characters, ``…`` where it was cut.

    Control characters and line breaks become spaces; what is invisible or reorders a line
    (zero-width characters, bidirectional overrides) goes; lone surrogates become U+FFFD.
    """
    if not text.isprintable():
        text = "".join(map(_visible, text[: limit * 4]))
    text = _SPACES.sub(" ", text).strip(" ")
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _visible(character: str) -> str:
    match unicodedata.category(character):
        case "Cc" | "Zl" | "Zp":
            return " "
        case "Cf":
            return ""
        case "Cs" | "Co" | "Cn":
            return "\ufffd"
        case _:
            return character


#: The number of a try, in words.
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


def listed(names: Sequence[str], most: int) -> str:
    """Return the first *most* of *names*, and how many more there are: ``dvf, plu and 3 more``."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def try_words(number: int) -> str:
    """Return ``second try``, ``11th try``."""
    ordinal = _ORDINALS[number - 1] if number <= len(_ORDINALS) else f"{number}th"
    return f"{ordinal} try"
