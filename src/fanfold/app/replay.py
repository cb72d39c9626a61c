"""Replay: publish a dead letter's message again, on the topic that it came from."""

from __future__ import annotations

from fanfold.messages.topology import topology
from fanfold.ports.bus import Bus, Message
from fanfold.ports.ledger import DeadLetter, DeadLetters
from fanfold.ports.outside import Clock


def replay(letter: DeadLetter, topic: str, *, bus: Bus, ledger: DeadLetters, clock: Clock) -> None:
    """Publish *letter* on *topic* as it was, and mark it as replayed.

    It is published before it is marked: a crash repeats a message, and loses none.
    """
    bus.publish(topic, [Message(letter.data, letter.attributes)])
    ledger.mark_replayed(letter.letter_id, clock.now())


def origin_of(letter: DeadLetter, *, project: str, prefix: str) -> str | None:
    """Return the topic that *letter* came from: its subscription's, or its function's first.

    None if its subscription is none of this project and environment, or feeds no function: then
    whoever sent it chose the name, and what is published under it would be believed.

    Args:
        letter: The letter.
        project: The project on Google Cloud, whose name subscriptions may carry.
        prefix: What stands before the names of this environment.
    """
    name = letter.subscription.removeprefix(f"projects/{project}/subscriptions/{prefix}")
    fed = topology().fed()
    plain = name.removeprefix(prefix)
    topics = [each.topic for each in fed if each.name == plain]
    topics += [each.topic for each in fed if each.function == plain]
    return topics[0] if topics else None
