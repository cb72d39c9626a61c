"""The Firestore ledger's answers: see :class:`fanfold.ports.ledger.Answers`.

``answers/{name}`` below the run is created and never written again: that create decides who was
first. So a process that saw an answer need not read it again. A document that an earlier run of the
same id left there is replaced.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from google.api_core import exceptions as api
from google.cloud import firestore

from fanfold.adapters.google.ledger import documents, size_limits
from fanfold.adapters.google.ledger.console_lines import Projection
from fanfold.adapters.google.ledger.counting import Counting
from fanfold.adapters.google.ledger.run_cache import CachedRun, RunCache, checked_name
from fanfold.adapters.google.ledger.store import PAGE, Store
from fanfold.adapters.single_flight import SingleFlight
from fanfold.domain.model.errors import UnknownCollector, UnknownRun
from fanfold.domain.model.names import is_collector_name
from fanfold.domain.model.run import Answer, Entry, LateAnswer
from fanfold.domain.report.balance import Pair

#: Pairs that are read at a time.
PART = 500


class FirestoreAnswers:
    """See :class:`fanfold.ports.ledger.Answers`."""

    store: Store
    cache: RunCache
    projection: Projection
    counting: Counting
    _lists: SingleFlight[Sequence[Answer]]

    def record(self, answer: Answer) -> Answer:
        """See :meth:`fanfold.ports.ledger.Answers.record`.

        The job's document says in the same commit that there is an answer. What is too large for
        a document is cut or left out, and the answer that is returned says so.
        """
        cached, entry = self._member(answer.run_id, answer.collector)
        document = documents.answer_document(size_limits.fit(answer), entry, cached.run)
        document["bucket"] = cached.buckets.of(answer.collector)
        document = cached.marked(document)
        reference = self._answers(answer.run_id).document(checked_name(answer.collector))
        batch = self.store.batch()
        batch.create(reference, document)
        try:
            return self._commit(cached, entry, batch, document)
        except api.AlreadyExists:
            # Somebody was first; or this call was, and the reply to its first try was lost.
            return self._replaced(cached, entry, reference, document) or self.record(answer)

    def _replaced(
        self, cached: CachedRun, entry: Entry, reference: Any, document: Mapping[str, Any]
    ) -> Answer | None:
        """Return the answer that the run has, after *document* took an earlier run's place.

        None if another run has the id of *cached* by now.
        """

        def replace() -> Answer | None:
            snapshot = self.store.read(reference)
            if cached.owns(found := snapshot.to_dict()):
                return self._saw(cached, cached.answer_of(reference.id, found))
            if self.cache.refreshed(cached.run.run_id) is not cached:
                return None
            batch = self.store.batch()
            if snapshot.exists:
                unchanged = self.store.unchanged(snapshot.update_time)
                batch.update(reference, dict(document), option=unchanged)
            else:
                batch.create(reference, dict(document))
            return self._commit(cached, entry, batch, document)

        return self.store.contend(f"answer {reference.path}", replace)

    def _commit(
        self, cached: CachedRun, entry: Entry, batch: Any, document: Mapping[str, Any]
    ) -> Answer:
        """Commit *batch*, which stores an answer's *document*; note the answer in its job."""
        answer = documents.answer_of(document)
        job = cached.marked(documents.answered_job(answer, entry, cached.run))
        jobs = self.cache.document(answer.run_id).collection("collectors")
        batch.set(jobs.document(answer.collector), job, merge=True)
        self.store.commit(batch)
        return self._saw(cached, answer)

    def answer(self, run_id: str, collector: str) -> Answer | None:
        """See :meth:`fanfold.ports.ledger.Answers.answer`."""
        cached = self.cache.get(run_id)
        if cached is None or not is_collector_name(collector):
            return None
        known = cached.answers.get(collector)
        if known is not None:
            return known
        return self._read_answer(cached, collector)

    def all_answered(self, run_id: str, asked: int) -> bool:
        """See :meth:`fanfold.ports.ledger.Answers.all_answered`. Counts side by side are one count.

        Whoever asks has just learned something of the run, so this is where people are told.
        """
        cached = self.cache.get(run_id)
        if cached is None:
            return False
        full = self.counting.is_full(cached, asked)
        if not full:
            self.projection.write(run_id)
        return full

    def answers(self, run_id: str) -> Sequence[Answer]:
        """See :meth:`fanfold.ports.ledger.Answers.answers`. Lists side by side are read once."""
        cached = self.cache.get(run_id)
        if cached is None:
            return []
        return self._lists.ask(cached, lambda: self._list(cached))

    def pairs(self, run_id: str) -> Iterator[Pair]:
        """See :meth:`fanfold.ports.ledger.Answers.pairs`.

        Answers that this process saw before are not read again.
        """
        cached = self.cache.get(run_id)
        if cached is None:
            return
        names = list(cached.raw)
        for start in range(0, len(names), PART):
            part = names[start : start + PART]
            answers = self._of(cached, part)
            for name in part:
                entry = cached.entry(name)
                if entry is not None:
                    yield entry, answers.get(name)

    def keep_late(self, late: LateAnswer) -> None:
        """See :meth:`fanfold.ports.ledger.Answers.keep_late`."""
        answer = late.answer
        cached, entry = self._member(answer.run_id, answer.collector)
        writer = hashlib.sha256(answer.writer.encode("utf-8", "backslashreplace")).hexdigest()
        fitting = LateAnswer(size_limits.fit(answer), late.received_at)
        document = cached.marked(documents.late_document(fitting, entry, cached.run))
        name = f"{checked_name(answer.collector)}.{writer[:16]}"
        reference = self._lates(answer.run_id).document(name)
        run = self.cache.document(answer.run_id)
        noted = {documents.EVIDENCE: firestore.ArrayUnion([name]), documents.UNLISTED: True}
        batch = self.store.batch()
        batch.create(reference, document)
        batch.update(run, noted)
        try:
            self.store.commit(batch)
        except api.AlreadyExists:
            if not cached.owns(self.store.read(reference).to_dict()):
                batch = self.store.batch()
                batch.set(reference, document)
                batch.update(run, noted)
                self.store.commit(batch)
        except api.NotFound as exc:
            self.cache.forget(answer.run_id)
            raise UnknownRun(answer.run_id) from exc

    def lates(self, run_id: str) -> Sequence[LateAnswer]:
        """See :meth:`fanfold.ports.ledger.Answers.lates`."""
        cached = self.cache.get(run_id)
        if cached is None:
            return []
        found = self.store.select(self._lates(run_id).order_by("received_at"))
        pairs = [(snapshot.id, snapshot.to_dict()) for snapshot in found]
        lates = [cached.late_of(name, found) for name, found in pairs if cached.owns(found)]
        lates.sort(key=lambda late: (late.received_at, late.answer.collector, late.answer.writer))
        return lates

    def _list(self, cached: CachedRun) -> Sequence[Answer]:
        """Return the stored answers; those that this process saw before are not read again."""
        known = dict(cached.answers)
        missing = sorted(cached.asked.keys() - known.keys())
        answers = self._answers(cached.run.run_id)
        if len(missing) > len(cached.asked) // 2:
            return self._saw_all(cached, self.store.select(answers.order_by("__name__")))
        for start in range(0, len(missing), PAGE):
            known |= self._of(cached, missing[start : start + PAGE])
        return [known[name] for name in sorted(known)]

    def _of(self, cached: CachedRun, names: Sequence[str]) -> dict[str, Answer]:
        """Return the stored answers of those of *names* that have one."""
        asked = [name for name in names if name in cached.asked]
        known = {name: seen for name in asked if (seen := cached.answers.get(name)) is not None}
        answers = self._answers(cached.run.run_id)
        wanted = [answers.document(name) for name in asked if name not in known]
        if wanted:
            found = self._saw_all(cached, self.store.read_all(wanted))
            known.update((answer.collector, answer) for answer in found)
        return known

    def _saw_all(self, cached: CachedRun, snapshots: Sequence[Any]) -> list[Answer]:
        pairs = [(snapshot.id, snapshot.to_dict()) for snapshot in snapshots]
        return [
            self._saw(cached, cached.answer_of(name, document))
            for name, document in pairs
            if cached.owns(document)
        ]

    def _answers(self, run_id: str) -> Any:
        return self.cache.document(run_id).collection("answers")

    def _lates(self, run_id: str) -> Any:
        return self.cache.document(run_id).collection("late")

    def _read_answer(self, cached: CachedRun, collector: str) -> Answer | None:
        snapshot = self.store.read(self._answers(cached.run.run_id).document(collector))
        found = self._saw_all(cached, [snapshot])
        return found[0] if found else None

    def _saw(self, cached: CachedRun, answer: Answer) -> Answer:
        """Remember *answer*, which is stored, and return it."""
        cached.keep(answer)
        self.projection.answered(cached, answer)
        return answer

    def _member(self, run_id: str, collector: str) -> tuple[CachedRun, Entry]:
        cached = self.cache.get(run_id)
        if cached is None:
            raise UnknownRun(run_id)
        entry = cached.entry(collector)
        if entry is None or entry.skip is not None:
            raise UnknownCollector(run_id, collector)
        return cached, entry
