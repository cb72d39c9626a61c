"""The Firestore ledger's memory of sources: see :class:`fanfold.ports.ledger.Upstreams`.

One document for each source, written on the condition that it is still as it was read. Only calls
at this very source touch it: a run's other collectors do not meet there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from fanfold.adapters.damage import of_upstream
from fanfold.adapters.google.ledger import documents
from fanfold.adapters.google.ledger.store import CONDITION_FAILED, StaleRead, Store
from fanfold.domain.model.upstream import UpstreamState

T = TypeVar("T")

#: What stands before a source's name in the id of its document in ``fanfold_state``. No collector
#: can be called so: a name holds no dot.
_PREFIX = "upstream."


class FirestoreUpstreams:
    """See :class:`fanfold.ports.ledger.Upstreams`."""

    store: Store

    def change_upstream(
        self, name: str, change: Callable[[UpstreamState], tuple[UpstreamState, T]]
    ) -> T:
        """See :meth:`fanfold.ports.ledger.Upstreams.change_upstream`."""
        reference = self._upstream(name)

        def attempt() -> T:
            snapshot = self.store.read(reference)
            before = self._state_of(name, snapshot.to_dict())
            after, result = change(before)
            if after != before:
                document = {"about": _about(name, after), **documents.native(after)}
                batch = self.store.batch()
                if snapshot.exists:
                    unchanged = self.store.unchanged(snapshot.update_time)
                    batch.update(reference, document, option=unchanged)
                else:
                    batch.create(reference, document)
                try:
                    self.store.commit(batch)
                except CONDITION_FAILED as exc:
                    raise StaleRead from exc
            return result

        return self.store.contend(f"upstream {name}", attempt)

    def upstreams(self, names: Sequence[str]) -> Mapping[str, UpstreamState]:
        """See :meth:`fanfold.ports.ledger.Upstreams.upstreams`."""
        if not names:
            return {}
        found = self.store.read_all([self._upstream(name) for name in names])
        return {
            name: self._state_of(name, snapshot.to_dict())
            for name, snapshot in zip(names, found, strict=True)
        }

    def _upstream(self, name: str) -> Any:
        return self.store.collection("fanfold_state").document(_PREFIX + name)

    def _state_of(self, name: str, document: Mapping[str, Any] | None) -> UpstreamState:
        if document is None:
            return UpstreamState()
        return self.store.damage.read(
            of_upstream(name),
            lambda: documents.value_of(UpstreamState, document),
            lambda _: UpstreamState(),
        )


def _about(name: str, state: UpstreamState) -> str:
    """Return what a reader of Firestore's console is told of a source."""
    if state.opened_at is not None:
        return f"{name} is down since {state.opened_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{name}: {len(state.places)} calls with a place, {len(state.failed)} failed in a row"
