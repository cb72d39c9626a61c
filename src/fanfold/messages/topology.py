"""The one topology: topics, subscriptions, and which function each subscription feeds.

``topology.json`` beside this file is read here for the embedded host and the emulators, and by
Terraform for Google Cloud. Times are in seconds; 600 s is Pub/Sub's longest ack deadline, which is
also the longest a push delivery may take.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

#: Topics by what they carry; the names in topology.json, before any prefix.
RUN_REQUESTS = "run-requests"
COLLECTOR_JOBS = "collector-jobs"
COLLECTOR_RESULTS = "collector-results"
SWEEP_TICKS = "sweep-ticks"
RUN_REPORTS = "run-reports"
DEAD_LETTERS = "dead-letters"

#: The subscription to run-reports whose messages are told to the targets of ``notify``.
NOTIFICATIONS = "notifications"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription: what it reads, whom it feeds, and how patient it is.

    ``function`` is None where people or their own services read. ``max_delivery_attempts`` is
    how often a message is delivered before it becomes a dead letter; None on the dead letters.
    """

    name: str
    topic: str
    function: str | None
    ack_deadline_s: float
    min_backoff_s: float
    max_backoff_s: float
    max_delivery_attempts: int | None


@dataclass(frozen=True, slots=True)
class Topology:
    """All topics and subscriptions, by name."""

    topics: tuple[str, ...]
    subscriptions: Mapping[str, Subscription]

    def of_topic(self, topic: str) -> tuple[Subscription, ...]:
        """Return the subscriptions that a message on *topic* reaches."""
        return tuple(each for each in self.subscriptions.values() if each.topic == topic)

    def fed(self) -> tuple[Subscription, ...]:
        """Return the subscriptions that feed a function."""
        return tuple(each for each in self.subscriptions.values() if each.function is not None)


@cache
def topology() -> Topology:
    """Return the topology that ships with fanfold."""
    document = json.loads(files("fanfold.messages").joinpath("topology.json").read_text("utf-8"))
    return Topology(
        topics=tuple(document["topics"]),
        subscriptions={
            name: Subscription(name=name, **values)
            for name, values in document["subscriptions"].items()
        },
    )
