"""What a call brings in confidence stands in no answer, log line or message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

#: What stands in place of a secret.
MASK = "***"

#: A shorter text is no secret, and would be found inside of ordinary words.
_LEAST_CHARS = 6


class Secrets:
    """The callback's token and the credential of the request. They are never shown."""

    __slots__ = ("_spellings",)

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        kept = [each for each in secrets if len(each) >= _LEAST_CHARS]
        spellings = {spelled for each in kept for spelled in (each, quote(each, safe=""))}
        # The longer first: one secret may be the beginning of another.
        self._spellings = sorted(spellings, key=len, reverse=True)

    def __repr__(self) -> str:
        return f"Secrets({MASK})"

    def masked(self, value: Any) -> Any:
        """Return *value*, a JSON document, with :data:`MASK` wherever a text holds a secret."""
        if isinstance(value, str):
            for secret in self._spellings:
                value = value.replace(secret, MASK)
            return value
        if isinstance(value, Mapping):
            return {self.masked(key): self.masked(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.masked(item) for item in value]
        return value


#: Where nothing is to be hidden.
NOTHING_SECRET = Secrets()
