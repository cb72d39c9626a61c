"""``python -m tools.push_nights``: the table of docs/deploy.md, how long a night may take.

The figures come from the model of :mod:`fanfold.domain.rules.push`, not from a project.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fanfold.domain.model.collector import Transport
from fanfold.domain.rules.push import CAUTIOUS, HOPEFUL, WIDE, Assumptions, night

#: Collectors, places for them, and how long each call takes, in seconds.
NIGHTS = tuple(
    (collectors, places, length_s)
    for collectors, places in ((4, 4), (80, 80), (500, 80))
    for length_s in (2.0, 60.0, 540.0)
)

#: How jobs can travel, each with what the columns show.
WAYS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("all at once", {"transport": Transport.PUBSUB, "paced": False, "backoff_s": (10.0, 600.0)}),
    ("as places are free", {"transport": Transport.PUBSUB}),
    ("Cloud Tasks", {"transport": Transport.CLOUD_TASKS}),
)


def table() -> Iterator[str]:
    """Give the table's lines."""
    heads = ["collectors", "each", *(name for name, _ in WAYS)]
    yield f"| {' | '.join(heads)} |"
    yield "|---:|---:" + "|---" * len(WAYS) + "|"
    for collectors, places, length_s in NIGHTS:
        cells = [f"{collectors}, {places} at a time", _length(length_s)]
        for _, how in WAYS:
            ends = [
                night([length_s] * collectors, places=places, assumed=assumed, **how)
                for assumed in _assumptions(how["transport"])
            ]
            shortest_s, longest_s = min(e.end_s for e in ends), max(e.end_s for e in ends)
            refusals = max(each.refusals for each in ends)
            told = f", {refusals} refused" if refusals else ""
            cells.append(f"{_length(shortest_s)} to {_length(longest_s)}{told}")
        yield f"| {' | '.join(cells)} |"


def _assumptions(transport: Transport) -> tuple[Assumptions, ...]:
    return (HOPEFUL, CAUTIOUS) if transport is Transport.CLOUD_TASKS else (WIDE, HOPEFUL, CAUTIOUS)


def _length(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


if __name__ == "__main__":
    print("\n".join(table()))
