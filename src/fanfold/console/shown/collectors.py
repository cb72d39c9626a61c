"""What is known of each collector: how it stands, its slots, its usual figures, when it is next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from fanfold.domain.model.collector import Collector
from fanfold.domain.model.run import Failure, PastRun
from fanfold.domain.rules import schedule
from fanfold.domain.rules.history import BY_HAND, MEDIAN_RUNS, SUCCESS, Slot, slots_of
from fanfold.domain.rules.standing import Standing, standing_of
from fanfold.views.overview import Overview


@dataclass(frozen=True, slots=True)
class Known:
    """One collector.

    Args:
        name: Of the collector.
        collector: Its configuration, None if it is no longer in it or cannot be read.
        past: What is remembered of it, oldest first.
        slots: What became of each slot and each run by hand, oldest first.
        standing: How it stands.
        failure: Why its last outcome is no success, None if that is unknown or it is one.
        next_at: When its cron fires next.
        is_stale: Whether it has no success for longer than its schedule allows, and is not bad.
        live: Its part of the report of the run that asks it now, if one does.
        live_run: That run's id.
        live_slot: The slot of that run, as the report writes it; None if it is for none.
    """

    name: str
    collector: Collector | None
    past: Sequence[PastRun]
    slots: Sequence[Slot]
    standing: Standing
    failure: Failure | None = None
    next_at: datetime | None = None
    is_stale: bool = False
    live: Mapping[str, Any] | None = None
    live_run: str = ""
    live_slot: str | None = None

    @property
    def is_enabled(self) -> bool:
        """Whether the configuration has it, enabled."""
        return self.collector is not None and self.collector.enabled

    @property
    def is_running(self) -> bool:
        """Whether a run waits for its answer."""
        return self.live is not None and self.live["status"] in ("pending", "running")

    @property
    def own_slots(self) -> list[Slot]:
        """Its slots without the runs by hand."""
        return [slot for slot in self.slots if slot.kind != BY_HAND]

    @property
    def usual_s(self) -> float | None:
        """How long it usually takes, in seconds, None if that is unknown."""
        took = [
            slot.figures.seconds
            for slot in self.slots
            if slot.figures.outcome == SUCCESS and slot.figures.seconds is not None
        ][-MEDIAN_RUNS:]
        return median(took) if took else None

    @property
    def counts(self) -> list[int]:
        """The record counts of its successes, oldest first."""
        return [
            slot.figures.records
            for slot in self.slots
            if slot.figures.outcome == SUCCESS and slot.figures.records is not None
        ]

    def run_of(self, slot: Slot) -> str:
        """Return the id of the run by which *slot* counts."""
        return next((each.run_id for each in self.past if each.figures is slot.figures), "")


def known_of(overview: Overview, live: Sequence[Mapping[str, Any]] = ()) -> list[Known]:
    """Return every collector of the configuration, in its order.

    Args:
        overview: How everything stands.
        live: The reports so far of the runs under way.
    """
    asked_by: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}
    for report in live:
        for name, one in report["collectors"].items():
            if one["status"] != "skipped" and not one.get("kept"):
                asked_by[name] = (report, one)
    catalogue = overview.catalogue
    if catalogue is None:
        return [_known(name, None, overview, asked_by) for name in overview.past]
    return [_known(each.name, each, overview, asked_by) for each in catalogue.collectors]


def _known(
    name: str,
    collector: Collector | None,
    overview: Overview,
    asked_by: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]],
) -> Known:
    past = overview.past.get(name, ())
    stands = overview.health.standings.get(name) or standing_of(past)
    report, one = asked_by.get(name, ({}, None))
    return Known(
        name=name,
        collector=collector,
        past=past,
        slots=slots_of([each.figures for each in past]),
        standing=stands,
        failure=overview.causes.get(name),
        next_at=_next(collector, overview),
        is_stale=one is None and _is_stale(collector, stands, overview),
        live=one,
        live_run=report.get("run_id", ""),
        live_slot=report.get("scheduled_for"),
    )


def _next(collector: Collector | None, overview: Overview) -> datetime | None:
    if collector is None or not collector.enabled or collector.cron is None:
        return None
    return schedule.next_fire(collector.cron, overview.timezone, overview.now)


def _is_stale(collector: Collector | None, stands: Standing, overview: Overview) -> bool:
    """Return whether two fires of its cron passed since it succeeded, and it is not bad."""
    if collector is None or collector.cron is None or not collector.enabled:
        return False
    if stands.is_bad or stands.last_good is None or overview.catalogue is None:
        return False
    patience = timedelta(
        seconds=max(overview.catalogue.missed_after_s, overview.catalogue.run_timeout_s)
    )
    last = schedule.last_fire(collector.cron, overview.timezone, overview.now - patience)
    return last is not None and stands.last_good < last
