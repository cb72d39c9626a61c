"""How everything stands: gathered from the ledger, and as JSON (``status.schema.json``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fanfold.app.health import look
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import Permanent, Transient
from fanfold.domain.model.pause import Pause
from fanfold.domain.model.run import Failure, PastRun, Run
from fanfold.domain.model.upstream import Upstream, UpstreamState
from fanfold.domain.rules import pauses, upstreams
from fanfold.domain.rules.upstream_words import limits_words
from fanfold.domain.rules.verdict import Finding, Health, Kind
from fanfold.domain.syntax.text import instant, weekday
from fanfold.messages.pauses import pauses_document
from fanfold.ports.ledger import Ledger
from fanfold.views.find import latest_runs

if TYPE_CHECKING:
    from fanfold.views.slots_read import SlotsRead

#: The version of the shape.
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Overview:
    """What there is to say.

    ``causes`` are why collectors failed that are not well; ``unread`` what of the configuration
    could not be read and matters to no slot; ``place`` is the file or project that was looked at.
    ``past`` is what is remembered of each collector, oldest first; ``paused`` are the pauses;
    ``recent`` are the newest runs and notices, newest first; ``sources`` what is known of the
    sources with limits.
    """

    now: datetime
    health: Health
    catalogue: Catalogue | None
    place: str
    latest: Run | None = None
    running: Sequence[Run] = ()
    causes: Mapping[str, Failure] = field(default_factory=dict)
    unread: Sequence[str] = ()
    past: Mapping[str, Sequence[PastRun]] = field(default_factory=dict)
    paused: Sequence[Pause] = ()
    recent: Sequence[Run] = ()
    sources: Mapping[Upstream, UpstreamState] = field(default_factory=dict)

    @property
    def timezone(self) -> str:
        """The zone in which times are shown."""
        return self.catalogue.timezone if self.catalogue else "UTC"

    def next_slot(self) -> datetime | None:
        """Return when a schedule fires next that is not paused, None if none does or is known."""
        return pauses.next_slot(self.paused, self.catalogue, self.now) if self.catalogue else None


def overview_of(
    ledger: Ledger, slots: SlotsRead, now: datetime, *, place: str = "", recent: int = 1
) -> Overview:
    """Return the overview of *ledger* at *now*, by what could be read of the configuration.

    Args:
        ledger: Where to look.
        slots: What could be read of the configuration.
        now: The present.
        place: What is looked at, in words.
        recent: How many of the newest runs the overview brings along.
    """
    runs = latest_runs(ledger, recent)  # before the look, which names what could not be read
    seen = look(ledger, slots.catalogue, now, slots.unknown, slots.changed_at)
    return Overview(
        now=now,
        health=seen.health,
        catalogue=slots.catalogue,
        place=place,
        latest=runs[0] if runs else None,
        running=seen.known.open_runs,
        causes=seen.causes,
        unread=slots.unread,
        past=seen.known.past,
        paused=seen.known.paused,
        recent=runs,
        sources=_sources(ledger, slots.catalogue, now),
    )


def _sources(
    ledger: Ledger, catalogue: Catalogue | None, now: datetime
) -> Mapping[Upstream, UpstreamState]:
    limits = list(catalogue.sources) if catalogue else []
    if not limits:
        return {}
    try:
        states = ledger.upstreams([each.name for each in limits])
    except (Transient, Permanent):  # the look has said so
        return {}
    return {each: upstreams.at(states[each.name], each, now) for each in limits}


def document(overview: Overview) -> Mapping[str, Any]:
    """Return the overview; every key is always there, null or empty where there is nothing."""
    health, slot = overview.health, overview.next_slot()
    overdue = [each.at for each in health.findings if each.kind is Kind.OVERDUE and each.at]
    return {
        "schema_version": SCHEMA_VERSION,
        "about": health.sentence,
        "code": health.code,
        "findings": [_finding(each) for each in health.findings],
        "collectors": {name: _collector(overview, name) for name in health.standings},
        "latest": run_document(overview.latest) if overview.latest else None,
        "running": [run_document(run) for run in overview.running],
        "next": _at(slot),
        "next_local": weekday(slot, overview.timezone) if slot else None,
        "overdue": _at(max(overdue, default=None)),
        "last_success": {name: _at(one.last_good) for name, one in health.standings.items()},
        "place": overview.place,
        "unread": list(overview.unread),
        "upstreams": {each.name: _source(overview, each) for each in overview.sources},
        **pauses_document(pauses.current(overview.paused, overview.now)),
    }


def _finding(finding: Finding) -> Mapping[str, Any]:
    return {
        "kind": finding.kind.value,
        "code": finding.code,
        "text": finding.text,
        "at": _at(finding.at),
        "run_id": finding.run_id,
        "collectors": list(finding.collectors),
    }


def _collector(overview: Overview, name: str) -> Mapping[str, Any]:
    one, cause = overview.health.standings[name], overview.causes.get(name)
    return {
        "state": one.state.value,
        "outcome": one.outcome,
        "run_id": one.run_id,
        "since": _at(one.since),
        "since_longer": one.is_longer,
        "slots": one.slots,
        "runs": one.runs,
        "skipped_slots": one.skipped,
        "last_good": _at(one.last_good),
        "last_good_records": one.last_records,
        "error": cause.message if cause else None,
        "error_kind": cause.kind if cause else None,
    }


def _source(overview: Overview, limits: Upstream) -> Mapping[str, Any]:
    state = overview.sources[limits]
    return {
        "limits": limits_words(limits),
        "calls": len(state.places),
        "calls_last_minute": sum(each.number for each in state.calls),
        "failed_in_a_row": len(state.failed),
        "down_since": _at(state.opened_at),
        "next_try": _at(upstreams.next_try_at(state, limits)),
    }


def run_document(run: Run) -> Mapping[str, Any]:
    """Return the record of *run*, without what its collectors did."""
    return {
        "run_id": run.run_id,
        "status": run.status.value,
        "about": run.about,
        "start_time": instant(run.start_time),
        "end_time": _at(run.end_time),
        "deadline": instant(run.deadline),
        "summary": run.summary,
        "retry_of": run.retry_of,
        "report": run.report,
    }


def _at(moment: datetime | None) -> str | None:
    return instant(moment) if moment else None
