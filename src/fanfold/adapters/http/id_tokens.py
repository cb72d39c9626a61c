"""Google id tokens: fetched once per audience, kept until shortly before they expire."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from datetime import UTC
from importlib import import_module
from typing import Any

from fanfold.domain.errors import NotConfigured, Transient

#: A token is fetched anew this long before it expires, in seconds: as google-auth does.
RENEW_BEFORE_S = 225.0

#: Longest single exchange with the token's issuer, in seconds.
_EXCHANGE_S = 10.0


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


def google_id_token(audience: str) -> IdToken:
    """Return a token of the identity that Google's libraries find here.

    google-auth is loaded by name and only now: no other kind of ``auth`` needs it.

    Raises:
        NotConfigured: The library or an identity is missing.
        IdentityUnavailable: Google did not answer, or refused for now.
    """
    try:
        google = import_module("google.oauth2.id_token")
        transport = import_module("google.auth.transport.requests")
        errors = import_module("google.auth.exceptions")
    except ImportError as exc:
        raise NotConfigured(
            'auth: oidc needs google-auth: pip install "fanfold[google]" (or set another auth)'
        ) from exc
    request = _Brief(transport.Request())
    try:
        credentials = google.fetch_id_token_credentials(audience, request=request)
        credentials.refresh(request)
    except errors.DefaultCredentialsError as exc:
        raise NotConfigured(
            "auth: oidc finds no identity that can make id tokens: run gcloud auth "
            "application-default login --impersonate-service-account=NAME@PROJECT.iam."
            "gserviceaccount.com and set GOOGLE_APPLICATION_CREDENTIALS to the file it writes"
        ) from exc
    except errors.TransportError as exc:
        raise IdentityUnavailable("the issuer of id tokens did not answer") from exc
    except errors.GoogleAuthError as exc:
        if getattr(exc, "retryable", False):
            raise IdentityUnavailable("the issuer of id tokens refused for now") from exc
        raise NotConfigured(
            f"no id token for {audience}: the identity in use may not make one "
            "(grant it roles/iam.serviceAccountTokenCreator, or run gcloud auth login again)"
        ) from exc
    return IdToken(credentials.token, credentials.expiry.replace(tzinfo=UTC).timestamp())


class _Brief:
    """google-auth's transport, with a time limit on every exchange."""

    def __init__(self, request: Any) -> None:
        self._request = request

    def __call__(self, *args: Any, timeout: float | None = None, **options: Any) -> Any:
        timeout_s = min(timeout or _EXCHANGE_S, _EXCHANGE_S)
        return self._request(*args, timeout=timeout_s, **options)
