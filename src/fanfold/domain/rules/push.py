"""How Google Cloud brings jobs to relays, as a model: what a night may take on each transport.

Nothing here is measured. Google states that push starts with few requests at once, and not how
many, nor how fast that grows: so there are sets of assumptions, :data:`WIDE`, :data:`HOPEFUL` and
:data:`CAUTIOUS`, and what really happens lies between them as far as anybody knows. Sources:
Pub/Sub, "push subscriptions" (slow start, push backoff), Cloud Run, "maximum number of instances"
(a request waits 10 s for a place, then is refused), Cloud Tasks, "queues".
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from fanfold.domain.model.collector import Transport


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the platform is taken to do.

    Attributes:
        first: Requests at once at which push begins. Google: "a small, single-digit number".
        kept_after_refusal: The part of the window that is left after a refusal, in [0, 1]; never
            less than ``first``.
        pause_s: Shortest and longest pause of the whole subscription after a refusal, in seconds.
            It doubles with each refusal in a row. Google: 100 ms to 60 s.
        cold_start_s: How long a new instance takes before it works, in seconds.
    """

    first: int
    kept_after_refusal: float
    pause_s: tuple[float, float]
    cold_start_s: float


#: Push has no slow start, as if it remembered a busy day: then refusals are what slows a night.
WIDE = Assumptions(first=1000, kept_after_refusal=1.0, pause_s=(0.1, 0.1), cold_start_s=2.0)

#: The best that Google's words about the slow start allow.
HOPEFUL = Assumptions(first=9, kept_after_refusal=0.5, pause_s=(0.1, 1.0), cold_start_s=1.0)

#: The worst that they allow.
CAUTIOUS = Assumptions(first=1, kept_after_refusal=0.0, pause_s=(0.1, 60.0), cold_start_s=8.0)

#: The assumptions by their names.
BY_NAME = {"wide": WIDE, "hopeful": HOPEFUL, "cautious": CAUTIOUS}

#: How long Cloud Run keeps a request for which it has no place, in seconds; then it answers 429.
CLOUD_RUN_QUEUE_S = 10.0


class PushWindow:
    """How many push requests a subscription has in flight at most.

    It grows by one with each acknowledgement, which doubles it each round, and shrinks with each
    refusal, after which nothing is pushed for a moment. Instants are seconds on any one clock.
    """

    def __init__(self, assumed: Assumptions) -> None:
        self.assumed = assumed
        self.size = float(assumed.first)
        #: Nothing is pushed before this instant.
        self.closed_until_s = 0.0
        self._refusals = 0

    def acknowledged(self) -> None:
        """A delivery was acknowledged."""
        self.size += 1
        self._refusals = 0

    def refused(self, now_s: float) -> None:
        """A delivery was refused, or its deadline passed."""
        self.size = max(float(self.assumed.first), self.size * self.assumed.kept_after_refusal)
        shortest_s, longest_s = self.assumed.pause_s
        pause_s = min(longest_s, shortest_s * 2.0 ** min(self._refusals, 30))
        self.closed_until_s = max(self.closed_until_s, now_s + pause_s)
        self._refusals += 1

    def takes(self, in_flight: int, now_s: float) -> bool:
        """Return whether one more request may leave."""
        return now_s >= self.closed_until_s and in_flight < int(self.size)


@dataclass(frozen=True, slots=True)
class Night:
    """What a night came to.

    Attributes:
        end_s: When the last collector had answered, in seconds after the first job was published.
        refusals: Requests that Cloud Run answered with 429.
        most_refusals: Of one job: its dead letter comes at the subscription's delivery attempts.
    """

    end_s: float
    refusals: int = 0
    most_refusals: int = 0


def night(
    lengths_s: Sequence[float],
    *,
    places: int,
    transport: Transport,
    assumed: Assumptions,
    backoff_s: tuple[float, float] = (10.0, 60.0),
    paced: bool = True,
) -> Night:
    """Return what the model makes of one run.

    Args:
        lengths_s: How long each call takes, in the order of publishing, in seconds.
        places: Calls that the relays carry at once, at least 1.
        transport: How the jobs travel.
        assumed: What the platform does.
        backoff_s: Shortest and longest wait of a refused message, in seconds.
        paced: Whether no more jobs are on the topic than there are places
            (:mod:`fanfold.domain.rules.pacing`); otherwise all are published at once.
    """
    if transport is Transport.CLOUD_TASKS:
        return Night(_exact_end_s(lengths_s, places, assumed))
    return _PushedNight(lengths_s, places, assumed, backoff_s, paced=paced).run()


def expected_ends(
    lengths_s: Sequence[float], *, places: int
) -> Mapping[Transport, tuple[float, float]]:
    """Return the shortest and the longest end of a paced night on each transport, in seconds.

    Arguments as of :func:`night`. They are those of all assumptions.
    """
    ends = {
        transport: [
            night(lengths_s, places=places, transport=transport, assumed=assumed).end_s
            for assumed in BY_NAME.values()
        ]
        for transport in Transport
    }
    return {transport: (min(each), max(each)) for transport, each in ends.items()}


def _exact_end_s(lengths_s: Sequence[float], places: int, assumed: Assumptions) -> float:
    """Return the end where whoever is next takes the first free place."""
    free_at_s = [assumed.cold_start_s] * places
    for length_s in lengths_s:
        heapq.heapreplace(free_at_s, free_at_s[0] + length_s)
    return max(free_at_s) if lengths_s else 0.0


class _PushedNight:
    """Plays one run, event by event, on a clock of its own."""

    def __init__(
        self,
        lengths_s: Sequence[float],
        places: int,
        assumed: Assumptions,
        backoff_s: tuple[float, float],
        *,
        paced: bool,
    ) -> None:
        self.lengths_s = lengths_s
        self.places = places
        self.cold_start_s = assumed.cold_start_s
        self.backoff_s = backoff_s
        self.window = PushWindow(assumed)
        self.refusals = [0] * len(lengths_s)
        at_first = places if paced else len(lengths_s)
        order = range(len(lengths_s))
        self.ready = deque(order[:at_first])
        self.unpublished = deque(order[at_first:])
        self.queued: deque[int] = deque()
        self.running = self.in_flight = self.started = 0
        self.now_s = self.end_s = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._counter = itertools.count()

    def run(self) -> Night:
        """Play to the end."""
        self._push()
        while self._events:
            self.now_s, _, happen = heapq.heappop(self._events)
            happen()
            self._push()
        return Night(self.end_s, sum(self.refusals), max(self.refusals, default=0))

    def _after(self, wait_s: float, happen: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now_s + wait_s, next(self._counter), happen))

    def _push(self) -> None:
        """Push what is ready, as far as the window allows."""
        while self.ready and self.window.takes(self.in_flight, self.now_s):
            job = self.ready.popleft()
            self.in_flight += 1
            if self.running < self.places:
                self._start(job)
            else:
                self.queued.append(job)
                self._after(CLOUD_RUN_QUEUE_S, partial(self._refuse, job))

    def _start(self, job: int) -> None:
        # Until all places were used once, each start may need a new instance.
        cold_s = self.cold_start_s if self.started < self.places else 0.0
        self.started += 1
        self.running += 1
        self._after(cold_s + self.lengths_s[job], self._answer)

    def _answer(self) -> None:
        self.running -= 1
        self.in_flight -= 1
        self.end_s = self.now_s
        self.window.acknowledged()
        if self.queued:
            self._start(self.queued.popleft())
        if self.unpublished:
            self.ready.append(self.unpublished.popleft())

    def _refuse(self, job: int) -> None:
        if job not in self.queued:
            return
        self.queued.remove(job)
        self.in_flight -= 1
        self.window.refused(self.now_s)
        shortest_s, longest_s = self.backoff_s
        wait_s = min(longest_s, shortest_s * 2.0 ** min(self.refusals[job], 30))
        self.refusals[job] += 1
        self._after(wait_s, partial(self.ready.append, job))
        # When the pause is over, run() pushes again: it does after each event.
        self._after(self.window.closed_until_s - self.now_s, lambda: None)
