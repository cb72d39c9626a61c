"""The Firestore ledger's answers: see :class:`fanfold.ports.ledger.Answers`.

``answers/{name}`` below the run is only ever created, never written again: that create decides who
was first. An answer that was seen stored stays, so a process need not read it twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from google.api_core import exceptions as api

from fanfold.adapters.google.ledger import documents, size_limits
from fanfold.adapters.google.ledger.console_lines import Projection
from fanfold.adapters.google.ledger.counting import Counting
from fanfold.adapters.google.ledger.run_cache import CachedRun, RunCache, checked_name
from fanfold.adapters.google.ledger.store import PAGE, Store
from fanfold.adapters.single_flight import SingleFlight
from fanfold.domain.model.errors import UnknownCollector, UnknownRun
from fanfold.domain.model.names import is_collector_name
from fanfold.domain.model.run import Answer, Entry, LateAnswer


class FirestoreAnswers:
    """See :class:`fanfold.ports.ledger.Answers`."""

    store: Store
    heads: RunCache
    projection: Projection
    counting: Counting
    _lists: SingleFlight[Sequence[Answer]]

    def record(self, answer: Answer) -> Answer:
        """See :meth:`fanfold.ports.ledger.Answers.record`.

        The job's document says in the same commit that there is an answer. What is too large for
        a document is cut or left out, and the answer that is returned says so.
        """
        head, entry = self._member(answer.run_id, answer.collector)
        document = documents.answer_document(size_limits.fit(answer), entry, head.run)
        document["bucket"] = head.buckets.of(answer.collector)
        answers = self._answers(answer.run_id)
        run = self.heads.document(answer.run_id)
        name = checked_name(answer.collector)
        batch = self.store.batch()
        batch.create(answers.document(name), document)
        batch.set(
            run.collection("collectors").document(name),
            documents.answered_job(documents.answer_of(document), entry, head.run),
            merge=True,
        )
        try:
            self.store.commit(batch)
        except api.AlreadyExists:
            # Somebody was first; or this call was, and the reply to its first try was lost.
            stored = self._read_answer(head, name)
            if stored is not None:
                return stored
            raise
        return self._saw(head, documents.answer_of(document))

    def answer(self, run_id: str, collector: str) -> Answer | None:
        """See :meth:`fanfold.ports.ledger.Answers.answer`."""
        head = self.heads.get(run_id)
        if head is None or not is_collector_name(collector):
            return None
        known = head.answers.get(collector)
        if known is not None:
            self.counting.touched(head, collector)
            return known
        return self._read_answer(head, collector)

    def all_answered(self, run_id: str, asked: int) -> bool:
        """See :meth:`fanfold.ports.ledger.Answers.all_answered`. Counts side by side are one count.

        Whoever asks has just learned something of the run, so this is where people are told.
        """
        head = self.heads.get(run_id)
        if head is None:
            return False
        full = self.counting.is_full(head, asked)
        if not full:
            self.projection.write(run_id)
        return full

    def answers(self, run_id: str) -> Sequence[Answer]:
        """See :meth:`fanfold.ports.ledger.Answers.answers`. Lists side by side are read once."""
        head = self.heads.get(run_id)
        if head is None:
            return []
        return self._lists.ask(run_id, lambda: self._list(head))

    def keep_late(self, late: LateAnswer) -> None:
        """See :meth:`fanfold.ports.ledger.Answers.keep_late`."""
        answer = late.answer
        head, entry = self._member(answer.run_id, answer.collector)
        writer = hashlib.sha256(answer.writer.encode("utf-8", "backslashreplace")).hexdigest()
        fitting = LateAnswer(size_limits.fit(answer), late.received_at)
        batch = self.store.batch()
        batch.create(
            self._lates(answer.run_id).document(f"{checked_name(answer.collector)}.{writer[:16]}"),
            documents.late_document(fitting, entry, head.run),
        )
        try:
            self.store.commit(batch)
        except api.AlreadyExists:
            return

    def lates(self, run_id: str) -> Sequence[LateAnswer]:
        """See :meth:`fanfold.ports.ledger.Answers.lates`."""
        if self.heads.get(run_id) is None:
            return []
        found = self.store.select(self._lates(run_id).order_by("received_at"))
        lates = [documents.late_of(snapshot.to_dict()) for snapshot in found]
        lates.sort(key=lambda late: (late.received_at, late.answer.collector, late.answer.writer))
        return lates

    def _list(self, head: CachedRun) -> Sequence[Answer]:
        """Return the stored answers; those that this process saw before are not read again."""
        known = dict(head.answers)
        missing = sorted(head.asked.keys() - known.keys())
        answers = self._answers(head.run.run_id)
        if len(missing) > len(head.asked) // 2:
            return self._saw_all(head, self.store.select(answers.order_by("__name__")))
        for start in range(0, len(missing), PAGE):
            wanted = [answers.document(name) for name in missing[start : start + PAGE]]
            found = self._saw_all(head, self.store.read_all(wanted))
            known.update((answer.collector, answer) for answer in found)
        return [known[name] for name in sorted(known)]

    def _saw_all(self, head: CachedRun, snapshots: Sequence[Any]) -> list[Answer]:
        found = (documents.answer_of(each.to_dict()) for each in snapshots if each.exists)
        return [self._saw(head, answer) for answer in found]

    def _answers(self, run_id: str) -> Any:
        return self.heads.document(run_id).collection("answers")

    def _lates(self, run_id: str) -> Any:
        return self.heads.document(run_id).collection("late")

    def _read_answer(self, head: CachedRun, collector: str) -> Answer | None:
        snapshot = self.store.read(self._answers(head.run.run_id).document(collector))
        if not snapshot.exists:
            return None
        return self._saw(head, documents.answer_of(snapshot.to_dict()))

    def _saw(self, head: CachedRun, answer: Answer) -> Answer:
        """Remember *answer*, which is stored, and return it."""
        head.keep(answer)
        self.counting.touched(head, answer.collector)
        self.projection.answered(head, answer)
        return answer

    def _member(self, run_id: str, collector: str) -> tuple[CachedRun, Entry]:
        head = self.heads.get(run_id)
        if head is None:
            raise UnknownRun(run_id)
        entry = head.entry(collector)
        if entry is None or entry.skip is not None:
            raise UnknownCollector(run_id, collector)
        return head, entry
