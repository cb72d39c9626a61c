"""Callback tokens: a keyed digest of run and collector, so that nothing needs to be stored."""

from __future__ import annotations

import base64
import hashlib
import hmac


class HmacCallbackTokens:
    """See :class:`fanfold.ports.outside.CallbackTokens`.

    Whoever shares *key* makes and accepts the same tokens; a new key ends the old ones.
    """

    def __init__(self, key: bytes) -> None:
        if not key:
            raise ValueError("the key of callback tokens is empty")
        self._key = key

    def token(self, run_id: str, collector: str) -> str:
        """See :meth:`fanfold.ports.outside.CallbackTokens.token`."""
        # Neither name can hold the separator, so no two pairs spell the same message.
        message = f"{run_id}\0{collector}".encode()
        digest = hmac.digest(self._key, message, hashlib.sha256)
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def matches(self, run_id: str, collector: str, token: str) -> bool:
        """See :meth:`fanfold.ports.outside.CallbackTokens.matches`."""
        expected = self.token(run_id, collector).encode()
        return hmac.compare_digest(expected, token.encode("utf-8", "replace"))
