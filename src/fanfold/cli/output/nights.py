"""How long a night may take on Google Cloud, by either transport, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from fanfold.domain.model.collector import Catalogue, Mode, Transport
from fanfold.domain.model.run import Entry
from fanfold.domain.rules.push import expected_ends
from fanfold.domain.syntax.durations import duration

#: What the call of an asynchronous collector is taken to last, in seconds: it only accepts.
ACCEPTING_S = 2.0

_NAMES = {Transport.PUBSUB: "Pub/Sub", Transport.CLOUD_TASKS: "Cloud Tasks"}


def lengths_by_timeout(catalogue: Catalogue) -> Sequence[float]:
    """Return how long each enabled collector's call may take, in seconds."""
    return [
        ACCEPTING_S if each.spec.mode is Mode.ASYNC else each.spec.timeout_s
        for each in catalogue.collectors
        if each.enabled
    ]


def lengths_by_history(manifest: Sequence[Entry]) -> Sequence[float]:
    """Return how long the calls of a plan take, as they last did or as their timeouts allow."""
    return [
        median(entry.past.seconds) if entry.past.seconds else entry.spec.timeout_s
        for entry in manifest
        if entry.skip is None
    ]


def night_lines(lengths_s: Sequence[float], catalogue: Catalogue, *, basis: str) -> Sequence[str]:
    """Return when a night of calls of *lengths_s* may end, and which transport to choose.

    Args:
        lengths_s: How long each call takes, in seconds.
        catalogue: Says how many are called at once, how long a run may take, and the transport.
        basis: What the lengths are, as in ``by their timeouts``.
    """
    if not lengths_s:
        return []
    ends = night_ends(lengths_s, catalogue)
    told = ", ".join(f"{_NAMES[each]} {_range(*ends[each])}" for each in Transport)
    lines = [f"a night {basis}: {told} (a model; docs/deploy.md)"]
    limit_s = catalogue.run_timeout_s
    is_late = ends[Transport.PUBSUB][1] > limit_s
    if is_late and not catalogue.use_cloud_tasks:
        if ends[Transport.CLOUD_TASKS][1] <= limit_s:
            cure = "scheduler.use_cloud_tasks: true ends in time"
        else:
            cure = "raise it, or max_concurrent_collectors"
        lines.append(f"! over Pub/Sub it may pass run_timeout ({duration(limit_s)}): {cure}")
    return lines


def night_ends(
    lengths_s: Sequence[float], catalogue: Catalogue
) -> Mapping[Transport, tuple[float, float]]:
    """Return the shortest and longest expected end on each transport, in seconds."""
    return expected_ends(lengths_s, places=catalogue.max_concurrent_collectors)


def _range(shortest_s: float, longest_s: float) -> str:
    shortest, longest = duration(shortest_s), duration(longest_s)
    return shortest if shortest == longest else f"{shortest} to {longest}"
