"""The leases of the embedded bus: who has a message, for how long, and what becomes of it then.

These are steps inside a commit of :class:`~fanfold.adapters.embedded.bus.SqliteBus`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fanfold.adapters.damage import Damage, of_message
from fanfold.adapters.embedded.ledger.dead_letters import insert_letter
from fanfold.adapters.embedded.ledger.rows import attributes_of
from fanfold.adapters.embedded.micros import from_micros_near, micros
from fanfold.domain.rules.backoff import backoff_s
from fanfold.messages.topology import Subscription, Topology
from fanfold.ports.bus import Delivery, Message
from fanfold.ports.ledger import DeadLetter


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
AMONG = "position IN (SELECT value FROM json_each(?))"


class Leases:
    """Gives and takes back the leases of messages.

    Args:
        topology: How long a subscription's leases last, and how often it delivers.
        damage: Told of a message whose attributes cannot be read.
        jitter: Draws from ``[0, 1)`` for the backoff.
    """

    def __init__(self, topology: Topology, damage: Damage, jitter: Callable[[], float]) -> None:
        self.topology = topology
        self.damage = damage
        self.jitter = jitter

    def give(
        self, connection: sqlite3.Connection, want: PullRequest, holder: str, now: datetime
    ) -> list[LeasedMessage]:
        """Lease to *holder* what *want* has room for, and return it.

        What used up its deliveries becomes a dead letter.
        """
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
            _bury(connection, Settlement(self.read(want.subscription, (*row[:5], limit)), why), now)
        if rows:
            connection.execute(
                "UPDATE queued SET visible_at = ?, holder = ?, attempt = attempt + 1 WHERE "
                + AMONG,
                (until, holder, positions(row[0] for row in rows)),
            )
        return [self.read(want.subscription, row) for row in rows]

    def take_back(
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

    def wait_s(self, done: Settlement) -> float:
        """Return how long the message of *done* waits before it comes back, in seconds."""
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

    def read(self, subscription: str, row: Sequence[Any]) -> LeasedMessage:
        """Return the message of *row*, whatever its attributes are."""
        position, message_id, data, attributes, published_at, attempt = row
        read = self.damage.read(
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


def positions(rows: Iterable[int]) -> str:
    """Return the positions *rows* as the JSON list that :data:`AMONG` reads; empty for none."""
    listed = ",".join(map(str, rows))
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
