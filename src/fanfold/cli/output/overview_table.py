"""What ``fanfold status`` says without a RUN, as a table: who is not well, then the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from fanfold.cli.output.history_grid import cell_of
from fanfold.cli.output.terminal import out
from fanfold.cli.output.words import (
    CHECK,
    CHECK_FIRST,
    FIRST_RUN,
    RETRY_WHAT_FAILED,
    RUN_OR_ANOTHER_FILE,
    RUN_WHAT_IS_DUE,
    SWEEP_NOW,
    in_or_ago,
    json_text,
    next_line,
    slot_words,
    status_of,
)
from fanfold.domain.model.run import Run
from fanfold.domain.rules.history import BY_HAND, slots_of
from fanfold.domain.rules.schedule import next_slots
from fanfold.domain.rules.standing import Standing, State
from fanfold.domain.rules.upstream_words import down_words
from fanfold.domain.rules.upstreams import next_try_at
from fanfold.domain.rules.verdict import Finding, Kind
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import listed, one_line, plural, weekday
from fanfold.views.overview import Overview, document

#: Most causes of each heading, names of each cause, and rows of each other kind that are listed.
MOST_CAUSES, MOST_NAMES, MOST_ROWS = 8, 12, 8

#: Slots of the past that the line of a collector shows that is not well.
STRIP_SLOTS = 14

_NOTHING = "\N{EN DASH}"
_MARKS = {"succeeded": "✓", "cancelled": _NOTHING}

#: The headings under which collectors that are not well stand, in this order.
_HEADINGS = ((State.NEW, "new"), (State.STILL, "still failing"))


def print_overview(overview: Overview, form: str) -> None:
    """Print the overview on stdout as *form*: table, json or markdown."""
    if form == "json":
        out(json_text(document(overview)))
        return
    for line in _lines(overview):
        if form == "table":
            out(line)
        elif line:
            out(f"- {line.strip()}")


def _lines(overview: Overview) -> Iterator[str]:
    health = overview.health
    yield f"{'✗' if health.code else '✓'} {health.sentence}"
    yield ""
    for state, heading in _HEADINGS:
        yield from _not_well(overview, state, heading)
    yield from _well(health.standings)
    yield from _others(overview)
    yield f"latest    {_run_words(overview.latest, overview.now)}"
    running = [
        f"{run.run_id} since {in_or_ago(run.start_time, overview.now)}" for run in overview.running
    ]
    yield f"running   {', '.join(running) or _NOTHING}"
    yield f"next      {_next_words(overview)}"
    yield from _listed("source   ", _sources_down(overview))
    yield f"looked at {overview.place}"
    yield from _listed("not read ", overview.unread)
    following = _following(overview)
    if following:
        yield next_line(following)


def _sources_down(overview: Overview) -> Sequence[str]:
    """Return what is said of each source that is down."""
    told = []
    for limits, state in overview.sources.items():
        next_try = next_try_at(state, limits)
        if state.opened_at is not None and next_try is not None:
            words = down_words(limits.name, state.failed)
            since = in_or_ago(state.opened_at, overview.now)
            then = in_or_ago(next_try, overview.now) if next_try > overview.now else "next call"
            told.append(f"{words}; found so {since}, tried again {then}")
    return told


def _not_well(overview: Overview, state: State, heading: str) -> Iterator[str]:
    """Give the collectors of *state*, those with the same cause together."""
    names = [name for name, one in overview.health.standings.items() if one.state is state]
    if not names:
        return
    yield f"{heading}: {len(names)}"
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(_cause(overview, name), []).append(name)
    for cause, failed in list(groups.items())[:MOST_CAUSES]:
        yield f"  ✗ {cause}"
        width = max(map(len, failed[:MOST_NAMES]))
        for name in failed[:MOST_NAMES]:
            yield f"      {name:<{width}}   {_since(overview, name)}{_strip(overview, name)}"
        if len(failed) > MOST_NAMES:
            yield f"      and {len(failed) - MOST_NAMES} more"
    if len(groups) > MOST_CAUSES:
        yield f"  and {plural(len(groups) - MOST_CAUSES, 'cause')} more: --format json has all"


def _cause(overview: Overview, name: str) -> str:
    one = overview.health.standings[name]
    failure = overview.causes.get(name)
    return one_line(failure.message, 160) if failure else one.word


def _strip(overview: Overview, name: str) -> str:
    """Return the last slots, a character each as in ``fanfold history --grid``; runs by hand not.

    One slot alone says nothing that its line does not say.
    """
    slots = slots_of([each.figures for each in overview.past.get(name, ())])
    cells = "".join(cell_of(slot) for slot in slots if slot.kind != BY_HAND)
    return f"   {cells[-STRIP_SLOTS:]}" if len(cells) > 1 else ""


def _since(overview: Overview, name: str) -> str:
    one, zone = overview.health.standings[name], overview.timezone
    parts = []
    if one.since is not None:
        before = "longer than " if one.is_longer else ""
        parts.append(f"{before}{one.length}, since {weekday(one.since, zone)}")
    if one.last_good is None:
        parts.append("no good one known")
    else:
        records = f", {plural(one.last_records, 'record')}" if one.last_records is not None else ""
        parts.append(f"last good {weekday(one.last_good, zone)}{records}")
    return "; ".join(parts)


def _well(standings: Mapping[str, Standing]) -> Iterator[str]:
    if not standings:
        return
    by_state: dict[State, list[str]] = {}
    for name, one in standings.items():
        by_state.setdefault(one.state, []).append(name)
    recovered = by_state.get(State.RECOVERED, [])
    good = len(by_state.get(State.GOOD, [])) + len(recovered)
    back = f"   recovered: {listed(recovered, MOST_NAMES)}" if recovered else ""
    yield f"good: {good}{back}"
    if State.NEVER in by_state:
        yield f"never asked: {listed(by_state[State.NEVER], MOST_NAMES)}"
    yield ""


def _others(overview: Overview) -> Iterator[str]:
    """Give every finding that is no failure of a collector's, its word in front."""
    for kind, label in (
        (Kind.ABSENT, "unknown  "),
        (Kind.UNREADABLE, "unknown  "),
        (Kind.OVERDUE, "overdue  "),
        (Kind.STUCK, "overdue  "),
        (Kind.SKIPPED, "skipped  "),
        (Kind.REFUSED, "refused  "),
        (Kind.PAUSED, "paused   "),
    ):
        found = [each for each in overview.health.findings if each.kind is kind]
        yield from _listed(label, [_finding_words(each, overview.now) for each in found])


def _finding_words(finding: Finding, now: datetime) -> str:
    if finding.kind is Kind.STUCK:
        return f"{finding.text}: nobody sweeps: is a `fanfold serve` running?"
    if finding.kind is Kind.OVERDUE:
        return f"{finding.text}: is a `fanfold serve` running?"
    if finding.kind is Kind.REFUSED and finding.at is not None:
        return f"{finding.run_id}, {in_or_ago(finding.at, now)}: {finding.text}"
    return finding.text


def _listed(label: str, rows: Sequence[str]) -> Iterator[str]:
    for row in rows[:MOST_ROWS]:
        yield f"{label} {row}"
    if len(rows) > MOST_ROWS:
        yield f"{' ' * len(label)} and {len(rows) - MOST_ROWS} more"


def _run_words(run: Run | None, now: datetime) -> str:
    if run is None:
        return "no runs yet"
    mark = _MARKS.get(run.status.value, "…" if run.verdict is None else "✗")
    parts = [run.run_id, f"{mark} {run.about or run.status.value}"]
    if run.end_time is not None:
        parts.append(duration((run.end_time - run.start_time).total_seconds()))
    if run.retry_of is not None:
        parts.append(f"retry of {run.retry_of}")
    return "   ".join([*parts, in_or_ago(run.end_time or run.start_time, now)])


#: What is typed to start something: it needs all of the configuration.
_STARTING = frozenset({RETRY_WHAT_FAILED, RUN_WHAT_IS_DUE, RUN_OR_ANOTHER_FILE, FIRST_RUN})


def _next_words(overview: Overview) -> str:
    slot = overview.next_slot()
    if slot is None:
        if overview.catalogue is None:
            return "unknown"
        return "paused" if next_slots(overview.catalogue, overview.now) else "no schedule"
    return f"{slot_words(slot, overview.timezone)} ({in_or_ago(slot, overview.now)})"


def _following(overview: Overview) -> str:
    """Return the next command to type; none that starts something where it could not."""
    command = _command_for(overview)
    return CHECK_FIRST if overview.unread and command in _STARTING else command


def _command_for(overview: Overview) -> str:
    """Return the command for the heaviest finding."""
    heavy = [each for each in overview.health.findings if each.code == overview.health.code]
    if heavy and overview.health.code:
        first = heavy[0]
        if first.kind is Kind.REFUSED and first.run_id is not None:
            return status_of(first.run_id)
        return {
            Kind.ABSENT: RUN_OR_ANOTHER_FILE,
            Kind.UNREADABLE: CHECK,
            Kind.OVERDUE: RUN_WHAT_IS_DUE,
            Kind.STUCK: SWEEP_NOW,
        }.get(first.kind, RETRY_WHAT_FAILED)
    if overview.running:
        return status_of(overview.running[0].run_id)
    return FIRST_RUN if overview.latest is None else ""
