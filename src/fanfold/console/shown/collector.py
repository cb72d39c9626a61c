"""The page of one collector: for how long it fails and with what, its slots, its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from fanfold.config.origins import Origin
from fanfold.console.shown.attention import cause_of, length_words
from fanfold.console.shown.bars import Bars, bars_of, is_success
from fanfold.console.shown.collectors import Known
from fanfold.console.shown.home import Fact
from fanfold.console.shown.past_slots import SHOWN_SLOTS, answer_of, long_past
from fanfold.console.shown.slots_grid import now_words
from fanfold.domain.model.run import PastRun
from fanfold.domain.rules import pauses
from fanfold.domain.rules.history import BY_HAND, RETRIED, SUCCESS, Slot, slots_of
from fanfold.domain.rules.standing import State
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import count, instant, one_line, plural, weekday
from fanfold.ports.ledger import Ledger
from fanfold.rendering.grid import Cell, Column, Place, cell_of, columns_of
from fanfold.rendering.rows import NOTHING
from fanfold.views.overview import Overview

#: Most failures of which causes are read, the newest first, and most runs that a cause lists.
MOST_FAILURES, MOST_LINKS = 20, 5


@dataclass(frozen=True, slots=True)
class CauseLine:
    """Failures with one cause: how many, the first and the last, how it ended, their runs."""

    icon: str
    title: str
    times: int
    first: str
    last: str
    ended: str
    is_over: bool
    runs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """A value of the configuration, its secrets masked, and where it is from."""

    key: str
    value: str
    where: str


@dataclass(frozen=True, slots=True)
class CollectorPage:
    """Everything on the page."""

    name: str
    icon: str
    mark: str
    headline: str
    sub: str
    facts: tuple[Fact, ...]
    columns: tuple[Column, ...]
    cells: tuple[Cell | None, ...]
    slots: int
    records: Bars | None
    durations: Bars | None
    causes: tuple[CauseLine, ...]
    failures: int
    settings: tuple[Setting, ...]
    run_id: str


def collector_page(
    known: Known, overview: Overview, ledger: Ledger, origins: Mapping[str, Origin]
) -> CollectorPage:
    """Return the page of *known*.

    Args:
        known: The collector.
        overview: How everything stands.
        ledger: Where its answers and older runs are.
        origins: The values of the configuration, masked.
    """
    past = long_past(ledger, known.name, known.past)
    slots = slots_of([each.figures for each in past])
    longer = replace(known, past=past, slots=slots)
    own = longer.own_slots[-SHOWN_SLOTS:]
    shown = [slot for slot in slots if own and slot.at >= own[0].at]
    columns, cells = _cells(longer, shown, overview.timezone)
    icon, _, now = now_words(known)
    causes, failures = _causes(longer, past, overview, ledger)
    return CollectorPage(
        name=known.name,
        icon=icon,
        mark={"ok": "✓", "run": "…", "skip": NOTHING}.get(icon, "✗"),
        headline=_headline(known, overview, now),
        sub=_sub(known, origins),
        facts=tuple(_facts(known, own, overview)),
        columns=columns,
        cells=cells,
        slots=len(own),
        records=bars_of(
            own,
            lambda slot: slot.figures.records if is_success(slot) else None,
            count,
            overview.timezone,
            line=_expected(known),
            about="records",
        ),
        durations=bars_of(
            own,
            lambda slot: slot.figures.seconds,
            duration,
            overview.timezone,
            line=known.usual_s,
            about="durations",
        ),
        causes=causes,
        failures=failures,
        settings=tuple(_settings(known, origins)),
        run_id=known.standing.run_id or "",
    )


def _headline(known: Known, overview: Overview, now: str) -> str:
    name, one = one_line(known.name, 63), known.standing
    paused = pauses.of_collector(overview.paused, known.name, overview.now)
    if paused is not None:
        return f"{name}: paused since {weekday(paused.since, overview.timezone)}"
    if one.is_bad and not known.is_running:
        length = length_words(known, overview.timezone).partition(",")[0]
        said = length if one.state is State.STILL else one.word
        return f"{name}: {said}, {cause_of(known)}"
    if now in ("succeeded", "recovered", "not due"):
        records = f", {plural(one.last_records, 'record')}" if one.last_records is not None else ""
        return f"{name}: succeeded when last asked{records}"
    return f"{name}: {now}"


def _sub(known: Known, origins: Mapping[str, Origin]) -> str:
    url = origins.get(f"{known.name}.url")
    parts = ["Collector", url.value if url else ""]
    if known.collector is not None and known.collector.spec.upstream:
        parts.append(f"source {one_line(known.collector.spec.upstream, 100)}")
    return " · ".join(each for each in parts if each)


def _facts(known: Known, own: Sequence[Slot], overview: Overview) -> list[Fact]:
    one, zone, facts = known.standing, overview.timezone, []
    if one.last_good is not None:
        records = plural(one.last_records, "record") if one.last_records is not None else ""
        facts.append(Fact("Last good", weekday(one.last_good, zone), records))
    if known.next_at is not None:
        left = duration((known.next_at - overview.now).total_seconds())
        facts.append(Fact("Next due", weekday(known.next_at, zone), f"in {left}"))
    asked = [slot for slot in own if slot.figures.outcome in "sftc"]
    if asked:
        good = [slot for slot in asked if slot.figures.outcome == SUCCESS]
        again = sum(slot.kind == RETRIED for slot in good)
        missed = sum(slot.figures.outcome == "m" for slot in own)
        beside = [f"{count(again)} of them by a retry"] if again else []
        beside += [f"{plural(missed, 'slot')} missed"] if missed else []
        share = f"{count(len(good))} of {count(len(asked))}"
        facts.append(Fact("Succeeded", share, "; ".join(beside)))
    if known.counts or known.usual_s is not None:
        usual_s = known.usual_s
        took = "" if usual_s is None else duration(usual_s)
        counts = known.counts[-7:]
        figure = plural(round(median(counts)), "record") if counts else took
        facts.append(Fact("Usually", figure, f"in {took}" if counts and took else ""))
    return facts


def _expected(known: Known) -> float | None:
    if known.collector is None:
        return None
    for each in known.collector.spec.expect:
        if each.name == "min_records" and isinstance(each.value, int | float) and each.value > 1:
            return float(each.value)
    return None


def _cells(
    known: Known, slots: Sequence[Slot], timezone: str
) -> tuple[tuple[Column, ...], tuple[Cell | None, ...]]:
    places = [
        Place(instant(slot.at), slot.figures.outcome, slot.kind, run_id=known.run_of(slot))
        for slot in slots
    ]
    keys = sorted({place.key for place in places})
    by_key = {place.key: place for place in places}
    return columns_of(keys, timezone), tuple(cell_of(by_key[key], timezone) for key in keys)


def _causes(
    known: Known, past: Sequence[PastRun], overview: Overview, ledger: Ledger
) -> tuple[tuple[CauseLine, ...], int]:
    """Return the causes of its failures, the newest first, and how many failures there were."""
    bad = [each for each in past if each.figures.outcome in "ftc"]
    alike: dict[tuple[str, str], list[PastRun]] = {}
    for each in reversed(bad[-MOST_FAILURES:]):
        answer = answer_of(ledger, each.run_id, known.name)
        error = answer.error if answer else None
        title = one_line(error.message, 200) if error else "it did not say why"
        alike.setdefault((each.figures.outcome, title), []).append(each)
    return tuple(
        _cause(letter, title, group, known, overview.timezone)
        for (letter, title), group in alike.items()
    ), len(bad)


def _cause(
    letter: str, title: str, group: Sequence[PastRun], known: Known, timezone: str
) -> CauseLine:
    newest, oldest = group[0], group[-1]
    ended, is_over = _ended(newest, known)
    return CauseLine(
        icon={"t": "late", "c": "off"}.get(letter, "bad"),
        title=title,
        times=len(group),
        first=_day(oldest, timezone),
        last=_day(newest, timezone),
        ended=ended,
        is_over=is_over,
        runs=tuple((each.run_id, _day(each, timezone)) for each in group[:MOST_LINKS]),
    )


def _day(past: PastRun, timezone: str) -> str:
    return weekday(past.figures.slot or past.figures.end_time, timezone).rpartition(" ")[0]


def _ended(newest: PastRun, known: Known) -> tuple[str, bool]:
    """Return how the failures ended, and whether they did."""
    figures = newest.figures
    at = figures.slot or figures.end_time
    here = next((slot for slot in known.slots if slot.at == at), None)
    if here is not None and figures.slot and here.figures.outcome == SUCCESS:
        return "a retry succeeded", True
    later = [slot for slot in known.slots if slot.at > at and slot.figures.outcome in "sftc"]
    if not later:
        return "still failing", False
    following = later[0]
    word = "run by hand" if following.kind == BY_HAND else "slot"
    if following.figures.outcome == SUCCESS:
        return f"the next {word} succeeded", True
    return f"the next {word} failed for another reason", True


def _settings(known: Known, origins: Mapping[str, Origin]) -> list[Setting]:
    prefix = f"{known.name}."
    found = [
        Setting(key.removeprefix(prefix), one_line(each.value, 300), one_line(each.where, 100))
        for key, each in origins.items()
        if key.startswith(prefix)
    ]
    # What somebody wrote stands before what is so by default.
    return sorted(found, key=lambda each: each.where == "default")
