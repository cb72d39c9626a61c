"""A dead letter as JSON, without what it could be misused for."""

from __future__ import annotations

import base64
from typing import Any

from fanfold.domain.protocol.shown_message import (
    shown_attributes,
    shown_text,
    without_signed_tokens,
)
from fanfold.ports.ledger import DeadLetter


def letter_document(letter: DeadLetter) -> dict[str, Any]:
    """Return *letter*; tokens in it are masked."""
    return {
        "id": letter.letter_id,
        "subscription": letter.subscription,
        "reason": letter.reason,
        "received_at": letter.received_at.isoformat(),
        "replayed_at": letter.replayed_at.isoformat() if letter.replayed_at else None,
        "attributes": shown_attributes(letter.attributes),
        "data": text_or_base64(letter.data),
    }


def text_or_base64(content: bytes) -> dict[str, str]:
    """Return ``{"text": …}`` if *content* is UTF-8, else ``{"base64": …}``; without tokens."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(without_signed_tokens(content)).decode()}
    return {"text": shown_text(content)}
