"""How the Pub/Sub clients reach their service: production by default, an emulator if one is named.

gRPC waits longer after each failed connection, up to two minutes, and fails every call meanwhile;
here it looks again within seconds, so that a short outage stays short.
"""

from __future__ import annotations

import os
from typing import Any

import grpc
from google.pubsub_v1 import PublisherClient, SubscriberClient

#: Names ``host:port`` of the Pub/Sub emulator, as the official clients read it.
EMULATOR = "PUBSUB_EMULATOR_HOST"

#: Longest pause between two tries to connect, in milliseconds.
MAX_RECONNECT_MS = 2000

_OPTIONS = [
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", MAX_RECONNECT_MS),
    # Channels of one process share connections and their pauses otherwise.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
]


def publisher_client() -> Any:
    """Return a client that publishes and administers topics. It connects at its first call."""
    return _client(PublisherClient)


def subscriber_client() -> Any:
    """Return a client that pulls and administers subscriptions. It connects at its first call."""
    return _client(SubscriberClient)


def _client(kind: Any) -> Any:
    transport = kind.get_transport_class("grpc")
    emulator = os.environ.get(EMULATOR)
    if emulator:
        return kind(transport=transport(channel=grpc.insecure_channel(emulator, options=_OPTIONS)))

    def channel(host: str, **settings: Any) -> grpc.Channel:
        settings["options"] = [*settings.get("options", []), *_OPTIONS]
        return transport.create_channel(host, **settings)

    return kind(transport=lambda **settings: transport(channel=channel, **settings))
