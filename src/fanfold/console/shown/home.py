"""The first page: did the last slot go well, what needs somebody, what runs, what is next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fanfold.console.shown.attention import Group, attention, cause_of
from fanfold.console.shown.collectors import Known, known_of
from fanfold.console.shown.live import Strip, strip_of
from fanfold.console.shown.slots_grid import MAX_FLAT, SlotsGrid, grid_of
from fanfold.domain.model.run import Run
from fanfold.domain.rules.standing import State
from fanfold.domain.rules.verdict import MISSING, Kind
from fanfold.domain.syntax.durations import duration
from fanfold.domain.syntax.text import count, one_line, plural, weekday, zone
from fanfold.rendering.since import ordinal
from fanfold.views.overview import Overview


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure: its label, itself, what stands beside it, its sign, and the run that it opens."""

    label: str
    figure: str
    beside: str = ""
    icon: str = ""
    run_id: str = ""
    css: str = ""


@dataclass(frozen=True, slots=True)
class Home:
    """Everything on the page. ``mark`` stands before the headline where there are no colours."""

    icon: str
    mark: str
    headline: str
    facts: tuple[Fact, ...]
    strips: tuple[Strip, ...]
    attention: tuple[Group, ...]
    grid: SlotsGrid | None
    hint: str
    chips: tuple[tuple[str, str, bool], ...]
    foot: tuple[str, ...]
    unread: tuple[str, ...]


def home_of(overview: Overview, live: Sequence[Mapping[str, Any]]) -> Home:
    """Return the page.

    Args:
        overview: How everything stands.
        live: The reports so far of the runs under way.
    """
    known = known_of(overview, live)
    catalogue = overview.catalogue
    concurrency = catalogue.max_concurrent_collectors if catalogue else None
    strips = tuple(strip_of(report, concurrency) for report in live)
    last = last_slot_run(overview)
    groups = attention(overview, known)
    icon, headline = _headline(overview, known, strips, groups, last)
    return Home(
        icon=icon,
        mark={"ok": "✓", "run": "…"}.get(icon, "✗"),
        headline=headline,
        facts=tuple(_facts(overview, known, strips, last)),
        strips=strips,
        attention=tuple(groups),
        grid=grid_of(overview, known),
        hint=_hint(overview),
        chips=tuple(_chips(known)),
        foot=tuple(_foot(overview, known)),
        unread=tuple(one_line(each, 400) for each in overview.unread),
    )


def last_slot_run(overview: Overview) -> Run | None:
    """Return the newest run for a slot that is over, else the newest that is over, else None."""
    over = [run for run in overview.recent if run.verdict is not None and not run.is_notice]
    return next((run for run in over if run.scheduled_for is not None), over[0] if over else None)


def _headline(
    overview: Overview,
    known: Sequence[Known],
    strips: Sequence[Strip],
    groups: Sequence[Group],
    last: Run | None,
) -> tuple[str, str]:
    """Return the sign and the sentence that answer whether all is well."""
    health = overview.health
    if health.code >= MISSING:
        return "bad", health.sentence
    if strips:
        return "run", _running_words(strips)
    if last is None:
        return ("bad" if health.code else "ok"), health.sentence
    bad = [each for each in known if each.standing.is_bad]
    icon = "bad" if health.code else "ok"
    if not bad and health.code:  # something was refused, or a collector was not asked
        return icon, health.sentence
    return icon, f"{_share(last)} succeeded {when_words(last, overview)}" + _bad_words(bad, groups)


def _share(run: Run) -> str:
    summary = run.summary or {}
    asked = int(summary.get("total", run.total)) - int(summary.get("skipped", 0))
    good = int(summary.get("succeeded", 0))
    if good == asked:
        return "The one collector" if asked == 1 else f"All {count(asked)}"
    return f"{count(good)} of {count(asked)}"


def when_words(run: Run, overview: Overview) -> str:
    """Return ``last night at 05:21``, ``today at 14:31``, ``on Fri 20 Nov at 14:31``."""
    end = run.end_time or run.start_time
    there, now = (each.astimezone(zone(overview.timezone)) for each in (end, overview.now))
    days = (now.date() - there.date()).days
    if days == 0:
        return f"{'last night' if there.hour < 8 <= now.hour else 'today'} at {there:%H:%M}"
    if days == 1:
        return f"{'last night' if there.hour >= 20 else 'yesterday'} at {there:%H:%M}"
    day, number, month, clock = weekday(end, overview.timezone).split()
    return f"on {day} {number} {month} at {clock}"


def _bad_words(bad: Sequence[Known], groups: Sequence[Group]) -> str:
    """Return ``: plu failed for the 3rd slot``, or how many are new and how many are not."""
    if not bad:
        return ""
    if len(bad) == 1:
        one = bad[0].standing
        if one.state is State.STILL:
            place = f"{ordinal(one.slots)} slot" if one.slots > 1 else f"{ordinal(one.runs)} run"
            return f": {bad[0].name} {one.word} for the {place}"
        return f": {bad[0].name} {one.word}, {_lower(cause_of(bad[0]))}"
    new = [each for each in bad if each.standing.state is State.NEW]
    parts = [plural(len(new), "new failure")] if new else []
    parts += [f"{count(len(bad) - len(new))} still failing"] if len(bad) > len(new) else []
    names = f" ({', '.join(each.name for each in bad)})" if len(bad) <= 3 else ""
    return f": {', '.join(parts)}{names}{_shared_words(groups, new)}"


def _shared_words(groups: Sequence[Group], new: Sequence[Known]) -> str:
    """Return ``, 12 of them api.insee.fr answered 503``: the cause of most that are new."""
    causes = [item for group in groups if group.title == "New" for item in group.items]
    if len(new) < 4 or not causes or len(causes[0].retried) * 2 < len(new):
        return ""
    return f", {count(len(causes[0].retried))} of them: {causes[0].bold}"


def _lower(text: str) -> str:
    return one_line(text, 120)


def _running_words(strips: Sequence[Strip]) -> str:
    first = strips[0]
    what = "A retry" if first.of else "The run"
    failed = ", ".join(first.failed[:2])
    if len(first.failed) > 2:
        failed = f"{count(len(first.failed))} collectors"
    verb = "has" if len(first.failed) == 1 else "have"
    words = f"{what} is at {count(first.done)} of {count(first.asked)}"
    words += f", {failed} {verb} failed" if first.failed else ""
    words += f"; it ends about {first.ends}" if first.ends else ""
    return words + (f"; {plural(len(strips) - 1, 'more run')} under way" if strips[1:] else "")


def _facts(
    overview: Overview, known: Sequence[Known], strips: Sequence[Strip], last: Run | None
) -> list[Fact]:
    facts = [_last_fact(overview, last)] if last else []
    facts.append(_missing(overview, known))
    if strips:
        first = strips[0]
        names = [lane.name for lane in first.lanes]
        what = names[0] if len(names) == 1 else ("a retry" if first.of else "a run")
        facts.append(Fact("Running", what, f"{count(first.done)} of {count(first.asked)} done"))
    else:
        facts.append(Fact("Running", "nothing"))
    slot = overview.next_slot()
    if slot is None:
        unknown = "unknown" if overview.catalogue is None else "nothing is scheduled"
        facts.append(Fact("Next", unknown))
    else:
        left = duration(max(0.0, (slot - overview.now).total_seconds()))
        facts.append(Fact("Next", weekday(slot, overview.timezone), f"in {left}"))
    return facts


def _last_fact(overview: Overview, last: Run) -> Fact:
    took = ""
    if last.end_time is not None:
        took = f", took {duration((last.end_time - last.start_time).total_seconds())}"
    end = weekday(last.end_time or last.start_time, overview.timezone)
    icon = "ok" if last.status == "succeeded" else "off" if last.status == "cancelled" else "bad"
    label = "Last slot" if last.scheduled_for else "Last run"
    return Fact(label, _share(last).lower(), f"ended {end}{took}", icon, last.run_id)


def _missing(overview: Overview, known: Sequence[Known]) -> Fact:
    overdue = [each for each in overview.health.findings if each.kind is Kind.OVERDUE]
    stale = sum(each.is_stale for each in known)
    missed = [
        slot.at for each in known for slot in each.own_slots[-30:] if slot.figures.outcome == "m"
    ]
    last = f"last missed slot {weekday(max(missed), overview.timezone)}" if missed else ""
    if overdue:
        return Fact("Missing", plural(len(overdue), "slot"), css="bad")
    if stale:
        return Fact("Missing", f"{count(stale)} stale", last or "no slot missed", css="warn")
    return Fact("Missing", "nothing", last)


def _chips(known: Sequence[Known]) -> Iterator[tuple[str, str, bool]]:
    """Give what the grid can be narrowed to, where there are too many to show each."""
    if len(known) <= MAX_FLAT:
        return
    yield "failing first", "/", True
    for word, number in (
        ("failing", sum(each.standing.is_bad for each in known)),
        ("stale", sum(each.is_stale for each in known)),
        ("running", sum(each.is_running for each in known)),
        ("all", len(known)),
    ):
        if number:
            yield f"{word} {count(number)}", f"/collectors?only={word}", False


def _hint(overview: Overview) -> str:
    words = ["newest on the right", "runs by hand are circles between the slots"]
    if overview.catalogue is not None:
        crons = {each.cron for each in overview.catalogue.collectors if each.enabled and each.cron}
        if len(crons) == 1:
            words.insert(0, f"{overview.catalogue.schedule}, {crons.pop()}")
    return " · ".join(words)


def _foot(overview: Overview, known: Sequence[Known]) -> list[str]:
    foot = [plural(len(known), "collector")]
    if overview.catalogue is not None:
        foot.append(f"times in {overview.timezone}")
        foot.append(f"configuration {overview.catalogue.version[:15]}")
    return [*foot, one_line(overview.place, 200)]
