"""How the Pub/Sub clients reach their service: production, or the emulator that is named."""

from __future__ import annotations

import os
from typing import Any

from fanfold.adapters.google.reconnecting import client_of, emulator_client_of

#: Names ``host:port`` of the Pub/Sub emulator, as the official clients read it.
EMULATOR = "PUBSUB_EMULATOR_HOST"


def publisher_client() -> Any:
    """Return a client that publishes and administers topics. It connects at its first call."""
    from google.pubsub_v1 import PublisherClient  # only who publishes pays for it

    return _client(PublisherClient)


def subscriber_client() -> Any:
    """Return a client that pulls and administers subscriptions. It connects at its first call."""
    from google.pubsub_v1 import SubscriberClient  # only the command pulls

    return _client(SubscriberClient)


def _client(kind: Any) -> Any:
    emulator = os.environ.get(EMULATOR)
    return emulator_client_of(kind, emulator) if emulator else client_of(kind)
