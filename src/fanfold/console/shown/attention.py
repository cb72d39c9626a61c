"""What needs somebody: what failed anew apart from what still fails, and what is worth a look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fanfold.console.shown.collectors import Known
from fanfold.domain.report.causes import titles
from fanfold.domain.rules.history import SUCCESS
from fanfold.domain.rules.standing import State
from fanfold.domain.rules.verdict import Finding, Kind
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import change, count, one_line, plural, weekday
from fanfold.domain.syntax.urls import called_place
from fanfold.rendering.since import WORTH_A_LINE
from fanfold.views.overview import Overview

#: Most causes of each group, names of each cause and collectors worth a look that are listed.
MAX_CAUSES, MAX_NAMES, MAX_LOOKS = 8, 24, 5

#: Findings that are no failure of a collector's, in the order in which they are told.
_OTHERS = (Kind.ABSENT, Kind.UNREADABLE, Kind.OVERDUE, Kind.STUCK, Kind.SKIPPED, Kind.REFUSED)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing: its sign, what is set in bold, what follows, and a second line.

    ``names`` are the collectors that it concerns, ``more`` says how many of them are not named.
    ``run_id`` is the run to look at, if there is one; ``retried`` the collectors that a retry of it
    would ask again.
    """

    icon: str
    bold: str
    rest: str = ""
    under: str = ""
    names: tuple[str, ...] = ()
    more: str = ""
    run_id: str = ""
    retried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Things that have the same news: ``New``, ``Still failing``."""

    title: str
    number: int
    items: tuple[Item, ...] = field(default_factory=tuple)


def attention(overview: Overview, known: Sequence[Known]) -> list[Group]:
    """Return what needs somebody, the newest and heaviest first; empty if nothing does."""
    bad = [each for each in known if each.standing.is_bad]
    title_of = titles([(each.name, _as_reported(each)) for each in bad])
    new = [each for each in bad if each.standing.state is State.NEW]
    still = [each for each in bad if each.standing.state is State.STILL]
    back = [each for each in known if each.standing.state is State.RECOVERED]
    others = [
        _finding(each, overview)
        for kind in _OTHERS
        for each in overview.health.findings
        if each.kind is kind
    ]
    looks = list(_looks(known))
    more = len(looks) - MAX_LOOKS
    shown = looks[:MAX_LOOKS] + (
        [Item("warn", "", f"{count(more)} more counts moved by 20 % or more")] if more > 0 else []
    )
    groups = [
        Group("Missing or refused", len(others), tuple(others[: MAX_CAUSES * 2])),
        Group("New", len(new), tuple(_causes(new, title_of, overview))),
        Group("Still failing", len(still), tuple(_causes(still, title_of, overview))),
        Group("Worth a look", len(looks), tuple(shown)),
        Group("Recovered", len(back), tuple(_recovered(back, overview))),
    ]
    return [each for each in groups if each.number]


def cause_of(known: Known) -> str:
    """Return why the collector did not succeed, in one line."""
    failure = known.failure
    return one_line(failure.message, 300) if failure else known.standing.word


def length_words(known: Known, timezone: str) -> str:
    """Return since when a collector fails: ``failing for 3 slots, since Wed 25 Nov 05:12``."""
    one = known.standing
    if one.since is None:
        return ""
    before = "longer than " if one.is_longer else ""
    return f"failing for {before}{one.length}, since {weekday(one.since, timezone)}"


def good_words(known: Known, timezone: str) -> str:
    """Return ``last good Tue 24 Nov 05:12, 48 records``."""
    one = known.standing
    if one.last_good is None:
        return "no good one known"
    records = f", {plural(one.last_records, 'record')}" if one.last_records is not None else ""
    return f"last good {weekday(one.last_good, timezone)}{records}"


def often_words(known: Known) -> str:
    """Return ``4 of the last 29 slots failed``, nothing where only one is known."""
    slots = [slot for slot in known.own_slots if slot.figures.outcome in "sft"]
    bad = sum(slot.figures.outcome != SUCCESS for slot in slots)
    if len(slots) < 2:
        return ""
    if bad == 1 and slots[-1].figures.outcome != SUCCESS:
        return f"first failure in {count(len(slots))} slots"
    return f"{count(bad)} of the last {count(len(slots))} slots failed"


def _as_reported(known: Known) -> Mapping[str, Any]:
    """Return what a report says of a failure's cause."""
    spec = known.collector.spec if known.collector else None
    return {
        "status": known.standing.outcome,
        "error": cause_of(known),
        "upstream": spec.upstream if spec else None,
        "host": called_place(spec.url) if spec else None,
    }


def _causes(
    bad: Sequence[Known], title_of: Mapping[str, str], overview: Overview
) -> Iterator[Item]:
    """Give an item for each cause, the one with the most collectors first."""
    alike: dict[tuple[str, str], list[Known]] = {}
    for each in bad:
        alike.setdefault((each.standing.letter, title_of[each.name]), []).append(each)
    groups = sorted(alike.items(), key=lambda group: -len(group[1]))
    for (letter, title), group in groups[:MAX_CAUSES]:
        yield _cause(letter, title, group, overview)
    if len(groups) > MAX_CAUSES:
        yield Item("bad", "", f"and {plural(len(groups) - MAX_CAUSES, 'more cause')}")


def _cause(letter: str, title: str, group: Sequence[Known], overview: Overview) -> Item:
    first, zone = group[0], overview.timezone
    names = tuple(one_line(each.name, 63) for each in group)
    left = len(names) - MAX_NAMES
    is_one = len(group) == 1
    told = [length_words(first, zone), good_words(first, zone), often_words(first)]
    if not is_one:
        since = [each.standing.since for each in group if each.standing.since]
        told = [f"since {weekday(min(since), zone)}" if since else ""]
    usual_s = first.usual_s if letter == "t" and is_one else None
    told = [f"usually {duration(usual_s)}" if usual_s else "", *told]
    return Item(
        icon={"t": "late", "c": "off"}.get(letter, "bad"),
        bold=title,
        rest="" if is_one else f" · {plural(len(group), 'collector')}",
        under=" · ".join(each for each in told if each),
        names=names[:MAX_NAMES],
        more=f" and {count(left)} more" if left > 0 else "",
        run_id=first.standing.run_id or "",
        retried=names,
    )


def _looks(known: Sequence[Known]) -> Iterator[Item]:
    """Give the collectors whose count moved by much at their last success."""
    moved = []
    for each in known:
        last = each.slots[-1] if each.slots else None
        counts = each.counts
        if last is None or last.figures.outcome != SUCCESS or len(counts) < 2 or not counts[-2]:
            continue
        if last.figures.records != counts[-1]:
            continue
        by = abs(counts[-1] - counts[-2]) / counts[-2]
        if by >= WORTH_A_LINE:
            moved.append((by, each, counts))
    for _, each, counts in sorted(moved, key=lambda one: -one[0]):
        fell = counts[-1] < counts[-2]
        least = min(counts[:-1]) if fell else max(counts[:-1])
        word = "never below" if fell else "never above"
        yield Item(
            icon="warn" if fell else "up",
            bold="",
            rest=f" records {change(counts[-1], counts[-2])}: "
            f"{count(counts[-1])} after {count(counts[-2])}",
            under=f"succeeded · {word} {count(least)} in {plural(len(counts) - 1, 'good slot')}",
            names=(one_line(each.name, 63),),
        )


def _recovered(back: Sequence[Known], overview: Overview) -> Iterator[Item]:
    for each in back[:MAX_NAMES]:
        bad = []
        for slot in reversed(each.slots[:-1]):
            if slot.figures.outcome == SUCCESS:
                break
            bad.append(slot)
        again = each.standing.tries > 1
        length = f" after {plural(len(bad), 'failed slot')}" if bad else ""
        how = " when it was tried again" if again and not bad else length
        last = each.slots[-1].figures
        records = f", {plural(last.records, 'record')}" if last.records is not None else ""
        took = f" in {duration(last.seconds)}" if last.seconds is not None else ""
        yield Item(
            icon="ok",
            bold="",
            rest=f" succeeded again{how}",
            under=f"{weekday(last.end_time, overview.timezone)}{records}{took}",
            names=(one_line(each.name, 63),),
        )
    if len(back) > MAX_NAMES:
        yield Item("ok", "", f"and {count(len(back) - MAX_NAMES)} more")


def _finding(finding: Finding, overview: Overview) -> Item:
    since = since_words(finding.at, overview)
    return Item(
        icon="bad" if finding.code else "warn",
        bold="",
        rest=one_line(finding.text, 600),
        under=since,
        run_id=finding.run_id or "",
    )


def since_words(at: datetime | None, overview: Overview) -> str:
    """Return when something began, or nothing."""
    return weekday(at, overview.timezone) if at else ""
