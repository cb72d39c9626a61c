"""What a single value may be: each function returns the value it reads, or raises Wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from zoneinfo import available_timezones

from fanfold.config.file.problems import kind, shown
from fanfold.domain.model import names
from fanfold.domain.rules.schedule import check_cron, zone_of
from fanfold.domain.syntax import durations


class Wrong(ValueError):
    """A value that means nothing here. ``fix`` is what to write instead."""

    def __init__(self, what: str, fix: str = "") -> None:
        super().__init__(what)
        self.fix = fix


#: The largest params of a collector, as JSON, in bytes.
MAX_PARAMS_BYTES = 16 * 1024

_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%")
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,62}")


def text(value: Any) -> str:
    """Return a text on one line."""
    if not isinstance(value, str):
        raise Wrong(f"{kind(value)} is not text", "put it in quotes" if _is_word(value) else "")
    if not value.isprintable():
        raise Wrong("the text holds a line break or a control character", "write it on one line")
    if len(value) > 500:
        raise Wrong("the text is longer than 500 characters", "shorten it")
    return value


def flag(value: Any) -> bool:
    """Return a yes or no."""
    word = str(value).strip().lower() if _is_word(value) else ""
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise Wrong(f"{kind(value)} is neither true nor false", "write true or false")


def count(value: Any) -> int:
    """Return a whole number, 0 or more."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
        value = int(value)
    if isinstance(value, str) and re.fullmatch(r"[-+]?[0-9]{19,}", value):
        raise Wrong(f"{kind(value)} is too large", "write a number of at most 18 digits")
    if isinstance(value, bool) or not isinstance(value, int):
        raise Wrong(f"{kind(value)} is not a whole number", _whole_number_near(value))
    if value < 0:
        raise Wrong(f"{value} is less than 0", "write 0 or more")
    return value


def _whole_number_near(value: Any) -> str:
    """Return the whole number that *value* may mean: 3.0 is 3, and 1_000 or 1,000 is 1000."""
    written = str(value) if _is_word(value) and not isinstance(value, bool) else ""
    if re.fullmatch(r"[0-9]{1,3}(?:[ _,'\u00a0\u202f][0-9]{3})+", written):
        return f"write {re.sub('[^0-9]', '', written)}"
    if re.fullmatch(r"[0-9]{1,15}(?:\.0*)?(?:[eE]\+?[0-9])?", written):
        number = float(written)
        return f"write {number:.0f}" if number.is_integer() else "write a whole number"
    return "write a whole number"


def at_least_one(value: Any) -> int:
    """Return a whole number, 1 or more."""
    number = count(value)
    if number < 1:
        raise Wrong("0 is less than 1", "write 1 or more")
    return number


def failures(value: Any) -> int:
    """Return a number of failures, from 1 to 100: the ledger remembers each of them."""
    number = at_least_one(value)
    if number > 100:
        raise Wrong(f"{number} is more than 100", "write 100 or less")
    return number


def slots(value: Any) -> int:
    """Return a number of slots, from 1 to 14: a collector's memory reaches that far."""
    number = at_least_one(value)
    if number > 14:
        raise Wrong(f"{number} is more than 14", "write 14 or less")
    return number


def counts(value: Any) -> tuple[int, ...]:
    """Return a list of whole numbers."""
    if not isinstance(value, list):
        raise Wrong(f"{kind(value)} is not a list", "write a list such as [10000]")
    return tuple(count(each) for each in value)


def duration(value: Any, *, bare_is_seconds: bool = False) -> float:
    """Return a length of time, in seconds, more than 0."""
    if bare_is_seconds and isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        raise Wrong(f"{value} of what?", f"is it seconds? write {value}s")
    elif not isinstance(value, str):
        raise Wrong(f"{kind(value)} is not a duration; write {durations.FORMS}")
    else:
        try:
            seconds = durations.seconds_of(value)
        except durations.NotADuration as exc:
            raise Wrong(str(exc), exc.fix) from exc
    if not 0 < seconds <= durations.LONGEST_S:
        raise Wrong(f"{kind(value)} is out of range", "write more than 0s and at most 3650d")
    return seconds


def share(value: Any) -> float:
    """Return a percentage as a fraction in (0, 1]."""
    match = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise Wrong(f"{kind(value)} is not a percentage", _percentage_near(value))
    fraction = float(match[1]) / 100
    if not 0 < fraction <= 1:
        raise Wrong(f"{kind(value)} is out of range", "write more than 0% and at most 100%")
    return fraction


def _percentage_near(value: Any) -> str:
    """Return the percentage that *value* may mean: 20 is 20%, and 0.2 is 20% too."""
    try:
        number = float(value) if _is_word(value) and not isinstance(value, bool) else 0.0
    except ValueError:
        number = 0.0
    if not 0 < number <= 100:
        return "write it such as 20%"
    if number == 1:
        return "write 1% or 100%"
    return f"is it {round(number * 100, 6) if number < 1 else number:g}%?"


def tolerance(value: Any) -> tuple[float, bool]:
    """Return how many failures are tolerated, and whether that is a fraction."""
    if isinstance(value, str) and value.strip().endswith("%"):
        return (0.0, True) if re.fullmatch(r"0+ ?%", value.strip()) else (share(value), True)
    try:
        return float(count(value)), False
    except Wrong as exc:
        near = _percentage_near(value) if isinstance(value, float) else ""
        fix = near or "write a number of collectors, or a percentage such as 10%"
        raise Wrong(str(exc), fix) from exc


def cron(value: Any) -> str | None:
    """Return a cron expression, None for none."""
    if value is None or value == "":
        return None
    try:
        check_cron(text(value))
    except Wrong:
        raise
    except ValueError as exc:
        raise Wrong(str(exc)) from exc
    return " ".join(text(value).split())


def zone(value: Any) -> str:
    """Return the name of a time zone."""
    try:
        zone_of(text(value))
    except Wrong:
        raise
    except ValueError as exc:
        raise Wrong(str(exc).partition(";")[0], _zone_near(text(value))) from exc
    return text(value)


def _zone_near(name: str) -> str:
    """Return the zone that *name* may mean: Paris, and Europe/paris, is Europe/Paris."""
    known, wanted = sorted(available_timezones()), name.lower().replace(" ", "_")
    of_name = [each for each in known if each.lower() == wanted]
    near = of_name or [each for each in known if _place_in(each) == wanted]
    if len(near) == 1 and near != [name]:  # one that there is was refused for another reason
        return f"did you mean {near[0]!r}?"
    return "write one such as Europe/Paris or UTC"


def _place_in(zone_name: str) -> str:
    """Return ``paris`` for ``Europe/Paris``, and "" for a zone that names no place."""
    return zone_name.lower().rpartition("/")[2] if "/" in zone_name else ""


def tag(value: Any) -> str:
    """Return a tag."""
    written = str(value) if _is_word(value) and not isinstance(value, bool) else ""
    if not _TAG.fullmatch(written):
        raise Wrong(f"{kind(value)} is not a tag", "1 to 63 letters, digits, '_', '-', '.' or ':'")
    return written


def tags(value: Any) -> tuple[str, ...]:
    """Return a list of tags; a single one is a list of one."""
    listed = value if isinstance(value, list) else [value]
    return tuple(dict.fromkeys(tag(each) for each in listed))


def listed_names(value: Any) -> tuple[str, ...]:
    """Return a list of collectors' names; whether there are such is another question."""
    if not isinstance(value, list):
        raise Wrong(f"{kind(value)} is not a list", "write a list such as [sirene_a, sirene_b]")
    for each in value:
        if not isinstance(each, str):
            raise Wrong(f"{kind(each)} is not the name of a collector", "write names of collectors")
    return tuple(value)


def params(value: Any) -> dict[str, Any]:
    """Return a collector's parameters: whatever JSON can carry, within reason."""
    if not isinstance(value, dict):
        raise Wrong(f"{kind(value)} is not a map", "write name: value under params:")
    if len(json.dumps(value)) > MAX_PARAMS_BYTES:
        what = f"the params are larger than {MAX_PARAMS_BYTES // 1024} KiB"
        raise Wrong(what, "they travel with every call: send a reference to them instead")
    return value


def version(value: Any) -> int:
    """Return the dialect of the file."""
    if value not in (1, 2) or isinstance(value, bool):
        raise Wrong(f"{kind(value)} is no version of the configuration", "write version: 2")
    return int(value)


def matching(
    pattern: str, what: str, fix: str, *, may_be_empty: bool = False
) -> Callable[[Any], str]:
    """Return a reader of texts that *pattern* fits; of another text it says *what* and *fix*."""
    known = re.compile(pattern)

    def read(value: Any) -> str:
        written = text(value)
        if known.fullmatch(written) or (may_be_empty and not written):
            return written
        raise Wrong(f"{kind(value)} {what}", fix)

    return read


#: What scheduled runs are called.
schedule_name = matching(
    r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}",
    "cannot end a run's id",
    "1 to 60 letters, digits, '_' or '-', the first a letter or digit",
)

#: The name of a Cloud Tasks queue, empty for none.
queue = matching(
    r"[A-Za-z0-9-]{1,100}", "is not a queue's name", "letters, digits and '-'", may_be_empty=True
)

#: An e-mail address, empty for none.
email = matching(
    r"[^\s@]{1,128}@[^\s@]{1,190}",
    "is not a service account",
    "write its e-mail address",
    may_be_empty=True,
)


def folder(value: Any) -> str:
    """Return a folder's path."""
    if not text(value):
        raise Wrong("the folder has no name", "name one, such as reports")
    if text(value).startswith("gs://"):
        raise Wrong(f"{kind(value)} is a bucket", "write bucket: instead of folder:")
    return text(value)


def collector_name(name: str) -> None:
    """Return if a collector may be called *name*."""
    if not names.is_collector_name(name):
        raise Wrong(f"a collector cannot be called {shown(name)}", names.COLLECTOR_NAME_RULE)


def one_of(value: Any, words: tuple[str, ...]) -> str:
    """Return the one of *words* that *value* is."""
    if isinstance(value, str) and value in words:
        return value
    near = names.did_you_mean(value, words).removeprefix(": ") if isinstance(value, str) else ""
    raise Wrong(f"{kind(value)} is not one of {', '.join(words)}", near or "write one of them")


def is_near(value: str, words: tuple[str, ...]) -> bool:
    """Return whether *value* is a word that may be meant for one of *words*, and no credential."""
    return value.isalpha() and len(value) <= 10 and bool(names.did_you_mean(value, words))


def _is_word(value: Any) -> bool:
    return isinstance(value, str | int | float)
