"""The Firestore ledger's runs: see :class:`fanfold.ports.ledger.Runs`.

A run's document is written a handful of times: created, opened, marked, finalized, announced, and
its projection for people now and then. Each of these reads it, and writes on the condition that it
has not changed since.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from google.api_core import exceptions as api

from fanfold.adapters.google.ledger import documents, size_limits
from fanfold.adapters.google.ledger.console_lines import Projection, fitting
from fanfold.adapters.google.ledger.documents import EVIDENCE, UNLISTED
from fanfold.adapters.google.ledger.manifests import Chunk, chunks_of
from fanfold.adapters.google.ledger.run_cache import RUN_WRITER, RunCache
from fanfold.adapters.google.ledger.store import StaleRead, Store, batches, condition
from fanfold.adapters.single_flight import SingleFlight
from fanfold.domain.model.names import is_run_id
from fanfold.domain.model.run import Entry, Run, Verdict, summary_with
from fanfold.domain.model.states import Phase, phases_before

#: Most documents that a search by the beginning of an id looks at.
MAX_MATCHES = 1000

#: A run is looked at again after so many seconds, whatever is known of it.
LATELY_S = 3.0

#: Comes after every character of an id.
_AFTER_IDS = "\uf8ff"

#: What a list of runs reads of each: not the line for each of its collectors.
_LISTED = [*(field.name for field in fields(Run)), RUN_WRITER]


class FirestoreRuns:
    """See :class:`fanfold.ports.ledger.Runs`."""

    store: Store
    cache: RunCache
    projection: Projection
    _readers: SingleFlight[Run | None]

    def create_run(self, run: Run, manifest: Sequence[Entry]) -> bool:
        """See :meth:`fanfold.ports.ledger.Runs.create_run`."""
        chunks = chunks_of(manifest)
        lines = fitting({entry.name: documents.entry_line(entry, run) for entry in manifest})
        # Drawn anew for each creation: two runs of one id may have the same writer.
        run_writer = f"{run.writer}/{uuid.uuid4().hex[:12]}"
        document = documents.run_document(run, lines, [chunk.chunk_id for chunk in chunks])
        document[RUN_WRITER] = run_writer
        groups = batches((chunk, len(chunk.text)) for chunk in chunks) or [[]]
        reference = self.cache.document(run.run_id)
        for group in groups[:-1]:
            # Too large for one commit. Chunks are named by content: they are in nobody's way.
            if self.store.read(reference, ["writer"]).exists:
                break
            batch = self.store.batch()
            self._add_chunks(batch, run, group)
            self.store.commit(batch)
        batch = self.store.batch()
        batch.create(reference, document)
        self._add_chunks(batch, run, groups[-1])
        try:
            self.store.commit(batch)
        except api.AlreadyExists:
            snapshot = self.store.read(reference, ["writer"])
            return bool(snapshot.exists and snapshot.get("writer") == run.writer)
        self.cache.begun(documents.run_of(document), manifest, run_writer)
        return True

    def run(self, run_id: str) -> Run | None:
        """See :meth:`fanfold.ports.ledger.Runs.run`. Reads side by side are one read."""
        if not is_run_id(run_id):
            return None
        return self._readers.ask(run_id, lambda: self._fetch(run_id))

    def run_lately(self, run_id: str) -> Run | None:
        """See :meth:`fanfold.ports.ledger.Runs.run_lately`."""
        cached = self.cache.known(run_id)
        if cached is not None and time.monotonic() - cached.seen_at < LATELY_S:
            return cached.run
        return self.run(run_id)

    def manifest(self, run_id: str) -> Sequence[Entry]:
        """See :meth:`fanfold.ports.ledger.Runs.manifest`."""
        cached = self.cache.get(run_id)
        return [] if cached is None else cached.entries()

    def open_run(self, run_id: str) -> None:
        """See :meth:`fanfold.ports.ledger.Runs.open_run`."""
        cached = self.cache.known(run_id)
        made = cached.made_here if cached is not None else []

        def opened(run: Run) -> Mapping[str, Any] | None:
            if run.phase not in phases_before(Phase.OPEN):
                return None
            return {"phase": Phase.OPEN.value, "jobs_made": [documents.native(m) for m in made]}

        self._move(run_id, opened)

    def mark_dispatched(self, run_id: str, at: datetime) -> None:
        """See :meth:`fanfold.ports.ledger.Runs.mark_dispatched`."""
        self._move(run_id, lambda run: {"dispatched_at": at} if run.dispatched_at is None else None)

    def finalize_run(self, run_id: str, verdict: Verdict) -> bool:
        """See :meth:`fanfold.ports.ledger.Runs.finalize_run`."""

        def closed(run: Run) -> Mapping[str, Any] | None:
            if run.phase not in phases_before(Phase.FINAL):
                return None
            cached = self.cache.known(run_id)
            lines = self.projection.final_lines(cached) if cached is not None else {}
            return {
                "phase": Phase.FINAL.value,
                **_verdict_fields(verdict),
                **({"collectors": lines} if lines else {}),
            }

        return self._move(run_id, closed, signed="finalized_by")

    def mark_announced(
        self,
        run_id: str,
        *,
        revision: int,
        report: str,
        at: datetime,
        late_listed: int = 0,
        remarks: Sequence[str] = (),
        verdict: Verdict | None = None,
    ) -> None:
        """See :meth:`fanfold.ports.ledger.Runs.mark_announced`."""

        def announced(run: Run) -> Mapping[str, Any] | None:
            if run.revision >= revision:
                return None
            closed = {} if verdict is None else _verdict_fields(verdict)
            summary = run.summary if verdict is None else verdict.summary
            summary = summary_with(
                summary, revision=revision, late_listed=late_listed, remarks=remarks
            )
            return {
                **closed,
                "announced_at": run.announced_at or at,
                "revision": revision,
                "report": size_limits.text(report),
                "summary": _summary_field(summary),
            }

        self._move(run_id, announced)

    def unannounced(self) -> Sequence[Run]:
        """See :meth:`fanfold.ports.ledger.Runs.unannounced`."""
        # Ordered here: with the condition it would take a composite index.
        found = self._find(self._runs().where(filter=condition("announced_at", "==", None)))
        return sorted(found, key=lambda run: (run.start_time, run.run_id))

    def unlisted(self) -> Sequence[Run]:
        """See :meth:`fanfold.ports.ledger.Runs.unlisted`."""
        found = self._find(self._runs().where(filter=condition(UNLISTED, "==", value=True)))
        return [run for run in found if run.announced_at is not None]

    def recent_runs(self, limit: int) -> Sequence[Run]:
        """See :meth:`fanfold.ports.ledger.Runs.recent_runs`."""
        return self.runs_between(None, None, limit)

    def runs_between(
        self, since: datetime | None, until: datetime | None, limit: int
    ) -> Sequence[Run]:
        """See :meth:`fanfold.ports.ledger.Runs.runs_between`."""
        query = self._runs()
        if since is not None:
            query = query.where(filter=condition("start_time", ">=", since))
        if until is not None:
            query = query.where(filter=condition("start_time", "<", until))
        return self._find(query.order_by("start_time", direction="DESCENDING"), limit)

    def oldest_run_start(self) -> datetime | None:
        """See :meth:`fanfold.ports.ledger.Runs.oldest_run_start`."""
        oldest = self._find(self._runs().order_by("start_time"), 1)
        return oldest[0].start_time if oldest else None

    def find_runs(self, prefix: str, limit: int) -> Sequence[Run]:
        """See :meth:`fanfold.ports.ledger.Runs.find_runs`.

        Looks at the first thousand matches by id.
        """
        if prefix and not is_run_id(prefix):
            return []
        query = self._runs()
        if prefix:
            query = query.where(filter=condition("run_id", ">=", prefix)).where(
                filter=condition("run_id", "<", prefix + _AFTER_IDS)
            )
        # Generated ids sort by time, so the newest are among the last by id.
        found = self._find(query.order_by("run_id", direction="DESCENDING"), MAX_MATCHES)
        found.sort(key=lambda run: (run.start_time, run.run_id), reverse=True)
        return found[:limit]

    def _runs(self) -> Any:
        return self.store.collection("fanfold_runs")

    def _find(self, query: Any, limit: int | None = None) -> list[Run]:
        found = []
        for snapshot in self.store.select(query.select(_LISTED), limit=limit):
            document = snapshot.to_dict()
            self.cache.compare(snapshot.id, document)
            found.append(self.cache.run_of(snapshot.id, document))
        return found

    def _fetch(self, run_id: str) -> Run | None:
        document = self.store.read(self.cache.document(run_id)).to_dict()
        if document is None:
            self.cache.forget(run_id)
            return None
        return self.cache.run_in(run_id, document)

    def _add_chunks(self, batch: Any, run: Run, chunks: Sequence[Chunk]) -> None:
        for chunk in chunks:
            batch.set(
                self.cache.document(run.run_id).collection("manifest").document(chunk.chunk_id),
                {
                    "about": "a part of the run's manifest, for fanfold to read",
                    "entries": chunk.text,
                    "expires_at": run.expires_at,
                },
            )

    def _move(
        self,
        run_id: str,
        change: Callable[[Run], Mapping[str, Any] | None],
        *,
        signed: str | None = None,
    ) -> bool:
        """Return whether this call wrote what *change* makes of the run, None for nothing.

        A move that happens once is *signed*: that field says whose write it was.
        """
        token = uuid.uuid4().hex
        reference = self.cache.document(run_id)

        def attempt() -> bool:
            snapshot = self.store.read(reference)
            if not snapshot.exists:
                return False
            document = snapshot.to_dict()
            run = self.cache.run_in(run_id, document)
            changes = change(run)
            if changes is None:
                # An earlier attempt of this very call may have been stored, its reply lost.
                return signed is not None and document.get(signed) == token
            moved = self.cache.run_of(run_id, document | changes)
            batch = self.store.batch()
            words = documents.run_words(moved)
            if moved.verdict is None:
                del words["about"]
            written = {**changes, **words, **({signed: token} if signed else {})}
            if isinstance(kept := document.get(EVIDENCE), list):
                written[UNLISTED] = len(kept) > moved.late_listed
            batch.update(reference, written, option=self.store.unchanged(snapshot.update_time))
            try:
                self.store.commit(batch)
            except (api.FailedPrecondition, api.NotFound) as exc:
                raise StaleRead from exc
            self.cache.run_in(run_id, document | written)
            return True

        return self.store.contend(f"run {run_id}", attempt)


def _verdict_fields(verdict: Verdict) -> dict[str, Any]:
    """Return what a run's document holds of *verdict*."""
    return {
        "verdict": verdict.verdict.value,
        "about": size_limits.text(verdict.about),
        "summary": _summary_field(verdict.summary),
        "end_time": verdict.end_time,
    }


def _summary_field(summary: Mapping[str, Any] | None) -> Any:
    return size_limits.storable(documents.native(summary))
