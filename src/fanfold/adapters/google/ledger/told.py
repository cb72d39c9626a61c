"""The Firestore ledger's marks of told events: see :class:`fanfold.ports.ledger.Told`.

Each mark is a document of its own below its run, created once, and expires by itself.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from google.api_core import exceptions as api

from fanfold.adapters.google.ledger.size_limits import cut
from fanfold.adapters.google.ledger.store import Store

#: How long a mark is kept, in days: an event can be delivered again for less than that.
KEPT_DAYS = 90


class FirestoreTold:
    """See :class:`fanfold.ports.ledger.Told`."""

    store: Store

    def is_told(self, run_id: str, mark: str) -> bool:
        """See :meth:`fanfold.ports.ledger.Told.is_told`."""
        found: bool = self.store.read(self._mark(run_id, mark)).exists
        return found

    def mark_told(self, run_id: str, mark: str, at: datetime) -> None:
        """See :meth:`fanfold.ports.ledger.Told.mark_told`."""
        batch = self.store.batch()
        document = {
            "about": f"told: {cut(mark, 300)}",
            "expires_at": at + timedelta(days=KEPT_DAYS),
            "told_at": at,
        }
        batch.create(self._mark(run_id, mark), document)
        try:
            self.store.commit(batch)
        except api.AlreadyExists:
            return

    def _mark(self, run_id: str, mark: str) -> Any:
        digest = hashlib.sha256(mark.encode()).hexdigest()[:32]
        run = self.store.collection("fanfold_runs").document(run_id)
        return run.collection("told").document(digest)
