"""Pub/Sub's limits on a message, checked before it leaves: the emulator lets everything pass.

https://docs.cloud.google.com/pubsub/quotas#resource_limits
"""

from __future__ import annotations

from fanfold.domain.model.errors import BadMessage
from fanfold.ports.bus import Message

#: Largest publish request, in bytes, as the official client counts it.
MAX_REQUEST_BYTES = 10_000_000

#: Most messages in one publish request.
MAX_REQUEST_MESSAGES = 1000

#: Most attributes of one message.
MAX_ATTRIBUTES = 100

#: Longest attribute name, in bytes.
MAX_KEY_BYTES = 256

#: Longest attribute value, in bytes.
MAX_VALUE_BYTES = 1024

#: What a request's topic and framing, and a message's and an attribute's, may add, in bytes.
REQUEST_OVERHEAD_BYTES = 1024
MESSAGE_OVERHEAD_BYTES = 64
ATTRIBUTE_OVERHEAD_BYTES = 16


def checked_size_bytes(message: Message) -> int:
    """Return about how much of a publish request *message* takes, in bytes; never too little.

    Raises:
        BadMessage: Pub/Sub would refuse it however often it is sent; the text names the figure.
    """
    attributes = message.attributes
    if not message.data and not attributes:
        raise BadMessage("a message needs data or at least one attribute")
    if len(attributes) > MAX_ATTRIBUTES:
        raise BadMessage(
            f"a message of {len(attributes)} attributes: Pub/Sub takes {MAX_ATTRIBUTES}"
        )
    size_bytes = len(message.data) + MESSAGE_OVERHEAD_BYTES
    for key, value in attributes.items():
        size_bytes += _checked_attribute_bytes(key, value)
    if size_bytes > MAX_REQUEST_BYTES - REQUEST_OVERHEAD_BYTES:
        raise BadMessage(
            f"a message of {size_bytes:,} bytes: Pub/Sub takes {MAX_REQUEST_BYTES:,} a request"
        )
    return size_bytes


def _checked_attribute_bytes(key: str, value: str) -> int:
    key_bytes, value_bytes = len(key.encode()), len(value.encode())
    shown = f"attribute {key[:40]!r}"
    if not key or key_bytes > MAX_KEY_BYTES:
        raise BadMessage(
            f"{shown}: a name of {key_bytes} bytes, Pub/Sub takes 1 to {MAX_KEY_BYTES}"
        )
    if key.startswith("goog") and not key.startswith("googclient_"):
        raise BadMessage(f"{shown}: names that start with 'goog' belong to Google")
    if value_bytes > MAX_VALUE_BYTES:
        raise BadMessage(
            f"{shown}: a value of {value_bytes} bytes, Pub/Sub takes {MAX_VALUE_BYTES}"
        )
    return key_bytes + value_bytes + ATTRIBUTE_OVERHEAD_BYTES
