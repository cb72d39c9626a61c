"""How a job is claimed on Firestore: read, decide, write if nothing changed; look again if it did.

A job that nobody touched since the dispatcher created it need not be read: the run remembers when
that was, and the write is conditional on it.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from google.api_core import exceptions as api

from fanfold.adapters.google.ledger import documents
from fanfold.adapters.google.ledger.console_lines import Projection
from fanfold.adapters.google.ledger.run_cache import CachedRun, RunCache, checked_name
from fanfold.adapters.google.ledger.store import StaleRead, Store
from fanfold.domain.model.names import is_collector_name
from fanfold.domain.model.run import Entry
from fanfold.domain.model.states import Phase
from fanfold.domain.rules.claim import Claim, Granted, JobSnapshot, decide

#: What taking a lease changes in a job's document.
_TAKEN = ("about", "fence", "lease", "not_before", "start_time", "started")


class Claiming:
    """Grants leases."""

    def __init__(self, store: Store, heads: RunCache, projection: Projection) -> None:
        self._store = store
        self._heads = heads
        self._projection = projection

    def standing(self, run_id: str, collector: str) -> JobSnapshot:
        """See :meth:`fanfold.ports.ledger.Jobs.standing`."""
        head = self._heads.get(run_id)
        if head is None or head.entry(collector) is None or not is_collector_name(collector):
            return JobSnapshot(head.run if head is not None else None)
        run_at = self._heads.document(run_id)
        wanted = [run_at, self._job(run_id, collector), self._answer(run_id, collector)]
        run, job, answer = self._store.read_all(wanted)
        if not run.exists:
            return JobSnapshot(None)
        head = self._heads.saw(run_id, run.to_dict())
        entry = head.entry(collector)
        return JobSnapshot(
            run=head.run,
            entry=entry,
            job=documents.job_of(job, head.run) if job.exists else None,
            answer=documents.answer_of(answer.to_dict()) if answer.exists else None,
            blocked=entry is not None and self._is_blocked(entry),
        )

    def claim(self, run_id: str, collector: str, *, holder: str, now: datetime) -> Claim:
        """See :meth:`fanfold.ports.ledger.Jobs.claim`."""
        head = self._heads.get(run_id)
        entry = head.entry(collector) if head is not None else None
        if head is None or entry is None or entry.skip is not None:
            run = head.run if head is not None else None
            return decide(JobSnapshot(run, entry), holder=holder, now=now)
        # Threads of one process share its name: the token tells this claim's write from theirs.
        token = uuid.uuid4().hex
        reference = self._job(run_id, collector)
        untouched = head.untouched(collector) if entry.queue_behind is None else None
        granted: Granted | None = None

        def attempt() -> Claim:
            nonlocal granted, untouched
            if untouched is not None:
                (job, stored_at), untouched = untouched, None
                claimed = decide(JobSnapshot(head.run, entry, job), holder=holder, now=now)
                if isinstance(claimed, Granted):
                    granted = claimed
                    self._write(reference, claimed, token, stored_at)
                    return claimed
            snapshot = self._store.read(reference)
            lease = snapshot.to_dict().get("lease") if snapshot.exists else None
            if granted is not None and lease is not None and lease["token"] == token:
                return granted
            claimed = decide(self._seen(head, entry, snapshot), holder=holder, now=now)
            if isinstance(claimed, Granted):
                granted = claimed
                self._write(reference, claimed, token, snapshot.update_time)
            return claimed

        claimed = self._store.contend(f"job {run_id}/{collector}", attempt)
        if isinstance(claimed, Granted):
            self._projection.working(head, claimed.job)
        return claimed

    def _seen(self, head: CachedRun, entry: Entry, snapshot: Any) -> JobSnapshot:
        """Return the standing of the job in *snapshot*.

        The run is as this process last saw it: a final run has an answer for every collector that
        it asked, and an answer is in the job's document from the same commit on.
        """
        if not snapshot.exists:
            return JobSnapshot(head.run, entry, blocked=self._is_blocked(entry))
        job = documents.job_of(snapshot, head.run)
        answer = None
        if job.answered:
            found = self._store.read(self._answer(job.run_id, job.collector))
            answer = documents.answer_of(found.to_dict()) if found.exists else None
        return JobSnapshot(head.run, entry, job, answer, blocked=self._is_blocked(entry))

    def _is_blocked(self, entry: Entry) -> bool:
        """Return whether the earlier run that *entry* is queued behind still waits for it."""
        behind = entry.queue_behind
        if behind is None or self._heads.get(behind) is None:
            return False
        wanted = [self._heads.document(behind), self._job(behind, entry.name)]
        run, job = self._store.read_all(wanted)
        is_open = run.exists and run.get("phase") != Phase.FINAL.value
        return bool(is_open and job.exists and not job.get("answered"))

    def _write(self, reference: Any, granted: Granted, token: str, at: Any) -> None:
        """Store the grant if the job was last written *at* that moment, None for never."""
        document = documents.job_document(granted.job, granted.entry, granted.run, token=token)
        batch = self._store.batch()
        if at is None:
            batch.create(reference, document)
        else:
            taken = {name: document[name] for name in _TAKEN}
            batch.update(reference, taken, option=self._store.unchanged(at))
        try:
            self._store.commit(batch)
        except (api.AlreadyExists, api.FailedPrecondition, api.NotFound) as exc:
            raise StaleRead from exc

    def _job(self, run_id: str, collector: str) -> Any:
        name = checked_name(collector)
        return self._heads.document(run_id).collection("collectors").document(name)

    def _answer(self, run_id: str, collector: str) -> Any:
        name = checked_name(collector)
        return self._heads.document(run_id).collection("answers").document(name)
