"""The embedded bus: a durable queue with Pub/Sub's own words, on the ledger's SQLite file.

A message is one row for each subscription of its topic. Pulling leases it for the subscription's
ack deadline and counts a delivery; a message that is neither acknowledged nor extended in time is
delivered again. A nack puts it back after a backoff. A message that used up its deliveries becomes
a dead letter with the last error as its reason. One that says itself when to come back only waits:
that delivery does not count.
"""

from __future__ import annotations

import itertools
import sqlite3
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.leases import (
    AMONG,
    LeasedMessage,
    Leases,
    PullRequest,
    Settlement,
    positions,
)
from fanfold.adapters.embedded.ledger.rows import as_json
from fanfold.adapters.embedded.micros import from_micros_near, micros
from fanfold.domain.model.errors import BusUnavailable, StoreUnavailable
from fanfold.messages.topology import Topology
from fanfold.ports.bus import Delivery, Message
from fanfold.ports.outside import Clock

#: How long a message that no function reads is kept: Pub/Sub's own default retention, in seconds.
RETENTION_S = 7 * 86_400.0

#: Largest message, in bytes: what one Pub/Sub publish request takes.
MAX_MESSAGE_BYTES = 10_000_000


class SqliteBus:
    """See :class:`fanfold.ports.bus.Bus`; the host's side of it is :meth:`exchange`.

    Args:
        database: The file.
        topology: Which subscriptions a topic reaches.
        clock: Tells the time.
        jitter: Draws from ``[0, 1)`` for the backoff.
    """

    def __init__(
        self, database: Database, topology: Topology, clock: Clock, jitter: Callable[[], float]
    ) -> None:
        self.database = database
        self.topology = topology
        self.clock = clock
        self._leases = Leases(topology, database.damage, jitter)
        # Message ids: one random name for this object, and a number.
        self._name = uuid.uuid4().hex[:16]
        self._number = itertools.count(1)
        #: Set by whatever may give a host in this process something to do.
        self.stirred = threading.Event()

    def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        """See :meth:`fanfold.ports.bus.Bus.publish`.

        An event that still waits under the same ``ce-id`` is not queued a second time. If nobody
        has it, it is delivered now, however long it was to wait.
        """
        if topic not in self.topology.topics:
            raise BusUnavailable(f"there is no topic {topic!r}")
        now = micros(self.clock.now())
        ids = [f"{self._name}-{next(self._number)}" for _ in messages]
        rows = [
            (
                subscription.name,
                message_id,
                message.attributes.get("ce-id"),
                _bounded(message.data),
                as_json(dict(message.attributes)),
                now,
                now,
            )
            for subscription in self.topology.of_topic(topic)
            for message_id, message in zip(ids, messages, strict=True)
        ]

        def insert(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "INSERT INTO queued (subscription, message_id, event_id, data, attributes, "
                "published_at, visible_at) VALUES (?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (subscription, event_id) WHERE event_id IS NOT NULL DO UPDATE "
                "SET visible_at = excluded.visible_at "
                "WHERE visible_at > excluded.visible_at AND holder IS NULL",
                rows,
            )

        try:
            self.database.write(insert)
        except StoreUnavailable as exc:
            raise BusUnavailable(str(exc)) from exc
        self.stirred.set()
        return ids

    def exchange(
        self, done: Sequence[Settlement], wants: Sequence[PullRequest], *, holder: str
    ) -> Sequence[LeasedMessage]:
        """Settle what is *done* and lease what is wanted, in one commit.

        Messages are handed out in the order they became visible.
        """
        now = self.clock.now()
        acknowledged = positions(each.held.position for each in done if each.error is None)
        # Drawn outside: the work below may be run again after a roll-back.
        returned = [(each, self._leases.wait_s(each)) for each in done if each.error is not None]

        def swap(connection: sqlite3.Connection) -> list[LeasedMessage]:
            if acknowledged:
                connection.execute("DELETE FROM queued WHERE " + AMONG, (acknowledged,))
            for each, wait_s in returned:
                self._leases.take_back(connection, each, wait_s, holder, now)
            held: list[LeasedMessage] = []
            for want in wants:
                held += self._leases.give(connection, want, holder, now)
            return held

        return self.database.write(swap)

    def extend(
        self, held: Sequence[LeasedMessage], *, holder: str, lease_s: float | None = None
    ) -> None:
        """Let the lease of every message in *held* that is still *holder*'s begin anew.

        ``lease_s`` as in :class:`PullRequest`.
        """
        now = self.clock.now()
        rows = [
            (
                micros(
                    now
                    + timedelta(
                        seconds=lease_s
                        or self.topology.subscriptions[each.delivery.subscription].ack_deadline_s
                    )
                ),
                each.position,
                holder,
            )
            for each in held
        ]

        def later(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "UPDATE queued SET visible_at = ? WHERE position = ? AND holder = ?", rows
            )

        if rows:
            self.database.write(later)

    def next_visible_at(self, subscriptions: Sequence[str]) -> datetime | None:
        """Return when the next message of *subscriptions* is visible, None if there is none."""
        if not subscriptions:
            return None
        # One by one: the index has the first of each, and all of them together would be read.
        each = "(SELECT min(visible_at) FROM queued WHERE subscription = ?)"
        row = self.database.row(
            f"SELECT {','.join([each] * len(subscriptions))}", tuple(subscriptions)
        )
        next_at = min((at for at in row if at is not None), default=None)
        return None if next_at is None else from_micros_near(next_at)

    def waiting(self) -> Mapping[str, int]:
        """Return how many messages each subscription has not acknowledged."""
        return {name: count for name, (count, _) in self.backlog().items()}

    def backlog(self) -> Mapping[str, tuple[int, datetime]]:
        """Return, by subscription, how many messages are not acknowledged and the oldest's time."""
        rows = self.database.rows(
            "SELECT subscription, count(*), min(published_at) FROM queued GROUP BY subscription"
        )
        return {name: (count, from_micros_near(oldest)) for name, count, oldest in rows}

    def messages(self, subscription: str, limit: int) -> Sequence[Delivery]:
        """Return the oldest messages of *subscription* without leasing them, for people."""
        rows = self.database.rows(
            "SELECT position, message_id, data, attributes, published_at, attempt FROM queued "
            "WHERE subscription = ? ORDER BY position LIMIT ?",
            (subscription, limit),
        )
        return [self._leases.read(subscription, row).delivery for row in rows]

    def prune(self) -> None:
        """Drop messages that no function reads and that are older than the retention."""
        oldest = micros(self.clock.now() - timedelta(seconds=RETENTION_S))
        unread = [each.name for each in self.topology.subscriptions.values() if not each.function]
        marks = ",".join("?" * len(unread))
        old = self.database.rows(
            f"SELECT position FROM queued WHERE subscription IN ({marks}) AND published_at < ?",
            (*unread, oldest),
        )

        def drop(connection: sqlite3.Connection) -> None:
            connection.executemany("DELETE FROM queued WHERE position = ?", old)

        if old:
            self.database.write(drop)


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_MESSAGE_BYTES:
        raise BusUnavailable(
            f"a message of {len(data)} bytes is over the limit of {MAX_MESSAGE_BYTES}"
        )
    return data
