"""Turns a collector's ``auth`` into headers at the last moment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from fanfold.adapters.id_tokens import CachedIdTokens, no_identity
from fanfold.domain.model.collector import Auth, AuthKind
from fanfold.domain.model.errors import NotConfigured
from fanfold.domain.syntax.headers import BadHeader, bearer_value, header_name, header_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanfold.adapters.id_tokens import FetchIdToken
    from fanfold.ports.outside import Secrets

#: Longest wait for an id token where the caller does not say, in seconds.
FETCH_TIMEOUT_S = 30.0


@runtime_checkable
class Renewable(Protocol):
    """Credentials that can be bounded in time, and fetched anew."""

    def headers_within(self, auth: Auth, url: str, timeout_s: float) -> Mapping[str, str]:
        """See :meth:`fanfold.ports.outside.Credentials.headers`; wait at most *timeout_s*."""
        ...

    def renew(self, auth: Auth, url: str) -> bool:
        """Forget what :meth:`headers_within` last gave; return whether that may help."""
        ...


class CollectorCredentials:
    """See :class:`fanfold.ports.outside.Credentials`.

    Secrets are looked up at each call and never kept. Id tokens are kept per audience until
    shortly before they expire.
    """

    def __init__(self, secrets: Secrets, id_tokens: FetchIdToken = no_identity) -> None:
        self._secrets = secrets
        self._id_tokens = CachedIdTokens(id_tokens)

    def headers(self, auth: Auth, url: str) -> Mapping[str, str]:
        """See :meth:`fanfold.ports.outside.Credentials.headers`."""
        return self.headers_within(auth, url, FETCH_TIMEOUT_S)

    def headers_within(self, auth: Auth, url: str, timeout_s: float) -> Mapping[str, str]:
        """See :class:`Renewable`."""
        match auth.kind:
            case AuthKind.NONE:
                return {}
            case AuthKind.OIDC:
                token = self._id_tokens.token(audience_of(auth, url), timeout_s)
                return {"Authorization": f"Bearer {token}"} | self._filled(auth)
            case AuthKind.BEARER | AuthKind.HEADER:
                headers = self._filled(auth)
                if not headers:
                    raise NotConfigured(f"auth: {auth.kind} names no header: write auth.headers")
                return headers

    def renew(self, auth: Auth, url: str) -> bool:
        """See :class:`Renewable`."""
        if auth.kind is not AuthKind.OIDC:
            return False
        self._id_tokens.forget(audience_of(auth, url))
        return True

    def _filled(self, auth: Auth) -> dict[str, str]:
        return {
            name: self._value(auth.kind, name, template) for name, template in auth.headers.items()
        }

    def _value(self, kind: AuthKind, name: str, template: str) -> str:
        is_bearer = kind is AuthKind.BEARER and name.lower() == "authorization"
        try:
            header_name(name)
            value = self._secrets.fill(template)
            return bearer_value(value) if is_bearer else header_value(value)
        except BadHeader as exc:
            raise NotConfigured(
                f"the header {name[:60]!r} cannot be set under auth: {exc}; {exc.fix}"
            ) from exc


def audience_of(auth: Auth, url: str) -> str:
    """Return whom an id token for *url* is made out to.

    That is the configured audience, or the URL without user, query and fragment.
    """
    if auth.audience:
        return auth.audience
    scheme, _, rest = url.partition("://")
    place, slash, path = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    return f"{scheme}://{place.rpartition('@')[2]}{slash}{path}"
