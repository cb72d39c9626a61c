"""How long a night may take on Google Cloud, by either transport, in words."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from fanfold.domain.model.collector import Catalogue, CollectorSpec, Mode, Transport
from fanfold.domain.model.run import Entry
from fanfold.domain.rules.push import expected_ends
from fanfold.domain.syntax.durations import duration

#: What the call of an asynchronous collector is taken to last, in seconds: it only accepts.
ACCEPTING_S = 2.0

_NAMES = {Transport.PUBSUB: "Pub/Sub", Transport.CLOUD_TASKS: "Cloud Tasks"}


def lengths_by_timeout(catalogue: Catalogue) -> Sequence[float]:
    """Return how long each enabled collector's call may take, in seconds."""
    return [_length_s(each.spec) for each in catalogue.collectors if each.enabled]


def lengths_by_history(manifest: Sequence[Entry]) -> Sequence[float]:
    """Return how long the calls of a plan take, as they last did or as their timeouts allow."""
    return [_length_s(entry.spec, entry.past.seconds) for entry in manifest if entry.skip is None]


def night_lines(lengths_s: Sequence[float], catalogue: Catalogue, *, basis: str) -> Sequence[str]:
    """Return when a night of calls of *lengths_s* may end, and which transport to choose.

    Args:
        lengths_s: How long each call takes, in seconds.
        catalogue: Says how many are called at once, how long a run may take, and the transport.
        basis: What the lengths are, as in ``by their timeouts``.
    """
    if not lengths_s:
        return []
    ends = expected_ends(lengths_s, places=catalogue.max_concurrent_collectors)
    told = ", ".join(f"{_NAMES[each]} {_range(*ends[each])}" for each in Transport)
    lines = [f"a night {basis}: {told} (a model; docs/deploy.md)"]
    limit_s = catalogue.run_timeout_s
    by_tasks = catalogue.travels_by_tasks()
    pushes = any(each.enabled and not by_tasks(each.name) for each in catalogue.collectors)
    if pushes and ends[Transport.PUBSUB][1] > limit_s:
        if ends[Transport.CLOUD_TASKS][1] <= limit_s:
            cure = "scheduler.use_cloud_tasks: true ends in time"
        else:
            cure = "raise it, or max_concurrent_collectors"
        lines.append(f"! over Pub/Sub it may pass run_timeout ({duration(limit_s)}): {cure}")
    return lines


def _length_s(spec: CollectorSpec, past_s: Sequence[float] = ()) -> float:
    """Return how long a call holds its place: one that only accepts does so for a moment."""
    if spec.mode is Mode.ASYNC:
        return ACCEPTING_S
    return median(past_s) if past_s else spec.timeout_s


def _range(shortest_s: float, longest_s: float) -> str:
    shortest, longest = duration(shortest_s), duration(longest_s)
    return shortest if shortest == longest else f"{shortest} to {longest}"
