"""Announce: from the event of a run to the message for people, or to silence."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from fanfold.app.proof_of_life import announce_life
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.run import Answer, Run
from fanfold.domain.model.states import Outcome, RunStatus
from fanfold.domain.report.announcement import Announcement, announce_changes, announce_sentence
from fanfold.domain.report.causes import titles
from fanfold.domain.report.entries import answered_entry
from fanfold.domain.rules.groups import tolerated
from fanfold.domain.rules.news import Change, News, Remind, change_of
from fanfold.messages import events
from fanfold.messages.events import RunEvent
from fanfold.ports.ledger import Ledger

#: How many of the slots that were missed together a message lists.
_SLOTS_SHOWN = 10

#: The word of ``notify.on`` that lets people hear of each kind of news.
_WORDS = {News.NEW: "failed", News.STILL: "failed", News.RECOVERED: "recovered"}


def announcement_of(event: RunEvent, ledger: Ledger, catalogue: Catalogue) -> Announcement | None:
    """Return what people are told of *event*, None if nothing changed that they asked to hear of.

    Args:
        event: Finished, missed or refused. A later revision of a report is no news.
        ledger: What is remembered of the collectors.
        catalogue: Its ``notify`` says what people hear, when again, and where links lead.
    """
    notify = catalogue.notify
    on = frozenset(notify.get("on", ()))
    about = str(event.document.get("about", ""))
    if event.kind == events.PROOF_OF_LIFE:
        return announce_life(event, ledger, catalogue)
    if event.kind == events.RUN_MISSED:
        return _of_missed(event, about) if "missed" in on else None
    if event.kind == events.RUN_REJECTED:
        look = f"What it says:\n    fanfold status {event.run_id}"
        return announce_sentence("✗", f"refused: {about}", look) if "rejected" in on else None
    run = ledger.run(event.run_id)
    if run is None or event.document.get("revision") != 1:
        return None
    return _of_finished(run, event, about, ledger, notify)


def _of_missed(event: RunEvent, about: str) -> Announcement | None:
    """Return what is said of a missed slot; those that were missed together are one message."""
    slots = event.document.get("slots") or [event.document.get("scheduled_for")]
    if event.document.get("scheduled_for") != slots[-1]:
        return None
    more, now = [], f"To make up for it:\n    fanfold run --slot {_typed(slots[-1])}"
    if len(slots) > 1:
        now = f"To make up for them:\n    fanfold backfill {_typed(slots[0])} {_typed(slots[-1])}"
        about = f"missed: no run came for {len(slots)} slots, {_minute(slots[0])} to "
        about += f"{_minute(slots[-1])} UTC"
        shown = [f"    {_minute(slot)} UTC" for slot in slots[-_SLOTS_SHOWN:]]
        left = len(slots) - len(shown)
        more = ["\n".join(["Slots:", *([f"    {left} earlier ones"] if left else []), *shown])]
    return announce_sentence("▢", about, *more, now)


def _minute(slot: object) -> str:
    """Return ``2026-11-24 02:15`` of an instant as events write it."""
    return str(slot)[:16].replace("T", " ")


def _typed(slot: object) -> str:
    """Return the instant as one types it: ``2026-11-24T02:15Z``."""
    return f"{str(slot)[:16]}Z"


def _link(report: str, run: Run, notify: Mapping[str, Any]) -> str:
    """Return where people read the *report*, which is stored at the place of that name."""
    base = notify.get("links")
    return f"{base}/{run.run_id}/{report.rpartition('/')[2]}" if base and report else report


def _of_finished(
    run: Run, event: RunEvent, about: str, ledger: Ledger, notify: Mapping[str, Any]
) -> Announcement | None:
    on = frozenset(notify.get("on", ()))
    answers = {each.collector: each for each in ledger.answers(run.run_id)}
    report = _link(str(event.document.get("report") or ""), run, notify)
    changes = [each for each in _changes(run, answers, ledger, notify) if _WORDS[each.news] in on]
    if changes:
        return announce_changes(run, changes, _causes(run, answers, ledger), report)
    where = [f"Report: {report}"] if report else []
    if run.status is RunStatus.CANCELLED and "cancelled" in on:
        return announce_sentence("✗", about, *where)
    if run.status is RunStatus.SUCCEEDED and "succeeded" in on:
        return announce_sentence("✓", about, *where)
    # No collector can be blamed: the run itself went wrong.
    is_news = run.status is RunStatus.FAILED and not answers and "failed" in on
    return announce_sentence("✗", about, *where) if is_news else None


def _causes(run: Run, answers: Mapping[str, Answer], ledger: Ledger) -> Mapping[str, str]:
    """Return why collectors failed, called as in the report."""
    entries = {entry.name: entry for entry in ledger.manifest(run.run_id)}
    return titles(
        (name, answered_entry(entries[name], answer))
        for name, answer in answers.items()
        if answer.error is not None and name in entries
    )


def _changes(
    run: Run, answers: Mapping[str, Answer], ledger: Ledger, notify: Mapping[str, Any]
) -> list[Change]:
    after, every_s = notify.get("remind", (3, 7 * 86_400.0))
    remind = Remind(after, timedelta(seconds=every_s))
    past_runs = ledger.past_runs(list(answers))
    quiet = _tolerated(run, answers, ledger)
    changes = []
    for name, answer in answers.items():
        past = past_runs.get(name, ())
        if any(each.run_id == run.run_id for each in past):
            change = change_of(run.run_id, past, remind)
        elif answer.outcome in (Outcome.FAILED, Outcome.TIMED_OUT):
            # The memory could not be kept: better told once too often than never.
            change = Change(name, News.NEW, 1, answer.end_time)
        else:
            change = None
        if change is not None and not (name in quiet and change.news is not News.RECOVERED):
            changes.append(change)
    return changes


def _tolerated(run: Run, answers: Mapping[str, Answer], ledger: Ledger) -> Collection[str]:
    """Return whose failure its group tolerates: nobody need hear of it."""
    bad = [each for each in answers.values() if each.outcome is not Outcome.SUCCEEDED]
    if not bad or len(bad) == len(answers):
        return ()
    groups = {entry.name: entry.spec.group for entry in ledger.manifest(run.run_id)}
    succeeded = {name for name, each in answers.items() if each.outcome is Outcome.SUCCEEDED}
    return tolerated(groups, succeeded).keys()
