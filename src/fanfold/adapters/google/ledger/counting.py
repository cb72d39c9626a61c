"""Whether every answer of a run is there. Firestore counts the stored answers; no counter is kept.

A count that begins after an answer was created sees that answer. So of the last two answers at
least one sees the full set. Handlers that run at the same time share one count.

A run of more than five hundred collectors is counted by bucket. Whoever sees a bucket full writes a
mark for it. The marks are counted in the same way: whoever writes the last one sees them all.
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

#: How often a process counts every bucket of a run, in seconds. In between it counts the buckets
#: whose answers it saw. So it finds a full bucket that another process left without a mark.
FULL_LOOK_EVERY_S = 30.0


@dataclass
class _Counted:
    """What this process knows of one run: the buckets to count and those that are full.

    ``looked_at`` is when it counted every bucket, in seconds on the monotonic clock.
    """

    to_count: set[int] = field(default_factory=set)
    full: set[int] = field(default_factory=set)
    looked_at: float = float("-inf")
    is_full: bool = False


class Counting:
    """Counts answers, for all threads of a process."""

    def __init__(self, store: Store, cache: RunCache) -> None:
        self._store = store
        self._cache = cache
        self._lock = Lock()
        self._runs = WeakKeyDictionary[CachedRun, _Counted]()
        self._shared = SingleFlight[bool]()

    def touched(self, cached: CachedRun, collector: str) -> None:
        """Note that an answer of *collector* was seen stored: its bucket may be full now."""
        bucket = cached.buckets.of(collector)
        if bucket is None:
            return
        with self._lock:
            counted = self._of(cached)
            if bucket not in counted.full:
                counted.to_count.add(bucket)

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

    def _count_all(self, cached: CachedRun) -> int:
        return self._store.count(self._own(cached, "answers"))

    def _count_buckets(self, cached: CachedRun) -> bool:
        """Count the buckets that may be full, mark those that are, and count the marks.

        One at a time for each run (see :class:`SingleFlight`), so that a bucket taken off the list
        here is counted before anybody who waits is told.
        """
        sizes = cached.buckets.sizes
        with self._lock:
            counted = self._of(cached)
            looks = time.monotonic() - counted.looked_at >= FULL_LOOK_EVERY_S
            buckets = (set(sizes) if looks else set(counted.to_count)) - counted.full
            counted.to_count -= buckets
        try:
            full = {bucket for bucket in buckets if self._count(cached, bucket) >= sizes[bucket]}
            self._mark(cached, full)
        except BaseException:
            with self._lock:
                counted.to_count |= buckets
            raise
        with self._lock:
            counted.full |= full
            if looks:
                counted.looked_at = time.monotonic()
        return self._store.count(self._own(cached, "marks")) >= len(sizes)

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
