"""What a pause keeps from being asked, and how pauses begin, change and end.

A paused collector is skipped in every run that does not name it. A paused schedule has no slots:
its ticks start no run, and what it would have started is neither missed nor overdue. Whoever asks
by hand for a run, a slot or a backfill means it, and is not kept from it by a paused schedule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from fanfold.domain.model.collector import Catalogue, Collector
from fanfold.domain.model.names import did_you_mean
from fanfold.domain.model.pause import EVERY_SCHEDULE, Pause, PauseKind, Target
from fanfold.domain.rules import schedule
from fanfold.domain.syntax.text import weekday

#: How long a pause is remembered that is over. Slots are judged up to 7 days later.
KEPT_FOR = timedelta(days=90)

#: Most pauses that are remembered; of those that are over, the newest stay.
MOST_KEPT = 300

#: The reason of a skip.
PAUSED = "paused"

_MOMENT = timedelta(microseconds=1)

Pauses = Sequence[Pause]


def current(pauses: Pauses, at: datetime) -> tuple[Pause, ...]:
    """Return the pauses that last at *at*, the oldest first."""
    return tuple(each for each in pauses if each.covers(at))


def of_target(pauses: Pauses, target: Target, at: datetime) -> Pause | None:
    """Return the pause of exactly *target* that lasts at *at*."""
    return next((each for each in pauses if each.target == target and each.covers(at)), None)


def names_of(pauses: Pauses, at: datetime) -> frozenset[str]:
    """Return the names of the collectors that are paused themselves at *at*."""
    lasting = current(pauses, at)
    return frozenset(each.name for each in lasting if each.kind is PauseKind.COLLECTOR)


def of_collector(pauses: Pauses, name: str, at: datetime) -> Pause | None:
    """Return the pause of the collector *name* itself at *at*."""
    return of_target(pauses, Target(PauseKind.COLLECTOR, name), at)


def of_cron(pauses: Pauses, cron: str, slot: datetime) -> Pause | None:
    """Return the pause that keeps *cron* from firing in *slot*: its own, or that of everything."""
    own = of_target(pauses, Target(PauseKind.SCHEDULE, cron), slot)
    return own or of_target(pauses, EVERY_SCHEDULE, slot)


def in_slot(pauses: Pauses, collector: Collector, slot: datetime) -> Pause | None:
    """Return the pause that keeps *collector* from being due in *slot*."""
    by_cron = of_cron(pauses, collector.cron, slot) if collector.cron else None
    return of_collector(pauses, collector.name, slot) or by_cron


def of_slot(pauses: Pauses, catalogue: Catalogue, slot: datetime) -> Pause | None:
    """Return a pause that keeps *slot* from being one: each schedule that fires in it is paused."""
    firing = [
        cron
        for cron in sorted(schedule.crons(catalogue))
        if pauses and schedule.fires_at(cron, catalogue.timezone, slot)
    ]
    found = [of_cron(pauses, cron, slot) for cron in firing]
    return found[0] if found and all(found) else None


def last_fire(
    pauses: Pauses, cron: str, zone: str, at: datetime, name: str | None = None
) -> datetime | None:
    """Return the last instant at or before *at* at which *cron* fired, and no pause kept it.

    If a collector is *named*, its own pauses count as well.
    """
    fire = schedule.last_fire(cron, zone, at)
    while fire is not None:
        own = of_collector(pauses, name, fire) if name is not None else None
        pause = own or of_cron(pauses, cron, fire)
        if pause is None:
            return fire
        fire = schedule.last_fire(cron, zone, pause.since - _MOMENT)
    return None


def next_slot(pauses: Pauses, catalogue: Catalogue, after: datetime) -> datetime | None:
    """Return the next slot after *after* that no pause keeps from being one, None if none is known.

    Pauses that end by themselves are over in time; the others are taken to last.
    """
    ends = sorted(each.end for each in current(pauses, after) if each.end is not None)
    for begin in (after, *ends):
        for slot in schedule.next_slots(catalogue, begin - _MOMENT, 2):
            if slot > after and of_slot(pauses, catalogue, slot) is None:
                return slot
    return None


def targets_of(
    catalogue: Catalogue | None,
    pauses: Pauses,
    *,
    names: Sequence[str] = (),
    crons: Sequence[str] = (),
    everything: bool = False,
) -> tuple[Target, ...]:
    """Return what somebody names: collectors, schedules by their cron, or every schedule.

    What was paused once is known, also if it is not in the configuration any more. Where the
    configuration is None, every name is believed. The name of the scheduler means every schedule.

    Raises:
        ValueError: Something is empty or unknown; the sentence says what is near.
    """
    if not all(each.strip() for each in (*names, *crons)):
        raise ValueError("a name or a schedule is empty: is a variable of the script not set?")
    every = [EVERY_SCHEDULE] if everything else []
    collectors = [Target(PauseKind.COLLECTOR, name) for name in dict.fromkeys(names)]
    schedules = [
        EVERY_SCHEDULE
        if catalogue is not None and cron == catalogue.schedule
        else Target(PauseKind.SCHEDULE, " ".join(cron.split()))
        for cron in dict.fromkeys(crons)
    ]
    if catalogue is not None:
        before = {each.target for each in pauses}
        known = {each.name for each in catalogue.collectors}
        firing = schedule.crons(catalogue)
        problems = [
            f"unknown collector {name!r:.100}{did_you_mean(name, known)}"
            for name in dict.fromkeys(names)
            if name not in known and Target(PauseKind.COLLECTOR, name) not in before
        ]
        problems += [
            f"no collector has the schedule {cron!r:.100}"
            + (did_you_mean(cron, firing) or f": there are {', '.join(sorted(firing)[:5])}")
            for cron, each in zip(dict.fromkeys(crons), schedules, strict=True)
            if each not in (EVERY_SCHEDULE, *before) and each.name not in firing
        ]
        if problems:
            raise ValueError("; ".join(problems))
    return tuple(dict.fromkeys([*collectors, *schedules, *every]))


def end_of(length_s: float, now: datetime) -> datetime:
    """Return when a pause of *length_s* seconds ends that begins *now*.

    Raises:
        ValueError: It would last no time, or beyond the calendar.
    """
    if length_s <= 0:
        raise ValueError("a pause of no time keeps nothing from running")
    try:
        return now + timedelta(seconds=length_s)
    except OverflowError as exc:
        raise ValueError("a pause ends within the calendar") from exc


def begun(pauses: Pauses, new: Iterable[Pause]) -> tuple[Pause, ...]:
    """Return *pauses* with the *new* ones.

    What is paused already stays so since then, with the reason and the end of the new pause.
    """
    changed = list(pauses)
    for pause in new:
        there = of_target(changed, pause.target, pause.since)
        if there is None:
            changed.append(pause)
        elif there != pause:
            at = changed.index(there)
            changed[at] = replace(there, by=pause.by, reason=pause.reason, until=pause.until)
    return _kept(changed, max((each.since for each in changed), default=None))


def ended(pauses: Pauses, targets: Iterable[Target], at: datetime, by: str) -> tuple[Pause, ...]:
    """Return *pauses* with those of *targets* that last at *at* ended by *by*."""
    ending = set(targets)
    changed = [
        replace(each, resumed_at=at, resumed_by=by)
        if each.target in ending and each.covers(at)
        else each
        for each in pauses
    ]
    return _kept(changed, at)


def words(pause: Pause, zone: str) -> str:
    """Return what is said of *pause*: ``paused since Mon 23 Nov 03:15 by ann: no source``."""
    until = f", until {weekday(pause.until, zone)}" if pause.until else ""
    why = f": {pause.reason}" if pause.reason else ""
    return f"paused since {weekday(pause.since, zone)} by {pause.by}{until}{why}"


def sentence(pause: Pause, zone: str) -> str:
    """Return the same with what is paused in front."""
    return f"{pause.target} is {words(pause, zone)}"


def _kept(pauses: Sequence[Pause], now: datetime | None) -> tuple[Pause, ...]:
    """Return those that are remembered: all that last, and of those that are over the newest."""
    if now is None:
        return ()
    young = [each for each in pauses if each.end is None or each.end > now - KEPT_FOR]
    over = [each for each in young if not each.covers(now)]
    dropped = set(map(id, over[: max(0, len(young) - MOST_KEPT)]))
    return tuple(each for each in young if id(each) not in dropped)
