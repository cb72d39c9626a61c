"""Id tokens: fetched once per audience, kept until shortly before they expire.

Who fetches them is somebody else's: on Google Cloud :mod:`fanfold.adapters.google.identity`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass

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
        self._lock = threading.Lock()
        self._tokens: dict[str, IdToken] = {}
        self._fetches: dict[str, Future[IdToken]] = {}

    def token(self, audience: str, timeout_s: float) -> str:
        """Return a token for *audience*, valid for a while.

        Raises:
            NotConfigured: There is no identity; the text says the fix.
            Transient: It did not come within *timeout_s*, or may come later.
        """
        with self._lock:
            kept = self._tokens.get(audience)
            if kept is not None and self._time_s() < kept.expires_at_s - RENEW_BEFORE_S:
                return kept.value
            fetch = self._fetches.get(audience)
            if fetch is None:
                fetch = self._fetches[audience] = Future()
                work = (audience, fetch)
                threading.Thread(target=self._run, args=work, name="id-token", daemon=True).start()
        try:
            return fetch.result(max(timeout_s, 0.0)).value
        except NotYet:
            raise IdentityUnavailable("no id token within the time of the call") from None

    def forget(self, audience: str) -> None:
        """Fetch anew for the next caller."""
        with self._lock:
            self._tokens.pop(audience, None)

    def _run(self, audience: str, fetch: Future[IdToken]) -> None:
        try:
            token = self._fetch(audience)
        except BaseException as exc:  # noqa: BLE001 - it is raised where it is waited for
            with self._lock:
                del self._fetches[audience]
            fetch.set_exception(exc)
        else:
            with self._lock:
                self._tokens[audience] = token
                del self._fetches[audience]
            fetch.set_result(token)


def no_identity(audience: str) -> IdToken:
    """Raise NotConfigured: where nobody fetches id tokens."""
    raise NotConfigured(f"there is no identity here to make an id token for {audience}")
