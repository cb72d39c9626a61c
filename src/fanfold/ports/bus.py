"""The bus: what carries messages between the functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """What travels on the bus. ``attributes`` as Pub/Sub has them: at most 100 short strings."""

    data: bytes = b""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on its way into a function.

    ``attempt`` counts deliveries from 1, None where the carrier does not say.
    """

    message: Message
    message_id: str
    published_at: datetime
    subscription: str = ""
    attempt: int | None = None


class Bus(Protocol):
    """Carries a message to every subscription of its topic, at least once, in no promised order.

    * **Confirmed.** When publish returns, every message is stored by the bus.
    """

    def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        """Return the message ids, in order, once all are stored.

        Raises:
            BusUnavailable: At least one was not confirmed; any may be delivered all the same.
        """
        ...
