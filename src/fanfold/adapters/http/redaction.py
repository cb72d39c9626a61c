"""Keeps out of a reply what the collector was sent in confidence and may say back.

Error pages like to quote the request: its headers, its body, its URL.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fanfold.domain.protocol.contract import Reply

#: Shorter ones are too common to be told from other text, in characters.
_SHORTEST = 4
#: The same for an answer that counts, where a replaced word could be a key or a number.
_SHORTEST_IN_ANSWER = 8

_MASK = "***"


class Confidential:
    """What must not be repeated: credentials, the callback's token, the URL's query."""

    def __init__(
        self, headers: Mapping[str, str], callback: Mapping[str, str] | None, url: str
    ) -> None:
        values = list(headers.values())
        tokens = [value.rpartition(" ")[2] for value in values]  # Bearer x: x alone as well
        tokens.append((callback or {}).get("token", ""))
        query = url.partition("?")[2].partition("#")[0]
        parts = [query, *(part.partition("=")[2] for part in re.split("[&;]", query))]
        self._in_answers = _spellings(values + tokens, _SHORTEST_IN_ANSWER)
        self._in_failures = _spellings(values + tokens + parts, _SHORTEST)

    def without(self, body: bytes, *, failed: bool) -> bytes:
        """Return *body* with every confidential text masked."""
        for text in self._in_failures if failed else self._in_answers:
            body = body.replace(text.encode("utf-8", "replace"), _MASK.encode())
        return body

    def masked(self, reply: Reply) -> Reply:
        """Return *reply* with every confidential text of its message masked."""
        if reply.failure is None:
            return reply
        message = reply.failure.message
        for text in self._in_failures:
            message = message.replace(text, _MASK)
        return replace(reply, failure=replace(reply.failure, message=message))


def _spellings(texts: Iterable[str], shortest: int) -> tuple[str, ...]:
    """Return *texts*, longest first, as they are and as JSON spells them."""
    long_enough = {text for text in texts if len(text) >= shortest}
    spelled = long_enough | {json.dumps(text)[1:-1] for text in long_enough}
    return tuple(sorted(spelled, key=len, reverse=True))
