"""Proof of life: once a week people hear that fanfold lives, also when all is well.

``notify.proof_of_life: weekly`` asks for it. The sweep publishes the event on Monday at 08:00, in
the zone of the schedules. Where nothing swept all day no event comes, which is the news.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.run import Run
from fanfold.domain.model.states import RunStatus
from fanfold.domain.report.announcement import Announcement, announce_sentence
from fanfold.domain.rules import schedule
from fanfold.domain.rules.standing import standing_of
from fanfold.domain.syntax.text import listed, plural, weekday
from fanfold.messages import events, records, topology
from fanfold.messages.events import RunEvent
from fanfold.ports.bus import Bus
from fanfold.ports.ledger import Ledger

#: When it is due, as a cron.
DUE = "0 8 * * 1"

#: How long after that it is still published, if nobody did: a day.
_WITHIN = timedelta(days=1)

#: What it tells of, and how many runs of that are read at most.
_WEEK, _MOST_RUNS = timedelta(days=7), 2000

#: How many names a message lists.
_NAMED = 10


def publish_if_due(catalogue: Catalogue, ledger: Ledger, bus: Bus, now: datetime) -> bool:
    """Publish the event of this week if it is due and nobody did; return whether it was published.

    It is published before that is remembered: a crash in between repeats the event, whose id stays
    the same, so that nobody hears it twice.
    """
    if catalogue.notify.get("proof_of_life") is None:
        return False
    due = schedule.last_fire(DUE, catalogue.timezone, now)
    if due is None or now - due >= _WITHIN:
        return False
    event = events.encode_proof_of_life(due - _WEEK, due)
    mark = f"{event.attributes['ce-id']} published"
    if ledger.is_told(events.ALIVE, mark):
        return False
    bus.publish(topology.RUN_REPORTS, [event])
    ledger.mark_told(events.ALIVE, mark, now)
    return True


def announce_life(event: RunEvent, ledger: Ledger, catalogue: Catalogue) -> Announcement:
    """Return the message of the week that *event* names: how it was, and what fails now."""
    since, until = (records.instant(str(event.document[key])) for key in ("since", "until"))
    runs = ledger.runs_between(since, until, _MOST_RUNS)
    enabled = [each.name for each in catalogue.collectors if each.enabled]
    past = ledger.past_runs(enabled)
    failing = [name for name in enabled if standing_of(past.get(name, ())).is_bad]
    words = f"{plural(len(failing), 'collector')} failing" if failing else "nothing is failing"
    zone = catalogue.timezone
    lines = [f"{weekday(since, zone)} to {weekday(until, zone)} {zone}", _counts(runs)]
    if failing:
        lines.append(f"failing: {listed(failing, _NAMED)}; fanfold status")
    following = schedule.next_slots(catalogue, until)
    lines += [f"next slot: {weekday(following[0], zone)}"] if following else []
    end = "This comes every Monday at 08:00. If it does not come, look: fanfold status"
    mark = "✗" if failing else "✓"
    title = f"fanfold is alive: {_slots(runs)}, {words}"
    return announce_sentence(mark, title, "\n".join(lines), end)


def _slots(runs: Sequence[Run]) -> str:
    """Return how many slots succeeded, each by the best of its runs."""
    slots = {run.scheduled_for for run in runs if run.scheduled_for}
    good = {
        run.scheduled_for for run in runs if run.scheduled_for and run.status is RunStatus.SUCCEEDED
    }
    return f"{len(good)} of {plural(len(slots), 'slot')} succeeded" if slots else "no slot came"


def _counts(runs: Sequence[Run]) -> str:
    ran = [run for run in runs if not run.is_notice]
    by_hand = sum(run.scheduled_for is None for run in ran)
    missed = sum(run.status is RunStatus.MISSED for run in runs)
    refused = sum(run.status is RunStatus.REJECTED for run in runs)
    return (
        f"{plural(len(ran), 'run')}, {by_hand} by hand; {plural(missed, 'missed slot')}; "
        f"{plural(refused, 'refused request')}"
    )
