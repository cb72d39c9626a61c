"""Id tokens of the identity that Google's libraries find: the key file's, or the machine's own."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC
from typing import Any

from fanfold.adapters.id_tokens import IdentityUnavailable, IdToken
from fanfold.domain.model.errors import NotConfigured

#: Longest single exchange with the token's issuer, in seconds.
EXCHANGE_S = 10.0


def google_id_token(audience: str) -> IdToken:
    """Return a new token for *audience*: a :data:`fanfold.adapters.id_tokens.FetchIdToken`.

    google-auth is loaded only now: no other kind of ``auth`` needs it.

    Raises:
        NotConfigured: The library or an identity is missing.
        IdentityUnavailable: Google did not answer, or refused for now.
    """
    try:
        from google.auth import exceptions  # loads Google's libraries
        from google.auth.transport.requests import Request  # loads Google's libraries
        from google.oauth2.id_token import fetch_id_token_credentials  # loads Google's libraries
    except ImportError as exc:
        raise NotConfigured(
            'auth: oidc needs google-auth: pip install "fanfold[google]" (or set another auth)'
        ) from exc
    request = _Brief(Request())
    try:
        make: Callable[..., Any] = fetch_id_token_credentials
        credentials = make(audience, request=request)
        credentials.refresh(request)
    except exceptions.DefaultCredentialsError as exc:
        if os.environ.get("K_SERVICE"):
            # Cloud Run has a metadata server, though it may be slow to say so.
            raise IdentityUnavailable("the metadata server did not answer") from exc
        raise NotConfigured(
            "auth: oidc finds no identity that can make id tokens: run gcloud auth "
            "application-default login --impersonate-service-account=NAME@PROJECT.iam."
            "gserviceaccount.com and set GOOGLE_APPLICATION_CREDENTIALS to the file it writes"
        ) from exc
    except exceptions.TransportError as exc:
        raise IdentityUnavailable("the issuer of id tokens did not answer") from exc
    except exceptions.GoogleAuthError as exc:
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
        timeout_s = min(timeout or EXCHANGE_S, EXCHANGE_S)
        return self._request(*args, timeout=timeout_s, **options)
