"""The embedded ledger's memory of sources: see :class:`fanfold.ports.ledger.Upstreams`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

from fanfold.adapters.damage import of_upstream
from fanfold.adapters.embedded.ledger.rows import OnDatabase
from fanfold.domain.model.errors import BadMessage
from fanfold.domain.model.upstream import UpstreamState
from fanfold.domain.rules.upstreams import without_holder
from fanfold.messages import records

T = TypeVar("T")


class SqliteUpstreams(OnDatabase):
    """See :class:`fanfold.ports.ledger.Upstreams`."""

    def change_upstream(
        self, name: str, change: Callable[[UpstreamState], tuple[UpstreamState, T]]
    ) -> T:
        """See :meth:`fanfold.ports.ledger.Upstreams.change_upstream`."""

        def write(connection: sqlite3.Connection) -> T:
            row = connection.execute(
                "SELECT document FROM upstream WHERE name = ?", (name,)
            ).fetchone()
            before = self._state_of(name, row[0]) if row is not None else UpstreamState()
            after, result = change(before)
            if after != before:
                _store(connection, name, after)
            return result

        return self.database.write(write)

    def upstreams(self, names: Sequence[str]) -> Mapping[str, UpstreamState]:
        """See :meth:`fanfold.ports.ledger.Upstreams.upstreams`."""
        if not names:
            return {}
        found = {
            name: self._state_of(name, document)
            for name, document in self.database.rows("SELECT name, document FROM upstream")
        }
        return {name: found.get(name, UpstreamState()) for name in names}

    def _state_of(self, name: str, document: str) -> UpstreamState:
        return self.damage.read(
            of_upstream(name),
            lambda: records.decode(UpstreamState, document),
            lambda _: UpstreamState(),
        )


def free_places(connection: sqlite3.Connection, holder: str) -> None:
    """Give back the places that the process *holder* had at any source, in this commit."""
    held = connection.execute(
        "SELECT name, document FROM upstream WHERE instr(document, ?)", (holder,)
    ).fetchall()
    for name, document in held:
        with suppress(BadMessage):  # who asks next begins anew
            state = records.decode(UpstreamState, document)
            _store(connection, name, without_holder(state, holder))


def _store(connection: sqlite3.Connection, name: str, state: UpstreamState) -> None:
    connection.execute(
        "INSERT INTO upstream VALUES (?1, ?2) ON CONFLICT DO UPDATE SET document = ?2",
        (name, records.encode(state)),
    )
