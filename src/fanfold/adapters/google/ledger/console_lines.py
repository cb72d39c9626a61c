"""The lines in a run's document: what a person reads in the console while the run goes on.

They are a projection: no decision reads them, and nothing fails because they could not be written.
Each process keeps the lines that it learns while it works, and writes them together every few
seconds.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from weakref import WeakKeyDictionary

from fanfold.adapters.google.ledger import documents, size_limits
from fanfold.adapters.google.ledger.run_cache import CachedRun, RunCache
from fanfold.adapters.google.ledger.store import Store
from fanfold.domain.model.run import Answer, Job
from fanfold.domain.model.states import Outcome, Phase
from fanfold.domain.report.sentences import MARKS

#: The shortest time between two writes of one run's lines by one process, in seconds.
EVERY_S = 5.0

#: How long one call may take that writes lines, in seconds. A collector's answer waits meanwhile.
TRY_TIMEOUT_S = 2.0

#: Most bytes of all lines of one run, its names included.
MAX_LINES_BYTES = 300_000


@dataclass
class _Lines:
    """What this process learned of one run.

    Args:
        written_at: When it last wrote lines, in seconds on the monotonic clock.
        fresh: The lines that are not written yet, by collector.
        answered: The collectors that have an answer: their lines do not change any more.
    """

    written_at: float = float("-inf")
    fresh: dict[str, str] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)


class Projection:
    """Keeps and writes the lines of the runs that this process works on."""

    def __init__(self, store: Store, cache: RunCache, every_s: float = EVERY_S) -> None:
        self._store = store
        self._cache = cache
        self._every_s = every_s
        self._lock = Lock()
        self._runs = WeakKeyDictionary[CachedRun, _Lines]()

    def answered(self, cached: CachedRun, answer: Answer) -> None:
        """Learn of *answer*, which is stored."""
        entry = cached.entry(answer.collector)
        if entry is None:
            return
        with self._lock:
            lines = self._of(cached)
            if answer.collector not in lines.answered:
                lines.fresh[answer.collector] = documents.answer_line(entry, answer)
                lines.answered.add(answer.collector)

    def working(self, cached: CachedRun, job: Job) -> None:
        """Learn of *job*, which has no answer yet."""
        entry = cached.entry(job.collector)
        if entry is None or job.answered:
            return
        with self._lock:
            lines = self._of(cached)
            if job.collector not in lines.answered:
                lines.fresh[job.collector] = documents.job_line(entry, job)

    def final_lines(self, cached: CachedRun) -> dict[str, str]:
        """Return every line of a run whose answers are all known here; empty if they are not."""
        if len(cached.answers) < len(cached.asked):
            return {}
        lines: dict[str, str] = {}
        for entry in cached.entries():
            answer = cached.answers.get(entry.name)
            lines[entry.name] = (
                documents.answer_line(entry, answer)
                if answer is not None
                else documents.entry_line(entry, cached.run)
            )
        with self._lock:
            self._runs.pop(cached, None)
        return fitting(lines)

    def write(self, run_id: str) -> bool:
        """Write what was learned of the run, if the last time is long enough ago.

        Return whether it did. There is one try: who lost to another writer writes next time.
        """
        now = time.monotonic()
        cached = self._cache.known(run_id)
        with self._lock:
            lines = self._runs.get(cached) if cached is not None else None
            if lines is None or not lines.fresh or now - lines.written_at < self._every_s:
                return False
            lines.written_at = now
            fresh, lines.fresh = lines.fresh, {}
        with suppress(Exception):  # whatever it is: a line for people must not cost an answer
            if self._commit(run_id, fresh):
                return True
        with self._lock:
            lines.fresh = fresh | lines.fresh
        return False

    def _commit(self, run_id: str, fresh: dict[str, str]) -> bool:
        reference = self._cache.document(run_id)
        snapshot = reference.get(retry=None, timeout=TRY_TIMEOUT_S)
        if not snapshot.exists:
            return True
        cached = self._cache.saw(run_id, snapshot.to_dict())
        if cached.run.phase is Phase.FINAL:
            return True
        shown = fitting((snapshot.get("collectors") or {}) | fresh)
        batch = self._store.batch()
        batch.update(
            reference,
            {"about": _so_far(shown, cached), "collectors": shown},
            option=self._store.unchanged(snapshot.update_time),
        )
        batch.commit(retry=None, timeout=TRY_TIMEOUT_S)
        return True

    def _of(self, cached: CachedRun) -> _Lines:
        return self._runs.setdefault(cached, _Lines())


def _so_far(shown: Mapping[str, str], cached: CachedRun) -> str:
    """Return the sentence about a run under way, from the marks at the start of its lines."""
    marks = [line[:1] for name, line in shown.items() if name in cached.asked]
    failed = marks.count(MARKS[Outcome.FAILED])
    done = sum(mark not in {MARKS["pending"], MARKS["running"]} for mark in marks)
    return f"{done} of {len(cached.asked)} done" + (f", {failed} failed so far" if failed else "")


def fitting(lines: Mapping[str, str]) -> dict[str, str]:
    """Return *lines* as far as a run's document has room, with a line on what is left out."""
    shown: dict[str, str] = {}
    size_bytes = 0
    for name in sorted(lines):
        size_bytes += len(name.encode()) + len(lines[name].encode())
        if size_bytes > MAX_LINES_BYTES:
            left = len(lines) - len(shown)
            return shown | {"~": f"and {left} more: see the subcollection collectors"}
        shown[name] = size_limits.text(lines[name])
    return shown
