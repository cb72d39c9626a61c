"""What a host has room for, and what wakes it when there is more."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from fanfold.adapters.embedded.lane import Lane
from fanfold.adapters.embedded.leases import LeasedMessage, PullRequest, Settlement
from fanfold.messages.topology import COLLECTOR_JOBS, Topology

#: How long a message stays leased without an extension, in seconds.
LEASE_S = 20.0

#: Most messages that wait for a function's worker: it need not wait for a commit each.
HANDFUL = 16


class Wants:
    """Says what a host has room for.

    Args:
        topology: Which subscriptions feed which functions.
        functions: The names of those that the host calls.
        lane: Works on the jobs of collectors, if the host has one.
    """

    def __init__(self, topology: Topology, functions: frozenset[str], lane: Lane | None) -> None:
        self.topology = topology
        self.functions = functions
        self.lane = lane

    def after(
        self, in_hand: Mapping[int, LeasedMessage], done: Sequence[Settlement]
    ) -> list[PullRequest]:
        """Return what there is room for beside what is *in_hand*, once *done* is settled."""
        settled = {each.held.position for each in done}
        busy = Counter(
            self.function_of(held.delivery.subscription)
            for position, held in in_hand.items()
            if position not in settled
        )
        wants = []
        for subscription in self.topology.fed():
            name = self.function_of(subscription.name)
            lane = self.lane if self.is_job(subscription.name) else None
            if lane is None and name not in self.functions:
                continue
            free = (lane.places if lane else HANDFUL) - busy[name]
            if free > 0:
                limit = lane.shared_limit if lane else None
                wants.append(PullRequest(subscription.name, free, limit, LEASE_S))
        return wants

    def is_job(self, subscription: str) -> bool:
        """Return whether the messages of *subscription* go to the lane."""
        return self.lane is not None and subscription == COLLECTOR_JOBS

    def function_of(self, subscription: str) -> str:
        """Return the name of the function that works the messages of *subscription*."""
        if subscription in self.functions:
            return subscription
        return self.topology.subscriptions[subscription].function or ""


class Stirred(threading.Event):
    """An event that is seen by who waits for something else: *wake* is called when it is set."""

    def __init__(self, wake: Callable[[], None]) -> None:
        super().__init__()
        self._wake = wake

    def set(self) -> None:
        """Set it, and wake."""
        super().set()
        self._wake()
