"""What people are shown of a message that nobody could work, and what is kept of it.

A dead letter keeps its message as it came, for a replay publishes that very message. But a person
who lists dead letters needs no token: what is shown has none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from fanfold.domain.protocol.masking import MASK, NOTHING_SECRET, SECRETIVE, SIGNED_TOKEN

#: A name and its value in a text that is no JSON as a whole.
_PAIR = re.compile(r"""(["']?)([A-Za-z_-]{1,40})\1(\s*[:=]\s*)("[^"]*"?|'[^']*'?|[^\s,;&}]+)""")


def shown_text(data: bytes) -> str:
    """Return the message *data* as text, without tokens; what is no UTF-8 is U+FFFD."""
    text = data.decode("utf-8", "replace")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return _PAIR.sub(_without_value, NOTHING_SECRET.text(text))
    return json.dumps(_shown(document), ensure_ascii=False)


def shown_attributes(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return the *attributes* of a message without tokens."""
    return {name: str(_shown_at(name, value)) for name, value in attributes.items()}


def without_signed_tokens(data: bytes) -> bytes:
    """Return *data*, a collector's own message, without signed tokens.

    No replay needs them: whatever a collector says is masked so when it is read.
    """
    text = data.decode("latin-1")  # each byte is a character, and comes back as it was
    return SIGNED_TOKEN.sub(MASK, text).encode("latin-1")


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return {NOTHING_SECRET.text(name): _shown_at(name, item) for name, item in value.items()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return NOTHING_SECRET.text(value) if isinstance(value, str) else value


def _shown_at(name: str, value: Any) -> Any:
    return MASK if value and SECRETIVE.search(name) else _shown(value)


def _without_value(match: re.Match[str]) -> str:
    quote, name, between, _ = match.groups()
    is_secret = SECRETIVE.search(name)
    return f"{quote}{name}{quote}{between}{MASK}" if is_secret else match[0]
