"""No more jobs on the topic than there are places for them, so that none is refused.

Cloud Run refuses a push for which it has no place, and Pub/Sub takes a refusal for a failure: it
slows the whole subscription, makes the message wait, and counts towards its dead letter. So the
dispatcher publishes as many jobs as there are places, and each of them *releases* one other: the
relay that is done with a collector publishes the job that this one releases. Nothing is counted
and nothing is stored for it: a repeat publishes the same job again, which changes nothing, and the
sweep finds what nobody released, because a relay died or its collector kept its place for long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.run import Entry, Job, Run


def chained(manifest: Sequence[Entry], catalogue: Catalogue) -> tuple[Entry, ...]:
    """Return *manifest* with its jobs in as many chains as there are places for them.

    A collector that waits for an earlier run stays outside: it would hold a place for nothing. So
    does one whose job goes by Cloud Tasks, which keeps to its own share of the places.
    """
    by_tasks = catalogue.travels_by_tasks()
    asked = [
        entry.name
        for entry in manifest
        if entry.skip is None and entry.queue_behind is None and not by_tasks(entry.name)
    ]
    follows = dict(zip(asked, asked[pushed_at_once(catalogue) :], strict=False))
    return tuple(replace(entry, releases=follows.get(entry.name)) for entry in manifest)


def pushed_at_once(catalogue: Catalogue) -> int:
    """Return how many jobs may be on the topic at once: at least 1.

    Where some collectors' jobs go by Cloud Tasks, each transport has its share of the places, by
    the number of its enabled collectors; the queue's is rounded down (``infra/tasks.tf``).
    """
    places = catalogue.max_concurrent_collectors
    enabled = [each.name for each in catalogue.collectors if each.enabled]
    by_tasks = sum(map(catalogue.travels_by_tasks(), enabled))
    if not 0 < by_tasks < len(enabled):
        return places
    return max(1, places - max(1, places * by_tasks // len(enabled)))


def released_by(manifest: Sequence[Entry]) -> Mapping[str, str]:
    """Return who releases a job, by collector; those that leave at once are not in it."""
    return {entry.releases: entry.name for entry in manifest if entry.releases is not None}


@dataclass(frozen=True, slots=True)
class Due:
    """What a sweep does about the jobs that are held back.

    Attributes:
        publish: Jobs whose place is free although nobody released them.
        note: Jobs that were released and not begun: from now on they may be found lost.
        leave_alone: Jobs that are held back, or were released only now: they are not lost.
        free: How many places are left; None where no job is held back, for each has a place.
    """

    publish: Sequence[str] = ()
    note: Sequence[str] = ()
    leave_alone: frozenset[str] = frozenset()
    free: int | None = None


def held_back(manifest: Sequence[Entry], jobs: Sequence[Job], run: Run) -> frozenset[str]:
    """Return the collectors whose jobs nobody has published yet, as far as the ledger tells."""
    known = {job.collector: job for job in jobs}
    return frozenset(
        name
        for name, by in released_by(manifest).items()
        if not _is_over(known.get(by)) and not _is_out(known.get(name), run)
    )


def due(manifest: Sequence[Entry], jobs: Sequence[Job], run: Run, now: datetime) -> Due:
    """Return what a sweep at *now* does about the jobs of *run* that are held back.

    The last of the chains come first: by the time that their turn comes they have their answers.
    """
    chains = released_by(manifest)
    members = {*chains, *chains.values()}
    held = held_back(manifest, jobs, run)
    out = [job for job in jobs if job.collector in members - held and not job.answered]
    free = len(members) - len(chains) - sum(_needs_a_place(job, now) for job in out)
    waiting = [entry.name for entry in reversed(manifest) if entry.name in held]
    note = [
        job.collector
        for job in out
        if job.collector in chains
        and not job.started
        and job.wait is None
        and not _was_published_later(job, run)
    ]
    publish = waiting[: max(0, free)]
    return Due(publish, note, held.union(note), free - len(publish) if chains else None)


def _is_over(job: Job | None) -> bool:
    """Return whether the relay of *job* has passed its place on, and done so for good.

    A job that waits for its source passes it on when it begins to wait.
    """
    return job is not None and (
        job.answered or job.accepted_until is not None or job.wait is not None
    )


def _is_out(job: Job | None, run: Run) -> bool:
    """Return whether somebody published *job*: a relay has seen it, or a sweep did or noted it."""
    was_seen = job is not None and (job.wait is not None or bool(job.attempts))
    return was_seen or _was_published_later(job, run)


def _needs_a_place(job: Job, now: datetime) -> bool:
    waits = job.not_before is not None and now < job.not_before
    return not waits and not job.is_waiting and job.accepted_until is None


def _was_published_later(job: Job | None, run: Run) -> bool:
    """Return whether a sweep published *job*, or noted that somebody did."""
    dispatched_at = run.dispatched_at
    return job is not None and dispatched_at is not None and job.published_at > dispatched_at
