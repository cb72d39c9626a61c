"""The Firestore ledger's jobs: see :class:`fanfold.ports.ledger.Jobs`.

One document per collector, ``collectors/{name}`` below its run. It holds all that a claim needs:
the commit that creates an answer also notes it there. Every change of a lease is written on the
condition that the document is still as it was read, and decided again if it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from google.api_core import exceptions as api

from fanfold.adapters.google.ledger import documents, size_limits
from fanfold.adapters.google.ledger.claims import Claiming
from fanfold.adapters.google.ledger.console_lines import Projection
from fanfold.adapters.google.ledger.run_cache import (
    RUN_WRITER,
    CachedRun,
    JobsMade,
    RunCache,
    checked_name,
)
from fanfold.adapters.google.ledger.store import StaleRead, Store, batches, condition
from fanfold.domain.model.errors import BadMessage, UnknownRun
from fanfold.domain.model.names import is_collector_name
from fanfold.domain.model.run import Attempt, Job, Lease
from fanfold.domain.model.states import Phase
from fanfold.domain.model.upstream import Wait
from fanfold.domain.protocol.contract import Progress
from fanfold.domain.rules.claim import Claim, JobSnapshot
from fanfold.messages.records import instant_text

#: What one job's document may take in a commit, in bytes; those without attempts take less.
_JOB_BYTES = 2_000

#: What :meth:`FirestoreJobs.check` reads of a job.
_LEASE_FIELDS = ["answered", "fence", "lease", RUN_WRITER]


class FirestoreJobs:
    """See :class:`fanfold.ports.ledger.Jobs`."""

    store: Store
    cache: RunCache
    projection: Projection
    claiming: Claiming

    def create_jobs(self, run_id: str, jobs: Sequence[Job]) -> None:
        """See :meth:`fanfold.ports.ledger.Jobs.create_jobs`.

        Raises:
            UnknownRun: There is no such run.
        """
        cached = self.cache.get(run_id)
        if cached is None:
            raise UnknownRun(run_id)
        for group in batches((job, _JOB_BYTES) for job in jobs):
            try:
                results = self._create(cached, group)
            except api.AlreadyExists:
                self._create_missing(cached, group)
            else:
                self._remember(cached, group, results)

    def snapshot(self, run_id: str, collector: str) -> JobSnapshot:
        """See :meth:`fanfold.ports.ledger.Jobs.snapshot`."""
        return self.claiming.snapshot(run_id, collector)

    def claim(self, run_id: str, collector: str, *, holder: str, now: datetime) -> Claim:
        """See :meth:`fanfold.ports.ledger.Jobs.claim`."""
        return self.claiming.claim(run_id, collector, holder=holder, now=now)

    def claim_all(
        self, keys: Sequence[tuple[str, str]], *, holder: str, now: datetime
    ) -> Sequence[Claim]:
        """See :meth:`fanfold.ports.ledger.Jobs.claim_all`."""
        return [self.claim(*key, holder=holder, now=now) for key in keys]

    def check(self, lease: Lease, *, now: datetime) -> bool:
        """See :meth:`fanfold.ports.ledger.Jobs.check`."""
        cached = self.cache.get(lease.run_id)
        snapshot = self.store.read(self._job(lease.run_id, lease.collector), _LEASE_FIELDS)
        document = snapshot.to_dict()
        if cached is None or not cached.owns(document):
            return False
        try:
            held = documents.lease_of(document, lease.run_id, lease.collector)
        except (BadMessage, TypeError):  # nobody holds what cannot be read
            return False
        return _is_held(document, lease) and held is not None and now < held.until

    def release(self, lease: Lease, attempt: Attempt, *, not_before: datetime) -> bool:
        """See :meth:`fanfold.ports.ledger.Jobs.release`."""
        return self._end_lease(lease, attempt, not_before=not_before)

    def accept(self, lease: Lease, attempt: Attempt, *, until: datetime) -> bool:
        """See :meth:`fanfold.ports.ledger.Jobs.accept`."""
        return self._end_lease(lease, attempt, accepted_until=until)

    def wait(self, lease: Lease, wait: Wait | None) -> bool:
        """See :meth:`fanfold.ports.ledger.Jobs.wait`."""

        def free(job: Job) -> Job:
            return replace(job, started=job.started - 1, wait=wait or job.wait)

        return self._give_back(lease, free, lambda job: job.wait == (wait or job.wait))

    def waiting_for(self, upstream: str, *, run_id: str, limit: int) -> Sequence[tuple[str, str]]:
        """See :meth:`fanfold.ports.ledger.Jobs.waiting_for`. They are those of the one run."""
        cached = self.cache.get(run_id)
        if cached is None:
            return []
        waiting = self._jobs(run_id).where(filter=condition("waits_for", "==", upstream))
        found = self.store.select(waiting.select(["answered", RUN_WRITER]), limit=limit)
        return [
            (run_id, job.id)
            for job in found
            if cached.owns(job.to_dict()) and not job.to_dict().get("answered")
        ]

    def note_progress(self, run_id: str, collector: str, progress: Progress, at: datetime) -> None:
        """See :meth:`fanfold.ports.ledger.Jobs.note_progress`."""
        said = {
            "at": at,
            "fraction": progress.fraction,
            "message": None
            if progress.message is None
            else size_limits.cut(progress.message, 2000),
        }
        self._update(run_id, [collector], {"progress": said})

    def republished(self, run_id: str, collectors: Sequence[str], at: datetime) -> None:
        """See :meth:`fanfold.ports.ledger.Jobs.republished`."""
        self._update(run_id, collectors, {"published_at": at})

    def jobs(self, run_id: str) -> Sequence[Job]:
        """See :meth:`fanfold.ports.ledger.Jobs.jobs`."""
        cached = self.cache.get(run_id)
        if cached is None:
            return []
        jobs = [
            cached.job_of(snapshot)
            for snapshot in self.store.select(self._jobs(run_id).order_by("__name__"))
            if cached.owns(snapshot.to_dict())
        ]
        for job in jobs:
            self.projection.working(cached, job)
        return jobs

    def busy(self, collectors: Sequence[str]) -> Mapping[str, str]:
        """See :meth:`fanfold.ports.ledger.Jobs.busy`."""
        wanted = set(collectors)
        busy: dict[str, str] = {}
        if not wanted:
            return busy
        # Two small queries instead of one over all runs' jobs, which would take an index more.
        open_runs = self.store.select(
            self.store.collection("fanfold_runs")
            .where(filter=condition("phase", "in", [Phase.PREPARING.value, Phase.OPEN.value]))
            .select(["start_time", RUN_WRITER])
        )
        for run in sorted(open_runs, key=_start_text):
            waiting = self._jobs(run.id).where(filter=condition("answered", "==", value=False))
            for job in self.store.select(waiting.select(["answered", RUN_WRITER])):
                is_of_run = job.to_dict().get(RUN_WRITER) == run.to_dict().get(RUN_WRITER)
                if job.id in wanted and is_of_run:
                    busy[job.id] = run.id
        return busy

    def _jobs(self, run_id: str) -> Any:
        return self.cache.document(run_id).collection("collectors")

    def _job(self, run_id: str, collector: str) -> Any:
        return self._jobs(run_id).document(checked_name(collector))

    def _create(self, cached: CachedRun, jobs: Sequence[Job]) -> Sequence[Any]:
        batch = self.store.batch()
        for job in jobs:
            document = self._document(cached, job)
            if document is not None:
                batch.create(self._job(job.run_id, job.collector), document)
        return self.store.commit(batch)

    def _create_missing(self, cached: CachedRun, jobs: Sequence[Job]) -> None:
        """Store those of *jobs* that are not there; replace those that an earlier run left."""

        def create() -> None:
            found = self.store.read_all([self._job(job.run_id, job.collector) for job in jobs])
            batch = self.store.batch()
            for job, snapshot in zip(jobs, found, strict=True):
                document = self._document(cached, job)
                if document is None or cached.owns(snapshot.to_dict()):
                    continue
                if snapshot.exists:
                    unchanged = self.store.unchanged(snapshot.update_time)
                    batch.update(snapshot.reference, document, option=unchanged)
                else:
                    batch.create(snapshot.reference, document)
            if len(batch):
                self.store.commit(batch)

        self.store.contend(f"jobs of {cached.run.run_id}", create)

    def _document(self, cached: CachedRun, job: Job) -> dict[str, Any] | None:
        """Return the job's whole document, None if the run has no such collector."""
        entry = cached.entry(job.collector)
        if entry is None:
            return None
        return cached.marked(documents.job_document(job, entry, cached.run))

    def _remember(self, cached: CachedRun, jobs: Sequence[Job], results: Sequence[Any]) -> None:
        """Remember when *jobs* were created, if all of them are as a claim would expect."""
        places = [cached.asked.get(job.collector, -1) for job in jobs]
        as_expected = all(
            job == Job(cached.run.run_id, job.collector, jobs[0].published_at, cached.run.deadline)
            for job in jobs
        )
        stored_at = {result.update_time for result in results}
        if not as_expected or len(stored_at) != 1 or places != _row(places[0], len(jobs)):
            return
        made = JobsMade(jobs[0].collector, len(jobs), stored_at.pop(), jobs[0].published_at)
        cached.made_here.append(made)

    def _update(self, run_id: str, collectors: Sequence[str], changes: Mapping[str, Any]) -> None:
        """Write *changes* to those of the jobs that exist."""
        if self.cache.get(run_id) is None:
            return
        known = [name for name in collectors if is_collector_name(name)]
        for group in batches((name, _JOB_BYTES) for name in known):
            try:
                self._write(run_id, group, changes)
            except api.NotFound:
                for name in group:
                    try:
                        self._write(run_id, [name], changes)
                    except api.NotFound:
                        continue

    def _write(self, run_id: str, collectors: Sequence[str], changes: Mapping[str, Any]) -> None:
        batch = self.store.batch()
        for name in collectors:
            batch.update(self._job(run_id, name), dict(changes))
        self.store.commit(batch)

    def _end_lease(self, lease: Lease, attempt: Attempt, **then: datetime) -> bool:
        ended = size_limits.fit_attempts([attempt])[0]

        def end(job: Job) -> Job:
            attempts = tuple(size_limits.fit_attempts([*job.attempts, ended]))
            return replace(job, attempts=attempts, **then)  # type: ignore[arg-type]

        return self._give_back(lease, end, lambda job: ended in job.attempts)

    def _give_back(
        self, lease: Lease, change: Callable[[Job], Job], is_changed: Callable[[Job], bool]
    ) -> bool:
        """Free the job of *lease* and store the rest of *change*; return whether it was held.

        *is_changed* tells of a job that is not held whether this very change was made to it.
        """
        reference = self._job(lease.run_id, lease.collector)
        cached = self.cache.get(lease.run_id)
        entry = cached.entry(lease.collector) if cached is not None else None
        if cached is None or entry is None:
            return False
        tried = False

        def give_back() -> bool:
            nonlocal tried
            snapshot = self.store.read(reference)
            document = snapshot.to_dict()
            if not cached.owns(document):
                return False
            job = cached.job_of(snapshot)
            if not _is_held(document, lease):
                # The commit of an earlier attempt of this call may have lost its reply.
                return tried and is_changed(job)
            after = replace(change(job), lease=None)
            batch = self.store.batch()
            changes = documents.given_back(job, after, entry)
            batch.update(reference, changes, option=self.store.unchanged(snapshot.update_time))
            tried = True
            try:
                self.store.commit(batch)
            except (api.FailedPrecondition, api.NotFound) as exc:
                raise StaleRead from exc
            self.projection.working(cached, after)
            return True

        return self.store.contend(f"job {lease.run_id}/{lease.collector}", give_back)


def _start_text(snapshot: Any) -> str:
    """Return the start of the run in *snapshot*, in the order of time; empty if it has none."""
    at = snapshot.to_dict().get("start_time")
    return instant_text(at) if isinstance(at, datetime) else ""


def _is_held(document: Mapping[str, Any], lease: Lease) -> bool:
    return (
        not document.get("answered")
        and document.get("lease") is not None
        and document.get("fence") == lease.fence
    )


def _row(first: int, count: int) -> list[int]:
    return list(range(first, first + count)) if first >= 0 else []
