"""The Firestore ledger's memory of schedules: see :class:`fanfold.ports.ledger.Schedules`."""

from __future__ import annotations

from typing import Any

from fanfold.adapters.damage import of_schedules
from fanfold.adapters.google.ledger import documents
from fanfold.adapters.google.ledger.store import Store
from fanfold.domain.model.known_schedules import KnownSchedules

#: The document in ``fanfold_state`` that holds it. No collector can be called so: a name holds no
#: dot.
_DOCUMENT = "schedules.known"


class FirestoreSchedules:
    """See :class:`fanfold.ports.ledger.Schedules`."""

    store: Store

    def known_schedules(self) -> KnownSchedules | None:
        """See :meth:`fanfold.ports.ledger.Schedules.known_schedules`."""
        document = self.store.read(self._schedules()).to_dict()
        if document is None:
            return None
        return self.store.damage.read(
            of_schedules(), lambda: documents.value_of(KnownSchedules, document), lambda _: None
        )

    def note_schedules(self, known: KnownSchedules) -> None:
        """See :meth:`fanfold.ports.ledger.Schedules.note_schedules`."""
        batch = self.store.batch()
        about = "since when each schedule is in the configuration, and up to when slots were judged"
        batch.set(self._schedules(), {"about": about, **documents.native(known)})
        self.store.commit(batch)

    def _schedules(self) -> Any:
        return self.store.collection("fanfold_state").document(_DOCUMENT)
