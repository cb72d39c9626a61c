"""Health: is every enabled collector well, did every slot have its run, was anything refused?

Pure. What is known goes in; findings, one sentence and a code come out. Absence is never success:
what cannot be read, what did not come and what did not end are findings, as failures are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.known_schedules import KnownSchedules
from fanfold.domain.model.pause import PauseKind
from fanfold.domain.model.run import PastRun, Run
from fanfold.domain.rules import pauses, schedule
from fanfold.domain.rules.groups import tolerated
from fanfold.domain.rules.known_schedules import is_known
from fanfold.domain.rules.pauses import Pauses
from fanfold.domain.rules.standing import MISSED, Standing, State, answers_slot, standing_of
from fanfold.domain.rules.verdict import (
    FAILED,
    MISSING,
    NAMED,
    UNREADABLE,
    WELL,
    Finding,
    Health,
    Kind,
    Standings,
)
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import listed, weekday

#: How long a refusal stays a finding.
REFUSED_FOR = timedelta(hours=24)

#: After so many slots in a row in which an earlier run was busy with it a collector is not well.
MOST_SKIPPED = 2

#: What is said where nothing was ever asked.
_NOTHING_RAN = "nothing ran yet: no collector was ever asked"


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to judge.

    Args:
        now: The present.
        catalogue: The enabled collectors, their crons and the zone; None if they are unknown.
        absent: What to say where there is no ledger, empty where there is one.
        unreadable: What keeps the slots from being known, and the stored records that cannot be
            read, a sentence each.
        past: What is remembered of each collector, oldest first.
        open_runs: The runs that are not announced.
        refusals: The requests that were refused of late, newest first.
        overdue: The slots that passed without a run, with the collectors that were due.
        asked_now: The collectors that an open run still asks.
        paused: The pauses that last now, and those that are over.
    """

    now: datetime
    catalogue: Catalogue | None = None
    absent: str = ""
    unreadable: Sequence[str] = ()
    past: Mapping[str, Sequence[PastRun]] = field(default_factory=dict)
    open_runs: Sequence[Run] = ()
    refusals: Sequence[Run] = ()
    overdue: Mapping[datetime, Sequence[str]] = field(default_factory=dict)
    asked_now: frozenset[str] = frozenset()
    paused: Pauses = ()

    @property
    def paused_names(self) -> frozenset[str]:
        """The collectors that are paused themselves."""
        return pauses.names_of(self.paused, self.now)


def health_of(known: Known) -> Health:
    """Return how things stand."""
    catalogue = known.catalogue
    enabled = [each for each in catalogue.collectors if each.enabled] if catalogue else []
    standings = {each.name: standing_of(known.past.get(each.name, ())) for each in enabled}
    findings = [
        *([Finding(Kind.ABSENT, UNREADABLE, known.absent)] if known.absent else ()),
        *(Finding(Kind.UNREADABLE, UNREADABLE, text) for text in known.unreadable),
        *_overdue(known),
        *_stuck(known),
        *(_failing(known, catalogue, standings) if catalogue else ()),
        *_refused(known),
        *_paused(known),
    ]
    is_quiet = all(each.kind is Kind.PAUSED for each in findings)
    if is_quiet and not known.open_runs and standings and not any(_was_asked(standings)):
        # A ledger in which nothing ever happened is as good as none: it may be the wrong one.
        findings = [Finding(Kind.ABSENT, UNREADABLE, _NOTHING_RAN), *findings]
    ordered = sorted(findings, key=lambda each: -each.code)
    return Health(tuple(ordered), standings)


def _was_asked(standings: Standings) -> Iterator[bool]:
    return (one.state is not State.NEVER for one in standings.values())


def unanswered_slots(
    catalogue: Catalogue,
    past: Mapping[str, Sequence[PastRun]],
    asked_now: frozenset[str],
    now: datetime,
    schedules: KnownSchedules,
    *,
    paused: Pauses = (),
) -> Mapping[datetime, Sequence[str]]:
    """Return each collector's own last slot that is up and that nothing of its past answers for.

    Slots come oldest first, each with its collectors. A collector that was never asked has none: it
    may be new in the file. A slot from before its schedule was known does not count, nor one that a
    pause of the collector or of its schedule covers. That a run came for the slot and skipped it is
    for the caller to see.
    """
    up = now - timedelta(seconds=catalogue.missed_after_s)
    slots: dict[datetime, list[str]] = {}
    last_fires: dict[str, datetime | None] = {}
    for each in catalogue.collectors:
        known = past.get(each.name, ())
        if not (each.enabled and each.cron and known) or each.name in asked_now:
            continue
        if each.cron not in last_fires:
            last_fires[each.cron] = schedule.last_fire(each.cron, catalogue.timezone, up)
        slot = last_fires[each.cron]
        if paused:
            slot = pauses.last_fire(paused, each.cron, catalogue.timezone, up, each.name)
        if slot is None or not is_known(each.cron, catalogue.timezone, slot, schedules):
            continue
        if not answers_slot(known, slot):
            slots.setdefault(slot, []).append(each.name)
    return dict(sorted(slots.items()))


def _overdue(known: Known) -> Iterator[Finding]:
    zone = _zone(known.catalogue)
    for slot, due in known.overdue.items():
        late = duration((known.now - slot).total_seconds())
        text = f"no run came for the slot of {weekday(slot, zone)} {zone}, {late} ago"
        text += f" ({listed(due, NAMED)})" if due else ""
        yield Finding(Kind.OVERDUE, MISSING, text, slot, None, tuple(due))


def _stuck(known: Known) -> Iterator[Finding]:
    for run in known.open_runs:
        if known.now < run.deadline:
            continue
        late = duration((known.now - run.deadline).total_seconds())
        ended = "is over, and its report is not written" if run.verdict else "nobody ended it"
        text = f"run {run.run_id} is past its deadline by {late}, and {ended}"
        yield Finding(Kind.STUCK, MISSING, text, run.deadline, run.run_id)


def _failing(known: Known, catalogue: Catalogue, standings: Standings) -> Iterator[Finding]:
    well = {name for name, one in standings.items() if one.is_well}
    groups = {each.name: each.spec.group for each in catalogue.collectors}
    required = {each.name for each in catalogue.collectors if each.spec.required}
    required -= tolerated(groups, well).keys()
    listed = {name for due in known.overdue.values() for name in due}
    failed = [name for name, one in standings.items() if one.is_bad and one.letter != MISSED]
    counted = required.intersection(failed) - known.paused_names
    code = WELL if _tolerates(catalogue, len(counted), standings) else FAILED
    for name in failed:
        one = standings[name]
        is_red = name in required and name not in known.paused_names
        yield _of_collector(name, one, code if is_red else WELL, one.word)
    for name, one in standings.items():
        if one.is_bad and one.letter == MISSED and name not in listed:
            missing = WELL if name in known.paused_names else MISSING
            yield _of_collector(name, one, missing, "missed its last slot")
        elif one.is_well and one.skipped >= MOST_SKIPPED and name not in known.asked_now:
            text = f"was not asked in {one.skipped} slots: an earlier run was busy with it"
            yield Finding(Kind.SKIPPED, FAILED, f"{name} {text}", collectors=(name,))


def _of_collector(name: str, one: Standing, code: int, text: str) -> Finding:
    return Finding(Kind.FAILING, code, f"{name} {text}", one.since, one.run_id, (name,))


def _tolerates(catalogue: Catalogue, failed: int, standings: Standings) -> bool:
    """Return whether as many failures of required collectors leave a run succeeded."""
    most = catalogue.tolerated_failures
    return failed <= int(most * len(standings) if catalogue.tolerated_is_fraction else most)


def _refused(known: Known) -> Iterator[Finding]:
    for run in known.refusals:
        if known.now - run.start_time <= REFUSED_FOR:
            text = f"a request was refused: {run.about.removeprefix('not started: ')}"
            yield Finding(Kind.REFUSED, FAILED, text, run.start_time, run.run_id)


def _paused(known: Known) -> Iterator[Finding]:
    """Give what is paused: it is shown, and is no trouble by itself."""
    for pause in pauses.current(known.paused, known.now):
        names = (pause.name,) if pause.kind is PauseKind.COLLECTOR else ()
        text = pauses.sentence(pause, _zone(known.catalogue))
        yield Finding(Kind.PAUSED, WELL, text, pause.since, collectors=names)


def _zone(catalogue: Catalogue | None) -> str:
    return catalogue.timezone if catalogue else "UTC"
