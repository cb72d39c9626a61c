"""Whether every answer of a run is there. Firestore counts the stored answers; no counter is kept.

A count that begins after an answer was created sees that answer. So of the last two answers at
least one sees the full set. Handlers that run at the same time share one count.

A run of more than five hundred collectors is counted by bucket. One that is not full says no.
Whoever finds none has counted every one of them, or knows it to be full: answers are never taken
away. A full bucket has a mark, for people and for older versions that counted the marks.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from fanfold.adapters.google.ledger.run_cache import RUN_WRITER, CachedRun, RunCache
from fanfold.adapters.google.ledger.store import Store, condition
from fanfold.adapters.single_flight import SingleFlight

#: The shortest time between the beginnings of two counts of one run, in seconds: what comes
#: meanwhile shares the next one. Runs of so few collectors do not wait.
GATHER_S, FEW = 0.2, 20


@dataclass
class _Counted:
    """What this process knows of one run: the buckets that are full.

    ``next`` is the bucket that was not full when it was last counted: the first one to count.
    ``counted_at`` is when the last count began, in seconds on the monotonic clock.
    """

    full: set[int] = field(default_factory=set)
    next: int = 0
    counted_at: float = float("-inf")
    is_full: bool = False


class Counting:
    """Counts answers, for all threads of a process."""

    def __init__(self, store: Store, cache: RunCache) -> None:
        self._store = store
        self._cache = cache
        self._lock = Lock()
        self._runs = WeakKeyDictionary[CachedRun, _Counted]()
        self._shared = SingleFlight[bool]()

    def is_full(self, cached: CachedRun, asked: int) -> bool:
        """Return whether *asked* answers are stored, seeing every one stored before this call."""
        with self._lock:
            # Answers are never taken away: a full set stays full.
            if self._of(cached).is_full and asked <= len(cached.asked):
                return True
        if asked != len(cached.asked) or not cached.buckets.sizes:
            full = self._shared.ask((cached, asked), lambda: self._count_all(cached) >= asked)
        else:
            full = self._shared.ask((cached, None), lambda: self._count_buckets(cached))
        if full and asked == len(cached.asked):
            with self._lock:
                self._of(cached).is_full = True
        return full

    def _gather(self, cached: CachedRun) -> None:
        """Wait until a count of the run is worth its price."""
        if len(cached.asked) <= FEW:
            return
        with self._lock:
            counted = self._of(cached)
            now = time.monotonic()
            at = max(now, counted.counted_at + GATHER_S)
            counted.counted_at = at
        time.sleep(at - now)

    def _count_all(self, cached: CachedRun) -> int:
        self._gather(cached)
        return self._store.count(self._own(cached, "answers"))

    def _count_buckets(self, cached: CachedRun) -> bool:
        """Count buckets until one is not full. One flight at a time for each run."""
        self._gather(cached)
        sizes = cached.buckets.sizes
        with self._lock:
            counted = self._of(cached)
        full: set[int] = set()
        try:
            for bucket in sorted(sizes.keys() - counted.full, key=lambda one: one != counted.next):
                if self._count(cached, bucket) < sizes[bucket]:
                    counted.next = bucket
                    return False
                full.add(bucket)
            return True
        finally:
            self._mark(cached, full)
            counted.full |= full

    def _count(self, cached: CachedRun, bucket: int) -> int:
        answers = self._own(cached, "answers")
        return self._store.count(answers.where(filter=condition("bucket", "==", bucket)))

    def _mark(self, cached: CachedRun, full: set[int]) -> None:
        """Leave a mark for each full bucket. Whoever does it again writes the same."""
        if not full:
            return
        batch = self._store.batch()
        for bucket in sorted(full):
            size = cached.buckets.sizes[bucket]
            about = f"all {size} answers of bucket {bucket} are stored"
            mark = {"about": about, "answers": size, "expires_at": cached.run.expires_at}
            batch.set(self._below(cached, "marks").document(f"{bucket:05}"), cached.marked(mark))
        self._store.commit(batch)

    def _own(self, cached: CachedRun, name: str) -> Any:
        """Return the query for the documents below the run that are not an earlier run's.

        Conditions of equality need no index but those that each field has by itself.
        """
        below = self._below(cached, name)
        if cached.run_writer is None:
            return below
        return below.where(filter=condition(RUN_WRITER, "==", cached.run_writer))

    def _below(self, cached: CachedRun, name: str) -> Any:
        return self._cache.document(cached.run.run_id).collection(name)

    def _of(self, cached: CachedRun) -> _Counted:
        return self._runs.setdefault(cached, _Counted())
