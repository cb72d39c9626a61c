"""How soon a gRPC channel tries to connect again after its server went away.

gRPC waits longer after each failed connection, up to two minutes, and fails every call meanwhile.
A collector's answer that waits to be stored has half a minute. So a channel of ours looks again
within seconds, and a short outage stays short.
"""

from __future__ import annotations

from typing import Any

import grpc

#: Longest pause between two tries to connect, in milliseconds.
MAX_RECONNECT_MS = 2000

CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", MAX_RECONNECT_MS),
    # Channels of one process share connections and their pauses otherwise.
    ("grpc.use_local_subchannel_pool", 1),
    # The services say how large a message may be.
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
)


def client_of(kind: Any) -> Any:
    """Return a client of the class *kind*, on such a channel. It connects at its first call."""
    transport = kind.get_transport_class("grpc")

    def channel(host: str, **settings: Any) -> grpc.Channel:
        settings["options"] = [*settings.get("options", []), *CHANNEL_OPTIONS]
        return transport.create_channel(host, **settings)

    return kind(transport=lambda **settings: transport(channel=channel, **settings))


def emulator_client_of(kind: Any, host: str) -> Any:
    """Return the same for the emulator at *host*."""
    channel = grpc.insecure_channel(host, options=CHANNEL_OPTIONS)
    return kind(transport=kind.get_transport_class("grpc")(channel=channel))
