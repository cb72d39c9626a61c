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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fanfold.adapters.damage import of_message
from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.ledger.dead_letters import insert_letter
from fanfold.adapters.embedded.ledger.rows import as_json, attributes_of
from fanfold.adapters.embedded.micros import from_micros_near, micros
from fanfold.domain.model.errors import BusUnavailable, StoreUnavailable
from fanfold.domain.rules.backoff import backoff_s
from fanfold.messages.topology import Subscription, Topology
from fanfold.ports.bus import Delivery, Message
from fanfold.ports.ledger import DeadLetter
from fanfold.ports.outside import Clock

#: How long a message that no function reads is kept: Pub/Sub's own default retention, in seconds.
RETENTION_S = 7 * 86_400.0

#: Largest message, in bytes: what one Pub/Sub publish request takes.
MAX_MESSAGE_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class LeasedMessage:
    """A delivery under lease: ``position`` is its row."""

    position: int
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a held message: ``error`` None acknowledges it, else it comes back.

    ``after_s`` is the wait that the function asked for; None leaves it to the subscription's
    backoff.
    """

    held: LeasedMessage
    error: str | None = None
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class PullRequest:
    """How many messages a subscription's workers can take.

    ``limit_held`` bounds the messages under a live lease of all processes on the file; None does
    not. ``lease_s`` is the length of the lease in seconds; None is the subscription's ack deadline.
    """

    subscription: str
    count: int
    limit_held: int | None = None
    lease_s: float | None = None


#: Rows whose position is in a JSON list: one statement for any number of them.
_AMONG = "position IN (SELECT value FROM json_each(?))"


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
        self.jitter = jitter
        # Message ids: one random name for this object, and a number.
        self._name = uuid.uuid4().hex[:16]
        self._number = itertools.count(1)
        #: Set by whatever may give a host in this process something to do.
        self.stirred = threading.Event()

    def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        """See :meth:`fanfold.ports.bus.Bus.publish`.

        An event that still waits under the same ``ce-id`` is not queued a second time.
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
                "published_at, visible_at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
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
        acknowledged = _positions(each.held.position for each in done if each.error is None)
        # Drawn outside: the work below may be run again after a roll-back.
        returned = [(each, self._wait_s(each)) for each in done if each.error is not None]

        def swap(connection: sqlite3.Connection) -> list[LeasedMessage]:
            if acknowledged:
                connection.execute("DELETE FROM queued WHERE " + _AMONG, (acknowledged,))
            for each, wait_s in returned:
                self._return(connection, each, wait_s, holder, now)
            held: list[LeasedMessage] = []
            for want in wants:
                held += self._lease(connection, want, holder, now)
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
                micros(now + timedelta(seconds=lease_s or self._of(each).ack_deadline_s)),
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
        marks = ",".join("?" * len(subscriptions))
        row = self.database.row(
            f"SELECT min(visible_at) FROM queued WHERE subscription IN ({marks})",
            tuple(subscriptions),
        )
        return None if row[0] is None else from_micros_near(row[0])

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
        return [self._held(subscription, row).delivery for row in rows]

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

    def _lease(
        self, connection: sqlite3.Connection, want: PullRequest, holder: str, now: datetime
    ) -> list[LeasedMessage]:
        subscription = self.topology.subscriptions[want.subscription]
        count = want.count
        if want.limit_held is not None:
            held = connection.execute(
                "SELECT count(*) FROM queued WHERE subscription = ? AND holder IS NOT NULL "
                "AND visible_at > ?",
                (want.subscription, micros(now)),
            ).fetchone()[0]
            count = min(count, want.limit_held - held)
        if count <= 0:
            return []
        until = micros(now + timedelta(seconds=want.lease_s or subscription.ack_deadline_s))
        limit = subscription.max_delivery_attempts
        rows: list[Sequence[Any]] = []
        for *row, last_error in connection.execute(
            "SELECT position, message_id, data, attributes, published_at, attempt + 1, last_error "
            "FROM queued WHERE subscription = ? AND visible_at <= ? "
            "ORDER BY visible_at, position LIMIT ?",
            (want.subscription, micros(now), count),
        ).fetchall():
            if limit is None or row[5] <= limit:
                rows.append(row)
                continue
            # Its last delivery was never settled: whoever had it died of it, or hung.
            why = "never settled" + (f" (before that: {last_error})" if last_error else "")
            _bury(
                connection, Settlement(self._held(want.subscription, (*row[:5], limit)), why), now
            )
        if rows:
            connection.execute(
                "UPDATE queued SET visible_at = ?, holder = ?, attempt = attempt + 1 WHERE "
                + _AMONG,
                (until, holder, _positions(row[0] for row in rows)),
            )
        return [self._held(want.subscription, row) for row in rows]

    def _return(
        self,
        connection: sqlite3.Connection,
        done: Settlement,
        wait_s: float,
        holder: str,
        now: datetime,
    ) -> None:
        """Put a message back, or lay it among the dead letters if it was delivered too often."""
        held = done.held
        if self._is_dead(done):
            _bury(connection, done, now)
            return
        connection.execute(
            "UPDATE queued SET visible_at = ?, holder = NULL, last_error = ?, "
            "attempt = attempt - ? WHERE position = ? AND attempt = ? AND holder = ?",
            (
                micros(now + timedelta(seconds=wait_s)),
                done.error,
                0 if done.after_s is None else 1,
                held.position,
                held.delivery.attempt,
                holder,
            ),
        )

    def _is_dead(self, done: Settlement) -> bool:
        limit = self._of(done.held).max_delivery_attempts
        attempt = done.held.delivery.attempt or 1
        return done.after_s is None and limit is not None and attempt >= limit

    def _wait_s(self, done: Settlement) -> float:
        if done.after_s is not None:
            return done.after_s
        subscription = self._of(done.held)
        return max(
            backoff_s(
                done.held.delivery.attempt or 1,
                base_s=subscription.min_backoff_s,
                cap_s=subscription.max_backoff_s,
                jitter=self.jitter(),
            ),
            subscription.min_backoff_s / 10,
        )

    def _of(self, held: LeasedMessage) -> Subscription:
        return self.topology.subscriptions[held.delivery.subscription]

    def _held(self, subscription: str, row: Sequence[Any]) -> LeasedMessage:
        position, message_id, data, attributes, published_at, attempt = row
        read = self.database.damage.read(
            of_message(subscription, message_id), lambda: attributes_of(attributes), lambda _: {}
        )
        delivery = Delivery(
            Message(data, read),
            message_id,
            from_micros_near(published_at),
            subscription,
            attempt,
        )
        return LeasedMessage(position, delivery)


def _positions(positions: Iterable[int]) -> str:
    """Return *positions* as the JSON list that :data:`_AMONG` reads; empty for none."""
    listed = ",".join(map(str, positions))
    return f"[{listed}]" if listed else ""


def _bury(connection: sqlite3.Connection, done: Settlement, now: datetime) -> None:
    """Turn a message into a dead letter."""
    delivery = done.held.delivery
    letter = DeadLetter(
        delivery.message_id,
        delivery.subscription,
        f"delivered {delivery.attempt} times, the last time: {done.error}",
        delivery.message.data,
        delivery.message.attributes,
        now,
    )
    insert_letter(connection, letter)
    connection.execute("DELETE FROM queued WHERE position = ?", (done.held.position,))


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_MESSAGE_BYTES:
        raise BusUnavailable(
            f"a message of {len(data)} bytes is over the limit of {MAX_MESSAGE_BYTES}"
        )
    return data
