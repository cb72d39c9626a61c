"""What Pub/Sub gave up on reaches the ledger once, as it was published."""

from __future__ import annotations

import pytest
from tests.adapters.google.on_pubsub import project, pubsub_host, take

from fanfold.adapters.google.bus import undelivered
from fanfold.adapters.google.bus.pubsub import PubSubBus
from fanfold.devstack import topics
from fanfold.domain.model.errors import BusUnavailable, StoreUnavailable
from fanfold.messages.topology import COLLECTOR_JOBS, DEAD_LETTERS
from fanfold.ports.bus import Message
from fanfold.ports.ledger import DeadLetter
from fanfold.runtime.google import bring_in_undelivered
from fanfold.settings import Settings

__all__ = ["project", "pubsub_host"]

pytestmark = pytest.mark.emulator

FORWARDED = {
    "ce-id": "r1/dvf",
    "CloudPubSubDeadLetterSourceDeliveryCount": "100",
    "CloudPubSubDeadLetterSourceSubscription": "dev-collector-jobs",
}


class Letters:
    def __init__(self) -> None:
        self.kept: dict[str, DeadLetter] = {}
        self.is_down = False

    def park(self, letter: DeadLetter) -> None:
        if self.is_down:
            raise StoreUnavailable("down")
        self.kept.setdefault(letter.letter_id, letter)

    def dead_letters(self, limit: int) -> list[DeadLetter]:
        return list(self.kept.values())[:limit]

    def mark_replayed(self, letter_id: str, at: object) -> None:
        raise NotImplementedError


def test_a_forwarded_message_is_kept_with_its_source_and_its_own_attributes(project: str) -> None:
    topics.create_topology(project, "dev-")
    ids = PubSubBus(project, "dev-").publish(DEAD_LETTERS, [Message(b"{}", FORWARDED)] * 3)
    letters = Letters()

    assert undelivered.bring_in(project, "dev-", letters, limit=100) == 3
    assert undelivered.bring_in(project, "dev-", letters, limit=100) == 0

    assert sorted(letters.kept) == sorted(ids)
    letter = letters.kept[ids[0]]
    assert (letter.subscription, letter.data) == (COLLECTOR_JOBS, b"{}")
    assert letter.attributes == {"ce-id": "r1/dvf"}
    assert letter.reason == "delivered 100 times to dev-collector-jobs, acknowledged never"


def test_the_command_line_reaches_them_through_the_settings(project: str) -> None:
    topics.create_topology(project, "dev-")
    PubSubBus(project, "dev-").publish(DEAD_LETTERS, [Message(b"{}", FORWARDED)])
    letters = Letters()

    google = Settings(backend="google", project=project, topic_prefix="dev-")
    assert bring_in_undelivered(Settings(), letters, limit=10) == 0
    assert bring_in_undelivered(google, letters, limit=10) == 1


def test_what_the_ledger_did_not_take_stays_in_the_subscription(project: str) -> None:
    topics.create_topology(project)
    PubSubBus(project).publish(DEAD_LETTERS, [Message(b"{}", FORWARDED)])
    letters = Letters()
    letters.is_down = True

    with pytest.raises(StoreUnavailable):
        undelivered.bring_in(project, "", letters, limit=10)

    assert take(project, DEAD_LETTERS) == []  # leased, not acknowledged: it comes back


def test_a_subscription_that_cannot_be_read_is_unavailable(project: str) -> None:
    with pytest.raises(BusUnavailable, match="dead-letters"):
        undelivered.bring_in(project, "none-", Letters(), limit=10)
