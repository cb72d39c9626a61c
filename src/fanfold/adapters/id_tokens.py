"""Id tokens: fetched once per audience, kept until shortly before they expire.

Who fetches them is somebody else's: on Google Cloud :mod:`fanfold.adapters.google.identity`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from fanfold.adapters.single_flight import SingleFlight
from fanfold.domain.model.errors import NotConfigured, Transient

#: A token is fetched anew this long before it expires, in seconds: as google-auth does.
RENEW_BEFORE_S = 225.0


class IdentityUnavailable(Transient):
    """No id token could be had now."""


@dataclass(frozen=True, slots=True)
class IdToken:
    """A token, and the Unix time at which it expires, in seconds."""

    value: str
    expires_at_s: float

    def __repr__(self) -> str:
        """Never the token."""
        return f"IdToken(expires_at_s={self.expires_at_s})"


#: Fetches an id token for an audience. Raises NotConfigured or Transient.
FetchIdToken = Callable[[str], IdToken]


class CachedIdTokens:
    """Keeps one token per audience. Safe to share between threads.

    Whoever asks for an audience while its token is being fetched waits for that one fetch.
    Failures are told to all who wait and then forgotten.
    """

    def __init__(self, fetch: FetchIdToken, *, time_s: Callable[[], float] = time.time) -> None:
        self._fetch = fetch
        self._time_s = time_s
        self._tokens: dict[str, IdToken] = {}
        self._fetches = SingleFlight[IdToken]()

    def token(self, audience: str, timeout_s: float) -> str:
        """Return a token for *audience*, valid for a while.

        Raises:
            NotConfigured: There is no identity; the text says the fix.
            Transient: It did not come within *timeout_s*, or may come later.
        """
        kept = self._valid(audience)
        if kept is None:
            try:
                kept = self._fetches.ask(
                    audience, lambda: self._fetched(audience), timeout_s=timeout_s
                )
            except TimeoutError:
                raise IdentityUnavailable("no id token within the time of the call") from None
        return kept.value

    def forget(self, audience: str) -> None:
        """Fetch anew for the next caller."""
        self._tokens.pop(audience, None)

    def _valid(self, audience: str) -> IdToken | None:
        kept = self._tokens.get(audience)
        if kept is not None and self._time_s() < kept.expires_at_s - RENEW_BEFORE_S:
            return kept
        return None

    def _fetched(self, audience: str) -> IdToken:
        # Somebody may have fetched it while this fetch waited for its turn.
        token = self._valid(audience) or self._fetch(audience)
        self._tokens[audience] = token
        return token


def no_identity(audience: str) -> IdToken:
    """Raise NotConfigured: where nobody fetches id tokens."""
    raise NotConfigured(f"there is no identity here to make an id token for {audience}")
