"""The Firestore ledger's pauses: see :class:`fanfold.ports.ledger.Pauses`.

They are one document, which a person reads in the console: ``about`` says what is paused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from fanfold.adapters.damage import of_pauses
from fanfold.adapters.google.ledger import documents
from fanfold.adapters.google.ledger.store import Store
from fanfold.domain.model.pause import Pause
from fanfold.domain.rules import pauses

#: The document in ``fanfold_state`` that holds them. No collector can be called so: a name holds
#: no dot.
_DOCUMENT = "schedules.paused"

#: Most pauses that ``about`` spells out.
_TOLD = 5


class FirestorePauses:
    """See :class:`fanfold.ports.ledger.Pauses`."""

    store: Store

    def pauses(self) -> Sequence[Pause]:
        """See :meth:`fanfold.ports.ledger.Pauses.pauses`."""
        return self._pauses_of(self.store.read(self._paused()).to_dict())

    def change_pauses(
        self, change: Callable[[Sequence[Pause]], Sequence[Pause]]
    ) -> Sequence[Pause]:
        """See :meth:`fanfold.ports.ledger.Pauses.change_pauses`."""

        def attempt() -> Sequence[Pause]:
            snapshot = self.store.read(self._paused())
            changed = change(self._pauses_of(snapshot.to_dict()))
            document = {"about": _about(changed), "pauses": documents.native(tuple(changed))}
            batch = self.store.batch()
            if snapshot.exists:
                unchanged = self.store.unchanged(snapshot.update_time)
                batch.update(self._paused(), document, option=unchanged)
            else:
                batch.create(self._paused(), document)
            self.store.commit(batch)
            return changed

        return self.store.contend("pauses", attempt)

    def _pauses_of(self, document: dict[str, Any] | None) -> Sequence[Pause]:
        stored = (document or {}).get("pauses")
        found = (
            self.store.damage.read(
                of_pauses(), partial(documents.value_of, Pause, each), lambda _: None
            )
            for each in (stored if isinstance(stored, list) else ())
        )
        return tuple(each for each in found if each is not None)

    def _paused(self) -> Any:
        return self.store.collection("fanfold_state").document(_DOCUMENT)


def _about(found: Sequence[Pause]) -> str:
    """Return what is paused, in words; a pause that ends by itself says until when."""
    lasting = [each for each in found if each.resumed_at is None]
    told = [pauses.sentence(each, "UTC") for each in lasting[-_TOLD:]]
    more = len(lasting) - len(told)
    return "; ".join(told + ([f"and {more} more"] if more > 0 else [])) or "nothing is paused"
