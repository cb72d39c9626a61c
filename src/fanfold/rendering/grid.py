"""The grid: collectors as rows, the last slots as columns, the newest at the right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fanfold.domain.report.causes import Named
from fanfold.domain.rules.history import BY_HAND, RETRIED, SLOT
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import count, local, plural, weekday
from fanfold.rendering.rows import icon_of, row
from fanfold.rendering.since import Course, standing

#: How many slots the grid shows, this one included; so many on a narrow screen and on a phone.
SLOTS, NARROW_SLOTS, PHONE_SLOTS = 30, 21, 12

#: Most runs by hand that stand between the slots, the last ones.
MAX_BY_HAND = 6

_LETTERS = {
    "succeeded": "s",
    "failed": "f",
    "timed_out": "t",
    "cancelled": "c",
    "running": "r",
    "pending": "r",
}

#: By which outcome a slot counts that was tried again: the best first.
_BEST = ("succeeded", "pending", "running")

#: Class, sign and word of each outcome. The sign is for who cannot tell the colours apart.
_KINDS = {
    "s": ("ok", "", "succeeded"),
    "f": ("bad", "bad", "failed"),
    "t": ("late", "late", "timed out"),
    "c": ("off", "off", "cancelled"),
    "k": ("skip", "skip", "an earlier run still had it"),
    "m": ("miss", "", "missed: no run came"),
    "r": ("run", "run", "not answered yet"),
}


#: A column's place: its instant (empty where it is not known), how far back, whether it is by hand.
Key = tuple[str, int, bool]


@dataclass(frozen=True, slots=True)
class Column:
    """A slot or a run by hand. ``css`` says on which screens it is left out.

    ``month`` stands above the first column of a month; with ``month_css``, only on narrow screens.
    """

    label: str
    month: str
    month_css: str
    title: str
    css: str


@dataclass(frozen=True, slots=True)
class Cell:
    """What a collector did in one column: class, sign, and all of it in words.

    ``run_id`` is the run that did it, empty in a report, which links to no other.
    """

    kind: str
    icon: str
    title: str
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class GridRow:
    """A collector: a cell or None for each column, how it stands, and figures for comparison."""

    name: str
    cells: tuple[Cell | None, ...]
    icon: str
    now: str
    last_good: str
    records: str
    usually: str
    title: str


@dataclass(frozen=True, slots=True)
class Grid:
    """The last slots of some collectors. ``is_dated`` says whether every slot's time is known."""

    columns: tuple[Column, ...]
    rows: tuple[GridRow, ...]
    slots: int


@dataclass(frozen=True, slots=True)
class Place:
    """An outcome in a slot, by the letters of a history.

    ``back`` counts from the newest where the time is not known.
    """

    at: str | None
    letter: str
    kind: str
    back: int = 0
    has_warning: bool = False
    run_id: str = ""

    @property
    def key(self) -> Key:
        """What the places of one column have in common; columns stand in its order."""
        return (self.at or "", -self.back if self.at is None else 0, self.kind == BY_HAND)


def grid(collectors: Sequence[Named], report: Mapping[str, Any]) -> Grid | None:
    """Return the grid of *collectors*, or None if none has a past.

    A run that did not ask a collector leaves nothing in its row. A slot is there once, by its best
    outcome. A run by hand has a column of its own, which pushes no slot out.
    """
    if not any(one["history"]["outcomes"] for _, one in collectors):
        return None
    places = {name: list(_places(one, report)) for name, one in collectors}
    keys = sorted({place.key for each in places.values() for place in each})
    slots = [key for key in keys if not key[2]][-SLOTS:]
    by_hand = [key for key in keys if key[2] and slots and key > slots[0]][-MAX_BY_HAND:]
    shown = sorted([*slots, *by_hand])
    return Grid(
        columns=columns_of(shown, report["timezone"]),
        rows=tuple(_row(named, places[named[0]], shown, report) for named in collectors),
        slots=len(slots),
    )


def _places(one: Mapping[str, Any], report: Mapping[str, Any]) -> Iterator[Place]:
    # What this run adds replaces what is remembered of the same slot.
    here = list(_this_run(one, report))
    taken = {place.at for place in here if place.kind != BY_HAND}
    past = list(_past(one["history"]))
    for number, place in enumerate(past):
        if place.at is None or place.kind == BY_HAND or place.at not in taken:
            yield replace(place, back=len(past) - number)
    yield from here


def _past(history: Mapping[str, Any]) -> Iterator[Place]:
    letters = history["outcomes"]
    # Older versions remembered neither: such a letter is a slot whose date is not known.
    times = history.get("times") or [None] * len(letters)
    kinds = history.get("kinds") or SLOT * len(letters)
    yield from map(Place, times, letters, kinds)


def _this_run(one: Mapping[str, Any], report: Mapping[str, Any]) -> Iterator[Place]:
    """Give what this run adds, if it asked the collector or an earlier try of its slot did."""
    slot = report["scheduled_for"]
    at, earlier = slot or report["start_time"], one.get("earlier", ())
    if one["status"] == "skipped":
        if one["reason"] == "overlap" and slot:
            yield Place(at, "k", SLOT)
        return
    outcomes = [one["status"], *(each["status"] for each in earlier)]
    best = next((word for word in _BEST if word in outcomes), one["status"])
    was_bad = any(word != "succeeded" for word in outcomes)
    kind = BY_HAND if slot is None else RETRIED if earlier and was_bad else SLOT
    has_warning = bool(one["warnings"]) or any(
        not check["ok"] and check["severity"] == "warn" for check in one["expectations"]
    )
    yield Place(at, _LETTERS[best], kind, has_warning=has_warning)


def _row(named: Named, places: Sequence[Place], keys: Sequence[Key], report: Any) -> GridRow:
    name, one = named
    timezone = report["timezone"]
    by_key = {place.key: place for place in places}
    icon, now = _now(one, report)
    return GridRow(
        name=row(name, one, timezone).name,
        cells=tuple(cell_of(by_key.get(key), timezone) for key in keys),
        icon=icon,
        now=now,
        last_good=_last_good(one, places, timezone),
        records=_records(one),
        usually=duration(one["median_seconds"]) if one["median_seconds"] else "",
        title=_words([place for place in places if not place.key[2] and place.key in keys]),
    )


def _now(one: Mapping[str, Any], report: Mapping[str, Any]) -> tuple[str, str]:
    """Return the sign and the words for how a collector stands."""
    stands = standing(one, report)
    if stands.course is Course.RECOVERED:
        return "ok", "recovered"
    if stands.course is Course.STILL:
        is_slots = stands.slots > 1
        length = plural(stands.slots, "slot") if is_slots else plural(stands.runs, "run")
        return icon_of(one), f"failing, {length}"
    if stands.course is Course.NEW:
        return icon_of(one), "timed out, new" if one["status"] == "timed_out" else "failed, new"
    if one["status"] == "skipped":
        return "skip", "not due" if one["reason"] == "not_due" else "skipped"
    if one["warnings"]:
        return "warn", plural(len(one["warnings"]), "warning")
    return icon_of(one), one["status"].replace("_", " ")


def _last_good(one: Mapping[str, Any], places: Sequence[Place], timezone: str) -> str:
    at = one["end_time"] if one["status"] == "succeeded" else one["last_success"]
    good = [place.at for place in places if place.letter == "s" and place.at]
    at = at or (max(good) if good else None)
    return weekday(local(at, timezone), timezone) if at else ""


def _records(one: Mapping[str, Any]) -> str:
    number = one["records"] if one["status"] == "succeeded" else one["records_previous"]
    return "" if number is None else count(number)


def cell_of(place: Place | None, timezone: str) -> Cell | None:
    """Return how *place* is drawn, None where there is nothing."""
    if place is None:
        return None
    kind, icon, word = _KINDS.get(place.letter, _KINDS["k"])
    if place.kind == RETRIED:
        icon = "retry" if place.letter == "s" else icon
        word += " when it was tried again"
    elif place.has_warning and place.letter == "s":
        kind, icon, word = "warn", "warn", "succeeded with a warning"
    by_hand = ", by hand" if place.kind == BY_HAND else ""
    return Cell(kind, icon, f"{_when(place.at, timezone)}{by_hand}: {word}", place.run_id)


def _when(at: str | None, timezone: str) -> str:
    return weekday(local(at, timezone), timezone) if at else "an earlier slot"


def columns_of(keys: Sequence[Key], timezone: str) -> tuple[Column, ...]:
    """Return the columns of *keys*, which stand in their order."""
    moments = [local(key[0], timezone) if key[0] else None for key in keys]
    days = [m.date() for m, key in zip(moments, keys, strict=True) if m and not key[2]]
    is_hourly = len(days) != len(set(days))
    newest = max((key for key in keys if not key[2]), default=None)
    columns: list[Column] = []
    left = sum(not key[2] for key in keys)
    before = ""
    for moment, key in zip(moments, keys, strict=True):
        css = "h" if key[2] else "now" if key == newest else ""
        if moment and moment.weekday() >= 5:
            css += " we"
        css += _hidden(left)
        month = _month(moment, is_hourly=is_hourly)
        # Where columns are left out, the first that is shown names the month, too.
        begins = left in {NARROW_SLOTS, PHONE_SLOTS} and not key[2]
        is_new = month != before and not key[2]
        label = _label(moment, is_by_hand=key[2], is_hourly=is_hourly)
        title = _when(key[0] or None, timezone) + (", by hand" if key[2] else "")
        narrow = f"o{left}" if begins and not is_new else ""
        columns.append(Column(label, month if is_new or begins else "", narrow, title, css))
        before = before if key[2] else month
        left -= not key[2]
    return tuple(columns)


def _hidden(left: int) -> str:
    """Return the classes of a column that has *left* slots from it to the newest."""
    return (" s30" if left > NARROW_SLOTS else "") + (" s21" if left > PHONE_SLOTS else "")


def _month(moment: datetime | None, *, is_hourly: bool) -> str:
    if moment is None:
        return ""
    _, number, name, _ = weekday(moment, str(moment.tzinfo)).split()
    return f"{number} {name}" if is_hourly else name


def _label(moment: datetime | None, *, is_by_hand: bool, is_hourly: bool) -> str:
    if is_by_hand:
        return "\N{WHITE CIRCLE}"
    if moment is None:
        return ""
    return f"{moment:%H}" if is_hourly else str(moment.day)


def _words(places: Sequence[Place]) -> str:
    """Return ``30 slots: 27 succeeded, 2 failed``."""
    if not places:
        return "no slot yet"
    letters = "".join(place.letter for place in places)
    told = [
        f"{letters.count(letter)} {word.partition(':')[0]}"
        for letter, (_, _, word) in _KINDS.items()
        if letter in letters
    ]
    again = sum(place.kind == RETRIED and place.letter == "s" for place in places)
    if again:
        told[0] += f" ({again} when tried again)"
    return f"{plural(len(places), 'slot')}: {', '.join(told)}"
