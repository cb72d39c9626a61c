"""How a job is claimed on Firestore.

The job's document is read, the claim is decided, and the lease is written on the condition that the
document has not changed since. If it has, it is read again.

A job that nobody touched since the dispatcher created it is not read. The run remembers when its
jobs were created, and the write is conditional on that.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fanfold.adapters.google.ledger import documents
from fanfold.adapters.google.ledger.console_lines import Projection
from fanfold.adapters.google.ledger.run_cache import RUN_WRITER, CachedRun, RunCache, checked_name
from fanfold.adapters.google.ledger.store import CONDITION_FAILED, StaleRead, Store
from fanfold.domain.model.names import is_collector_name, is_run_id
from fanfold.domain.model.run import Entry
from fanfold.domain.model.states import Phase
from fanfold.domain.rules.claim import Claim, Granted, JobSnapshot, decide

#: What taking a lease changes in a job's document.
_TAKEN = ("about", "fence", "lease", "not_before", "start_time", "started")

#: What it changes beside in that of a job that waited for its source.
_WAITED = ("wait", "waits_for")


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was seen of a job before a claim is decided.

    Args:
        job: What the decision is made on.
        at: When the job's document was last written; None if there is none.
        is_own: Whether that document belongs to the run. If not, a grant replaces all of it.
        token: Whose claim made the document's lease.
    """

    job: JobSnapshot
    at: Any
    is_own: bool
    token: str | None = None


class Claiming:
    """Grants leases."""

    def __init__(self, store: Store, cache: RunCache, projection: Projection) -> None:
        self._store = store
        self._cache = cache
        self._projection = projection

    def snapshot(self, run_id: str, collector: str) -> JobSnapshot:
        """See :meth:`fanfold.ports.ledger.Jobs.snapshot`."""
        cached = self._cache.get(run_id)
        if cached is None or cached.entry(collector) is None or not is_collector_name(collector):
            return JobSnapshot(cached.run if cached is not None else None)
        run_at = self._cache.document(run_id)
        wanted = [run_at, self._job(run_id, collector), self._answer(run_id, collector)]
        run, job, answer = self._store.read_all(wanted)
        if not run.exists:
            return JobSnapshot(None)
        cached = self._cache.saw(run_id, run.to_dict())
        entry = cached.entry(collector)
        has_job, has_answer = cached.owns(job.to_dict()), cached.owns(answer.to_dict())
        return JobSnapshot(
            run=cached.run,
            entry=entry,
            job=cached.job_of(job) if has_job else None,
            answer=cached.answer_of(collector, answer.to_dict()) if has_answer else None,
            blocked=entry is not None and self._is_blocked(entry),
        )

    def claim(self, run_id: str, collector: str, *, holder: str, now: datetime) -> Claim:
        """See :meth:`fanfold.ports.ledger.Jobs.claim`."""
        cached = self._cache.get(run_id)
        entry = cached.entry(collector) if cached is not None else None
        if cached is None or entry is None or entry.skip is not None:
            run = cached.run if cached is not None else None
            return decide(JobSnapshot(run, entry), holder=holder, now=now)
        # Threads of one process share its name: the token tells this claim's write from theirs.
        token = uuid.uuid4().hex
        untouched = self._untouched(cached, entry, holder, now)
        granted: Granted | None = None

        def attempt() -> Claim | None:
            nonlocal granted, untouched
            seen, untouched = untouched or self._look(cached, entry), None
            if seen is None:
                return None
            if granted is not None and seen.token == token:
                return granted
            claimed = decide(seen.job, holder=holder, now=now)
            if isinstance(claimed, Granted):
                granted = claimed
                self._write(cached, claimed, token, seen)
            return claimed

        claimed = self._store.contend(f"job {run_id}/{collector}", attempt)
        if claimed is None:
            # The run that this process knew is gone, and another one has its id.
            return self.claim(run_id, collector, holder=holder, now=now)
        if isinstance(claimed, Granted):
            self._projection.working(cached, claimed.job)
        return claimed

    def _untouched(
        self, cached: CachedRun, entry: Entry, holder: str, now: datetime
    ) -> _Seen | None:
        """Return the job as it was created, without reading it, if it can be granted so.

        The conditional write of the grant tells whether that is still true. Nothing would tell of
        a refusal.
        """
        known = cached.untouched(entry.name) if entry.queue_behind is None else None
        if known is None:
            return None
        job, stored_at = known
        snapshot = JobSnapshot(cached.run, entry, job)
        if not isinstance(decide(snapshot, holder=holder, now=now), Granted):
            return None
        return _Seen(snapshot, stored_at, is_own=True)

    def _look(self, cached: CachedRun, entry: Entry) -> _Seen | None:
        """Return what is stored of the job, None if another run has the id of *cached* by now.

        The run is as this process last saw it: a final run has an answer for every collector that
        it asked, and an answer is in the job's document from the same commit on.
        """
        run_id = cached.run.run_id
        snapshot = self._store.read(self._job(run_id, entry.name))
        blocked = self._is_blocked(entry)
        document = snapshot.to_dict()
        if not cached.owns(document):
            if document is not None and self._cache.refreshed(run_id) is not cached:
                return None
            job = JobSnapshot(cached.run, entry, blocked=blocked)
            return _Seen(job, snapshot.update_time, is_own=False)
        stored = cached.job_of(snapshot)
        answer = None
        if stored.answered:
            found = self._store.read(self._answer(run_id, entry.name)).to_dict()
            answer = cached.answer_of(entry.name, found) if cached.owns(found) else None
        job = JobSnapshot(cached.run, entry, stored, answer, blocked=blocked)
        lease = document.get("lease")
        token = lease.get("token") if isinstance(lease, dict) else None
        return _Seen(job, snapshot.update_time, is_own=True, token=token)

    def _write(self, cached: CachedRun, granted: Granted, token: str, seen: _Seen) -> None:
        """Store the grant, if the job's document is still as it was *seen*."""
        document = cached.marked(
            documents.job_document(granted.job, granted.entry, granted.run, token=token)
        )
        reference = self._job(granted.job.run_id, granted.job.collector)
        batch = self._store.batch()
        if seen.at is None:
            batch.create(reference, document)
        else:
            taken = (*_TAKEN, *_WAITED) if granted.job.wait is not None else _TAKEN
            changes = {name: document[name] for name in taken} if seen.is_own else document
            batch.update(reference, changes, option=self._store.unchanged(seen.at))
        try:
            self._store.commit(batch)
        except CONDITION_FAILED as exc:
            raise StaleRead from exc

    def _job(self, run_id: str, collector: str) -> Any:
        name = checked_name(collector)
        return self._cache.document(run_id).collection("collectors").document(name)

    def _answer(self, run_id: str, collector: str) -> Any:
        name = checked_name(collector)
        return self._cache.document(run_id).collection("answers").document(name)

    def _is_blocked(self, entry: Entry) -> bool:
        """Return whether the earlier run that *entry* is queued behind still waits for it."""
        behind = entry.queue_behind
        if behind is None or not is_run_id(behind):
            return False
        run, job = self._store.read_all(
            [self._cache.document(behind), self._job(behind, entry.name)]
        )
        of_run, of_job = run.to_dict() or {}, job.to_dict()
        if not run.exists or of_run.get("phase") == Phase.FINAL.value or not of_job:
            return False
        return bool(of_job.get(RUN_WRITER) == of_run.get(RUN_WRITER) and not of_job.get("answered"))
