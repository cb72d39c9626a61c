"""Sessions: what a browser is given for the token, and the word that its forms must bring back.

A session is signed and kept nowhere. It ends by itself, and with the token: a new token signs with
another key.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer

#: How long a session lasts.
LASTS = timedelta(hours=12)

#: The name of the session's cookie.
COOKIE = "fanfold_session"


@dataclass(frozen=True, slots=True)
class Sessions:
    """Makes and reads the sessions of one *token*."""

    token: str

    def begin(self, now: datetime) -> str:
        """Return a new session, for the cookie."""
        ends_s = int((now + LASTS).timestamp())
        return self._signer().dumps([secrets.token_urlsafe(16), ends_s])

    def is_valid(self, session: str, now: datetime) -> bool:
        """Return whether *session* is one of ours and has not ended."""
        try:
            _, ends_s = self._signer().loads(session)
        except (BadData, TypeError, ValueError):
            return False
        # One that ends later than any made now was made by a clock that was ahead.
        return isinstance(ends_s, int) and 0 < ends_s - now.timestamp() <= LASTS.total_seconds()

    def form_word(self, session: str) -> str:
        """Return the word that a form of *session* must bring: no other site can read it."""
        return hmac.new(self._key(b"form"), session.encode(), hashlib.sha256).hexdigest()

    def is_form_word(self, session: str, word: str) -> bool:
        """Return whether a form of *session* brought the right *word*."""
        return hmac.compare_digest(self.form_word(session).encode(), word.encode())

    def _signer(self) -> URLSafeSerializer:
        return URLSafeSerializer(self._key(b"session"), salt="fanfold console session")

    def _key(self, use: bytes) -> bytes:
        return hmac.new(self.token.encode(), b"fanfold console " + use, hashlib.sha256).digest()


def is_token(token: str, given: str) -> bool:
    """Return whether *given* is the *token*; how much of it is right cannot be measured."""
    return hmac.compare_digest(
        hashlib.sha256(given.encode()).digest(), hashlib.sha256(token.encode()).digest()
    )
