"""Whether every answer of a run is there: counted by the store, after the fact, never kept.

A count that begins after an answer's create sees it, so of the last two answers at least one sees
the full set. Handlers side by side share one count. Above five hundred collectors the answers are
counted by bucket; a bucket that was seen full leaves a mark, created once, and the marks are
counted the same way: whoever leaves the last one sees them all.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from fanfold.adapters.google.ledger.run_cache import CachedRun, RunCache
from fanfold.adapters.google.ledger.store import Store, condition
from fanfold.adapters.single_flight import SingleFlight

#: How often a process looks at every bucket of a run, in seconds, and not only at those whose
#: answers it saw: what another process left undone is then found.
FULL_LOOK_EVERY_S = 30.0

#: Runs of which a process remembers what it counted.
KEPT_RUNS = 64


@dataclass
class _Counted:
    """What this process knows of one run: buckets to count, those seen full, the last look."""

    to_count: set[int] = field(default_factory=set)
    full: set[int] = field(default_factory=set)
    looked_at: float = float("-inf")
    is_full: bool = False


class Counting:
    """Counts answers, for all threads of a process."""

    def __init__(self, store: Store, heads: RunCache) -> None:
        self._store = store
        self._heads = heads
        self._lock = Lock()
        self._runs: dict[str, _Counted] = {}
        self._shared = SingleFlight[bool]()

    def touched(self, head: CachedRun, collector: str) -> None:
        """Note that an answer of *collector* was seen stored: its bucket may be full now."""
        bucket = head.buckets.of(collector)
        if bucket is None:
            return
        with self._lock:
            counted = self._of(head.run.run_id)
            if bucket not in counted.full:
                counted.to_count.add(bucket)

    def is_full(self, head: CachedRun, asked: int) -> bool:
        """Return whether *asked* answers are stored, seeing every one stored before this call."""
        run_id = head.run.run_id
        with self._lock:
            # Answers are never taken away: a full set stays full.
            if self._of(run_id).is_full and asked <= len(head.asked):
                return True
        if asked != len(head.asked) or not head.buckets.sizes:
            return self._shared.ask(
                f"{run_id}/{asked}", lambda: self._count_all(head) >= asked
            ) and self._note_full(head, asked)
        return self._shared.ask(run_id, lambda: self._count_buckets(head)) and self._note_full(
            head, asked
        )

    def _note_full(self, head: CachedRun, asked: int) -> bool:
        if asked == len(head.asked):
            with self._lock:
                self._of(head.run.run_id).is_full = True
        return True

    def _count_all(self, head: CachedRun) -> int:
        return self._store.count(self._below(head, "answers"))

    def _count_buckets(self, head: CachedRun) -> bool:
        """Count the buckets that may be full, mark those that are, and count the marks.

        One at a time for each run (see :class:`SingleFlight`), so that a bucket taken off the list
        here is counted before anybody who waits is told.
        """
        sizes = head.buckets.sizes
        with self._lock:
            counted = self._of(head.run.run_id)
            looks = time.monotonic() - counted.looked_at >= FULL_LOOK_EVERY_S
            buckets = (set(sizes) if looks else set(counted.to_count)) - counted.full
            counted.to_count -= buckets
        try:
            full = {bucket for bucket in buckets if self._count(head, bucket) >= sizes[bucket]}
            self._mark(head, full)
        except BaseException:
            with self._lock:
                counted.to_count |= buckets
            raise
        with self._lock:
            counted.full |= full
            if looks:
                counted.looked_at = time.monotonic()
        return self._store.count(self._below(head, "marks")) >= len(sizes)

    def _count(self, head: CachedRun, bucket: int) -> int:
        answers = self._below(head, "answers")
        return self._store.count(answers.where(filter=condition("bucket", "==", bucket)))

    def _mark(self, head: CachedRun, full: set[int]) -> None:
        """Leave a mark for each full bucket. Whoever does it again writes the same."""
        if not full:
            return
        batch = self._store.batch()
        for bucket in sorted(full):
            size = head.buckets.sizes[bucket]
            about = f"all {size} answers of bucket {bucket} are stored"
            mark = {"about": about, "answers": size, "expires_at": head.run.expires_at}
            batch.set(self._below(head, "marks").document(f"{bucket:05}"), mark)
        self._store.commit(batch)

    def _below(self, head: CachedRun, name: str) -> Any:
        return self._heads.document(head.run.run_id).collection(name)

    def _of(self, run_id: str) -> _Counted:
        if run_id not in self._runs:
            while len(self._runs) >= KEPT_RUNS:
                del self._runs[next(iter(self._runs))]
            self._runs[run_id] = _Counted()
        return self._runs[run_id]
