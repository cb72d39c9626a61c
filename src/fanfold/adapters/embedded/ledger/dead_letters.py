"""The embedded ledger's dead letters: see :class:`fanfold.ports.ledger.DeadLetters`."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fanfold.adapters.damage import of_letter
from fanfold.adapters.embedded.ledger.rows import OnDatabase, as_json, attributes_of
from fanfold.adapters.embedded.micros import (
    from_micros_near,
    from_micros_or_none,
    micros,
)
from fanfold.ports.ledger import DeadLetter


class SqliteDeadLetters(OnDatabase):
    """See :class:`fanfold.ports.ledger.DeadLetters`."""

    def park(self, letter: DeadLetter) -> None:
        """See :meth:`fanfold.ports.ledger.DeadLetters.park`."""

        def insert(connection: sqlite3.Connection) -> None:
            insert_letter(connection, letter)

        self.database.write(insert)

    def dead_letters(self, limit: int) -> Sequence[DeadLetter]:
        """See :meth:`fanfold.ports.ledger.DeadLetters.dead_letters`."""
        rows = self.database.rows(
            "SELECT letter_id, subscription, reason, data, attributes, received_at, replayed_at "
            "FROM dead_letter ORDER BY received_at DESC, letter_id LIMIT ?",
            (limit,),
        )
        return [self._letter(row) for row in rows]

    def _letter(self, row: tuple[Any, ...]) -> DeadLetter:
        """Return the letter in *row*, as far as it can be read."""
        letter_id, subscription, reason, data, attributes, received_at, replayed_at = row

        def letter(read: Mapping[str, str], replayed_at: datetime | None) -> DeadLetter:
            at = from_micros_near(received_at)
            return DeadLetter(letter_id, subscription, reason, data, read, at, replayed_at)

        return self.damage.read(
            of_letter(letter_id),
            lambda: letter(attributes_of(attributes), from_micros_or_none(replayed_at)),
            lambda _: letter({}, None),
        )

    def count_dead_letters(self) -> Mapping[str, int]:
        """Return how many letters were not replayed, by the subscription that they came by."""
        return dict(
            self.database.rows(
                "SELECT subscription, count(*) FROM dead_letter WHERE replayed_at IS NULL "
                "GROUP BY subscription"
            )
        )

    def mark_replayed(self, letter_id: str, at: datetime) -> None:
        """See :meth:`fanfold.ports.ledger.DeadLetters.mark_replayed`."""

        def mark(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE dead_letter SET replayed_at = ? WHERE letter_id = ?",
                (micros(at), letter_id),
            )

        self.database.write(mark)


def insert_letter(connection: sqlite3.Connection, letter: DeadLetter) -> None:
    """Store *letter* on *connection*, inside its caller's transaction."""
    connection.execute(
        "INSERT INTO dead_letter (letter_id, subscription, reason, data, attributes, received_at) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            letter.letter_id,
            letter.subscription,
            letter.reason,
            letter.data,
            as_json(dict(letter.attributes)),
            micros(letter.received_at),
        ),
    )
