"""The grid of collectors by slots: everyone where they are few, else who is not well, and families.

Each cell links to its run. A page has at most :data:`MAX_ROWS` rows with such cells, so that it
stays small whatever the number of collectors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fanfold.console.shown.collectors import Known
from fanfold.domain.rules.history import BY_HAND, SLOT, SUCCESS
from fanfold.domain.rules.standing import State
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import count, instant, one_line, plural, weekday
from fanfold.rendering.grid import MAX_BY_HAND, SLOTS, Cell, Column, Key, Place, cell_of, columns_of
from fanfold.views.overview import Overview

#: So many collectors stand one below the other; where there are more, families are folded.
MAX_FLAT = 40

#: Most rows of single collectors on a page.
MAX_ROWS = 50

#: Fewest collectors that make a family.
MIN_FAMILY = 3

#: A family's name is a collector's without its last part: ``sirene_33``, ``plu-35b``, ``c12``.
_MEMBER = re.compile(r"(?P<family>.*?[a-z])(?:[_-][a-z0-9]{1,4}|[_-]?[0-9]+)", re.ASCII)

#: Of these letters of a family's cells one is enough for the number in the cell.
_BAD = "ftc"


@dataclass(frozen=True, slots=True)
class GridLine:
    """A collector: its cells, and how it stands in words."""

    name: str
    cells: tuple[Cell | None, ...]
    icon: str
    css: str
    now: str
    last_good: str
    records: str
    usually: str
    next: str


@dataclass(frozen=True, slots=True)
class FamilyLine:
    """Collectors whose names begin alike, folded: a cell counts those that failed."""

    name: str
    members: int
    cells: tuple[tuple[str, str, str], ...]
    icon: str
    now: str


@dataclass(frozen=True, slots=True)
class Section:
    """Rows under one heading; ``more`` says how many there is no room for, ``only`` shows them."""

    title: str
    lines: tuple[GridLine, ...] = ()
    families: tuple[FamilyLine, ...] = ()
    more: int = 0
    only: str = ""


@dataclass(frozen=True, slots=True)
class SlotsGrid:
    """Everything to draw. ``slots`` counts the columns that are no runs by hand."""

    columns: tuple[Column, ...]
    sections: tuple[Section, ...]
    slots: int
    total: int
    is_narrow: bool = False


def grid_of(overview: Overview, known: Sequence[Known]) -> SlotsGrid | None:
    """Return the grid of *known*, None where there is nobody."""
    if not known:
        return None
    is_flat = len(known) <= MAX_FLAT
    keys = _keys(known, with_runs_by_hand=is_flat)
    drawer = _Drawer(overview, keys)
    if is_flat:
        ordered = sorted(known, key=_heaviness)
        sections = [Section("", tuple(map(drawer.line, ordered)))]
    else:
        sections = list(_sections(known, drawer))
    return SlotsGrid(
        columns_of(keys, overview.timezone),
        tuple(sections),
        sum(not key[2] for key in keys),
        len(known),
        is_narrow=not is_flat,
    )


def chosen_grid(overview: Overview, known: Sequence[Known]) -> SlotsGrid:
    """Return the grid of *known* alone, a row each."""
    keys = _keys(known, with_runs_by_hand=True)
    drawer = _Drawer(overview, keys)
    return SlotsGrid(
        columns_of(keys, overview.timezone),
        (Section("", tuple(map(drawer.line, known))),),
        sum(not key[2] for key in keys),
        len(known),
    )


def family_of(name: str) -> str:
    """Return the family that the collector *name* would be in: its name without the last part."""
    match = _MEMBER.fullmatch(name)
    return match["family"].rstrip("_-") if match else name


def is_failing(known: Known) -> bool:
    """Return whether its last outcome is no success."""
    return known.standing.is_bad


def _heaviness(known: Known) -> int:
    return 0 if known.standing.is_bad else 1 if known.is_stale else 3 if not known.is_enabled else 2


def _sections(known: Sequence[Known], drawer: _Drawer) -> Iterator[Section]:
    failing = sorted(
        (each for each in known if each.standing.is_bad),
        key=lambda each: each.standing.since or drawer.overview.now,
    )
    stale = [each for each in known if each.is_stale]
    told = {each.name for each in [*failing, *stale]}
    rest = [each for each in known if each.name not in told]
    room = MAX_ROWS
    for title, group, only in (
        ("Failing", failing, "failing"),
        ("Stale", stale, "stale"),
    ):
        if group:
            shown = group[:room]
            room -= len(shown)
            why = ", no success for longer than their schedule allows" if only == "stale" else ""
            yield Section(
                f"{title}: {count(len(group))}{why}",
                tuple(map(drawer.line, shown)),
                more=len(group) - len(shown),
                only=only,
            )
    families: dict[str, list[Known]] = {}
    for each in rest:
        families.setdefault(family_of(each.name), []).append(each)
    alone = [each for one in families.values() if len(one) < MIN_FAMILY for each in one]
    folded = {name: one for name, one in families.items() if len(one) >= MIN_FAMILY}
    title = f"Everything else: {count(len(rest))}"
    title += ", by family; a number says how many of the family failed" if folded else ""
    yield Section(
        title,
        tuple(map(drawer.line, alone[:room])),
        tuple(drawer.family(name, one) for name, one in folded.items()),
        more=max(0, len(alone) - room),
        only="all",
    )


def _keys(known: Sequence[Known], *, with_runs_by_hand: bool) -> list[Key]:
    at = {slot.at for each in known for slot in each.slots if slot.kind != BY_HAND}
    at |= {each_slot for each in known if (each_slot := _live_slot(each)) is not None}
    slots = [(instant(moment), 0, False) for moment in sorted(at)[-SLOTS:]]
    if not with_runs_by_hand or not slots:
        return slots
    hands = {slot.at for each in known for slot in each.slots if slot.kind == BY_HAND}
    by_hand = sorted(key for moment in hands if (key := (instant(moment), 0, True)) > slots[0])
    return sorted([*slots, *by_hand[-MAX_BY_HAND:]])


def _live_slot(known: Known) -> datetime | None:
    """Return the slot of the run that asks the collector now, if it is one."""
    text = known.live_slot if known.live is not None else None
    return datetime.fromisoformat(text) if text else None


@dataclass(frozen=True, slots=True)
class _Drawer:
    overview: Overview
    keys: Sequence[Key]

    def line(self, known: Known) -> GridLine:
        timezone = self.overview.timezone
        places = {place.key: place for place in _places(known)}
        icon, css, now = now_words(known, self._newest())
        one = known.standing
        usual_s = known.usual_s
        return GridLine(
            name=one_line(known.name, 63),
            cells=tuple(cell_of(places.get(key), timezone) for key in self.keys),
            icon=icon,
            css=css,
            now=now,
            last_good=weekday(one.last_good, timezone) if one.last_good else "",
            records="" if one.last_records is None else count(one.last_records),
            usually="" if usual_s is None else duration(usual_s),
            next=weekday(known.next_at, timezone) if known.next_at else "",
        )

    def family(self, name: str, members: Sequence[Known]) -> FamilyLine:
        of_slot: dict[str, list[str]] = {}
        for each in members:
            for slot in each.own_slots:
                of_slot.setdefault(instant(slot.at), []).append(slot.figures.outcome)
        disabled = sum(not each.is_enabled for each in members)
        never = sum(each.is_enabled and each.standing.state is State.NEVER for each in members)
        running = sum(each.is_running for each in members)
        good = len(members) - disabled - never
        words = [f"all {good} good" if good == len(members) else f"{count(good)} good"]
        words += [f"{count(running)} running"] if running else []
        words += [f"{count(never)} never asked"] if never else []
        words += [f"{count(disabled)} disabled"] if disabled else []
        return FamilyLine(
            name=one_line(name, 63),
            members=len(members),
            cells=tuple(self._family_cell(key, of_slot.get(key[0], [])) for key in self.keys),
            icon="run" if running else "ok",
            now=", ".join(words),
        )

    def _family_cell(self, key: Key, letters: Sequence[str]) -> tuple[str, str, str]:
        """Return class, text and title of a family's cell."""
        when = weekday(datetime.fromisoformat(key[0]), self.overview.timezone)
        bad = sum(letter in _BAD for letter in letters)
        if bad:
            return "some", str(bad), f"{when}: {bad} of {len(letters)} failed"
        if not letters:
            return "none", "", ""
        missed = letters.count("m")
        if missed == len(letters):
            return "miss", "", f"{when}: missed: no run came"
        if SUCCESS not in letters:
            return "skip", "", f"{when}: not asked"
        return "ok", "", f"{when}: all {letters.count(SUCCESS)} succeeded"

    def _newest(self) -> str:
        return max((key[0] for key in self.keys if not key[2]), default="")


def _places(known: Known) -> Iterator[Place]:
    runs: Mapping[int, str] = {id(each.figures): each.run_id for each in known.past}
    for slot in known.slots:
        run_id = runs.get(id(slot.figures), "")
        yield Place(instant(slot.at), slot.figures.outcome, slot.kind, run_id=run_id)
    # What a run under way says replaces what is remembered of the same slot.
    slot_now = _live_slot(known)
    if slot_now is not None and known.is_running:
        yield Place(instant(slot_now), "r", SLOT, run_id=known.live_run)


def now_words(known: Known, newest_slot: str = "") -> tuple[str, str, str]:
    """Return sign, class and words for how a collector stands.

    Args:
        known: The collector.
        newest_slot: The newest slot of all, to tell who was not due in it.
    """
    one = known.standing
    if known.is_running:
        live = known.live or {}
        began = live.get("start_time")
        word = "waiting" if began is None else f"running, {duration(live['duration'])}"
        return "run", "run", word
    if not known.is_enabled and known.collector is not None:
        return "skip", "off", "disabled"
    if one.is_bad:
        icon = {"t": "late", "c": "off"}.get(one.letter, "bad")
        if one.state is State.STILL:
            return icon, icon, f"failing, {one.length}"
        return icon, icon, f"{one.word.removeprefix('was ')}, new"
    if known.is_stale:
        skipped = f"skipped {plural(one.skipped, 'time')}" if one.skipped else "stale"
        return "warn", "warn", skipped
    if one.state is State.NEVER:
        return "skip", "off", "never asked"
    if one.state is State.RECOVERED:
        return "ok", "ok", "recovered"
    own = known.own_slots
    if newest_slot and own and instant(own[-1].at) != newest_slot:
        return "skip", "off", "not due"
    return "ok", "ok", "succeeded"
