"""Per-process cache of what cannot change about a run: the manifest, and answers seen stored.

A run's document can be deleted, by its TTL or by a person, while the documents below it stay. A run
that is started again with the same id finds them there. So every creation of a run draws a mark,
its ``run_writer``, which each document below carries. A document with another mark is of an earlier
run and does not count.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from threading import Lock
from typing import Any

from fanfold.adapters.damage import Damage, of_answer, of_entry, of_job, of_run
from fanfold.adapters.google.ledger.buckets import Buckets
from fanfold.adapters.google.ledger.documents import (
    answer_of,
    job_of,
    late_of,
    readable_fields,
    run_of,
)
from fanfold.adapters.google.ledger.manifests import read_manifest
from fanfold.adapters.google.ledger.store import Store
from fanfold.adapters.single_flight import SingleFlight
from fanfold.domain.model.errors import RunExpired
from fanfold.domain.model.names import is_collector_name, is_run_id
from fanfold.domain.model.run import Answer, Entry, Job, LateAnswer, Run
from fanfold.domain.model.states import Phase
from fanfold.domain.model.unreadable import (
    KIND,
    Unreadable,
    UnreadableRun,
    unreadable_answer,
    unreadable_entry,
    unreadable_job,
    unreadable_run,
)
from fanfold.messages import records

#: Runs that a process remembers.
KEPT_RUNS = 32

#: Answers that a process remembers of each run.
KEPT_ANSWERS = 5_000

#: The field with the mark of a run, in its document and in those below.
RUN_WRITER = "run_writer"


@dataclass(frozen=True, slots=True)
class JobsMade:
    """Jobs that one commit created: ``count`` from ``first`` on, in the manifest's order.

    While a job's document was last written at ``stored_at``, it is as it was created.
    """

    first: str
    count: int
    stored_at: datetime
    published_at: datetime


@dataclass(eq=False)
class CachedRun:
    """A run as this process last saw it, with what never changes about it.

    Args:
        run: The run. It may have gone on since.
        raw: The manifest, as it is stored, by collector.
        run_writer: The mark of the documents below. None if an earlier version of fanfold, which
            marked nothing, created the run.
        damage: Told of what cannot be read.
        jobs_made: How the jobs were created, if that is known.
        made_here: The same for jobs that this process created, before it is stored.
        answers: Those that were seen stored.
        seen_at: When its document was last read, in seconds on the monotonic clock.
    """

    run: Run
    raw: Mapping[str, Any]
    run_writer: str | None
    damage: Damage
    jobs_made: tuple[JobsMade, ...] = ()
    made_here: list[JobsMade] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    seen_at: float = field(default_factory=time.monotonic)
    _entries: dict[str, Entry] = field(default_factory=dict)

    def marked(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return *document*, which is to lie below the run, with the run's mark."""
        return {**document, RUN_WRITER: self.run_writer}

    def owns(self, document: Mapping[str, Any] | None) -> bool:
        """Return whether *document*, which lies below the run, is there and belongs to it."""
        return document is not None and document.get(RUN_WRITER) == self.run_writer

    def entry(self, collector: str) -> Entry | None:
        """Return the collector's entry, or None if it is not in the manifest."""
        entry = self._entries.get(collector)
        if entry is None and collector in self.raw:
            raw = self.raw[collector]
            entry = self._entries[collector] = self.damage.read(
                of_entry(self.run.run_id, collector),
                lambda: records.load(Entry, raw),
                lambda why: unreadable_entry(collector, why, asked=raw.get("skip") is None),
            )
        return entry

    def job_of(self, snapshot: Any) -> Job:
        """Return the job in *snapshot*, a document that exists and is the run's."""
        run_id, collector, run = self.run.run_id, snapshot.id, self.run
        answered = bool((snapshot.to_dict() or {}).get("answered"))
        return self.damage.read(
            of_job(run_id, collector),
            lambda: job_of(snapshot, run),
            lambda why: unreadable_job(run_id, collector, why, at=run.deadline, answered=answered),
        )

    def answer_of(self, collector: str, document: Mapping[str, Any]) -> Answer:
        """Return the answer in *document*, which is the run's."""
        return self.damage.read(
            of_answer(self.run.run_id, collector),
            lambda: answer_of(document),
            lambda why: self._unreadable_answer(collector, document, why),
        )

    def late_of(self, name: str, document: Mapping[str, Any]) -> LateAnswer:
        """Return the late evidence in *document*, which is the run's and is called *name*."""
        collector, run = name.partition(".")[0], self.run
        return self.damage.read(
            of_answer(run.run_id, collector, f"late answer {name}"),
            lambda: late_of(document),
            lambda why: LateAnswer(
                self._unreadable_answer(collector, document, why), run.start_time
            ),
        )

    def _unreadable_answer(self, collector: str, document: Mapping[str, Any], why: str) -> Answer:
        writer = str(document.get("writer", ""))
        run = self.run
        return unreadable_answer(run.run_id, collector, why, writer=writer, at=run.start_time)

    def entries(self) -> list[Entry]:
        """Return the manifest in the order it was given."""
        return [entry for name in self.raw if (entry := self.entry(name)) is not None]

    @cached_property
    def asked(self) -> Mapping[str, int]:
        """The places of the asked collectors in the order of the manifest, by name."""
        names = (name for name, entry in self.raw.items() if entry.get("skip") is None)
        return {name: place for place, name in enumerate(names)}

    @cached_property
    def buckets(self) -> Buckets:
        """How the answers are counted."""
        return Buckets(list(self.asked))

    def untouched(self, collector: str) -> tuple[Job, datetime] | None:
        """Return the job as the dispatcher created it and when, if this process knows."""
        place = self.asked.get(collector)
        for made in self.jobs_made:
            first = self.asked.get(made.first)
            if place is not None and first is not None and first <= place < first + made.count:
                job = Job(
                    self.run.run_id,
                    collector,
                    published_at=made.published_at,
                    deadline=self.run.deadline,
                )
                return job, made.stored_at
        return None

    def keep(self, answer: Answer) -> None:
        """Remember *answer*, which is stored. One that cannot be read may be mended."""
        unreadable = answer.error is not None and answer.error.kind == KIND
        if not unreadable and len(self.answers) < KEPT_ANSWERS:
            self.answers[answer.collector] = answer


class RunCache:
    """The runs that this process knows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._damage = store.damage
        self._lock = Lock()
        self._runs: OrderedDict[str, CachedRun] = OrderedDict()
        self._readers = SingleFlight[CachedRun | None]()

    def document(self, run_id: str) -> Any:
        """Return the reference of the run's document."""
        return self._store.collection("fanfold_runs").document(checked_id(run_id))

    def known(self, run_id: str) -> CachedRun | None:
        """Return what this process knows of the run, without a look into the store."""
        with self._lock:
            cached = self._runs.get(run_id)
            if cached is not None:
                self._runs.move_to_end(run_id)
            return cached

    def get(self, run_id: str) -> CachedRun | None:
        """Return the run, or None if there is no such run.

        Raises:
            RunExpired: Its manifest is gone.
        """
        cached = self.known(run_id)
        if cached is not None or not is_run_id(run_id):
            return cached
        return self.refreshed(run_id)

    def refreshed(self, run_id: str) -> CachedRun | None:
        """Return the run as it is stored now; see :meth:`get`."""
        return self._readers.ask(run_id, lambda: self._read(run_id))

    def _read(self, run_id: str) -> CachedRun | None:
        snapshot = self._store.read(self.document(run_id))
        if not snapshot.exists:
            self.forget(run_id)
            return None
        return self.saw(run_id, snapshot.to_dict())

    def saw(self, run_id: str, document: Mapping[str, Any]) -> CachedRun:
        """Return the run with this *document*, which was just read.

        Raises:
            RunExpired: Its manifest is gone.
            Unreadable: Its manifest cannot be read.
        """
        run = self.run_of(run_id, document)
        self.compare(run_id, document)
        cached = self.known(run_id)
        made = _jobs_made(document)
        if cached is None:
            raw = read_manifest(self._store, self.document(run_id), document.get("manifest") or ())
            cached = self._keep(CachedRun(run, raw, document.get(RUN_WRITER), self._damage))
        with self._lock:
            # Reads side by side may end in another order than they began.
            # What is damaged, or was mended, is as it is now.
            news = isinstance(run, UnreadableRun) or isinstance(cached.run, UnreadableRun)
            cached.run = run if news else max(cached.run, run, key=_progress)
            cached.jobs_made = made or cached.jobs_made
            cached.seen_at = time.monotonic()
        return cached

    def run_in(self, run_id: str, document: Mapping[str, Any]) -> Run:
        """Return the run that *document*, just read, describes, even if its manifest is gone."""
        try:
            return self.saw(run_id, document).run
        except (RunExpired, Unreadable):
            return self.run_of(run_id, document)

    def run_of(self, run_id: str, document: Mapping[str, Any]) -> Run:
        """Return the run that *document* describes, as far as it can be read."""
        return self._damage.read(
            of_run(run_id, is_over=bool(document.get("announced_at"))),
            lambda: run_of(document),
            lambda why: unreadable_run(run_id, why, readable_fields(Run, document)),
        )

    def begun(self, run: Run, entries: Sequence[Entry], run_writer: str) -> None:
        """Remember a run that this process created."""
        self.forget(run.run_id)
        raw = {entry.name: records.dump(entry) for entry in entries}
        known = {entry.name: entry for entry in entries}
        self._keep(CachedRun(run, raw, run_writer, self._damage, _entries=known))

    def compare(self, run_id: str, document: Mapping[str, Any]) -> None:
        """Forget the run if *document*, which was just read, is of another run of its id."""
        with self._lock:
            cached = self._runs.get(run_id)
            if cached is not None and not cached.owns(document):
                del self._runs[run_id]

    def forget(self, run_id: str) -> None:
        """Forget the run: its document is not there, or is another one now."""
        with self._lock:
            self._runs.pop(run_id, None)

    def _keep(self, cached: CachedRun) -> CachedRun:
        with self._lock:
            # Whoever was first is kept: others may hold it by now.
            cached = self._runs.setdefault(cached.run.run_id, cached)
            while len(self._runs) > KEPT_RUNS:
                self._runs.popitem(last=False)
            return cached


def _jobs_made(document: Mapping[str, Any]) -> tuple[JobsMade, ...]:
    """Return what the run's *document* says of its jobs' creation; nothing if it is damaged."""
    try:
        return tuple(JobsMade(**each) for each in document.get("jobs_made") or ())
    except TypeError:  # then each claim reads its job first
        return ()


def _progress(run: Run) -> tuple[int, bool, bool, int]:
    """Return how far *run* has come; it never goes back."""
    phase = list(Phase).index(run.phase)
    return phase, run.dispatched_at is not None, run.announced_at is not None, run.revision


def checked_id(run_id: str) -> str:
    """Return *run_id*, which names one document and no path.

    Raises:
        ValueError: It does not.
    """
    if not is_run_id(run_id):
        raise ValueError(f"no run id: {run_id!r}")
    return run_id


def checked_name(collector: str) -> str:
    """Return *collector*, which names one document and no path.

    Raises:
        ValueError: It does not.
    """
    if not is_collector_name(collector):
        raise ValueError(f"no collector name: {collector!r}")
    return collector
