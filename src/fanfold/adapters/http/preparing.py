"""Prepares a call: everything that is decided before the first byte leaves."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from fanfold.adapters.http.authorities import Authorities, NoAuthorities, authorities
from fanfold.adapters.http.credentials import Renewable
from fanfold.adapters.http.failures import Way
from fanfold.domain.model.collector import AuthKind
from fanfold.domain.model.errors import NotConfigured, Transient
from fanfold.domain.model.run import Failure
from fanfold.domain.protocol.contract import Call, request_body, request_headers
from fanfold.domain.protocol.masking import Mask, mask_of_call
from fanfold.domain.rules.way_out import BadProxy, WayOut, way_out
from fanfold.domain.syntax.text import one_line
from fanfold.domain.syntax.urls import BadUrl, Url, read_url
from fanfold.messages import records
from fanfold.ports.outside import Credentials, Secrets


class NotSent(Exception):
    """The call is not made. ``failure`` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Prepared:
    """A call that is ready to be made.

    ``headers`` are whole lines; ``authorities`` is None where nobody shows a certificate; ``until``
    is the end of its time on the monotonic clock, in seconds.
    """

    url: Url
    headers: list[str]
    body: bytes
    way_out: WayOut
    authorities: Authorities | None
    mask: Mask
    until: float
    timeout_s: float

    @property
    def way(self) -> Way:
        """What the sentences of a failure name."""
        trusted = self.authorities
        named = f"{trusted.path} (set by {trusted.source})" if trusted else ""
        return Way(self.url.place, self.timeout_s, self.way_out.place, named)


@dataclass(frozen=True, slots=True)
class Preparation:
    """Prepares calls, for any form of the client.

    ``renewable`` are the same credentials if they can be bounded in time. ``env`` is where proxies
    and certificates are set, if not by the collector's own settings.
    """

    credentials: Credentials
    renewable: Renewable | None
    secrets: Secrets
    env: Mapping[str, str]

    def prepare(self, call: Call, until: float) -> Prepared:
        """Return *call* ready to be made before *until* (of the monotonic clock).

        Raises:
            NotSent: It cannot be made, or must not be.
        """
        spec = call.spec
        try:
            url = read_url(spec.url)
        except BadUrl as exc:
            raise _not_sent("network", f"the collector's URL {exc}: {exc.fix}") from exc
        if spec.auth.kind is not AuthKind.NONE and not url.may_carry_credentials:
            message = f"credentials are not sent to {url.place} over plain http: use https"
            raise _not_sent("auth", message)
        way, trusted = self._network(call, url)
        secret_headers = self._secret_headers(call, until)
        token = (call.callback or {}).get("token", "")
        lines = [
            f"{name}: {value}"
            for name, value in _merged(request_headers(call), secret_headers).items()
        ]
        body = records.json_bytes(request_body(call))
        if until <= time.monotonic():
            raise _not_sent("timeout", f"no time left to call {url.place}")
        return Prepared(
            url=url,
            headers=[*lines, "Expect:"],
            body=body,
            way_out=way,
            authorities=trusted,
            mask=mask_of_call(spec, secret_headers, token, way.secrets),
            until=until,
            timeout_s=call.timeout_s,
        )

    def _network(self, call: Call, url: Url) -> tuple[WayOut, Authorities | None]:
        """Return the way to *url*, and whose certificates are trusted on it."""
        spec = call.spec
        try:
            proxy = self.secrets.fill(spec.proxy) if spec.proxy else ""
            way = way_out(url, proxy, self.env)
            needs_tls = url.scheme == "https" or way.proxy.startswith("https:")
            return way, authorities(spec.ca_file, self.env) if needs_tls else None
        except (BadProxy, NoAuthorities, NotConfigured) as exc:
            raise _not_sent("network", str(exc)) from exc
        except Transient as exc:
            raise _not_sent("network", str(exc), retryable=True) from exc

    def _secret_headers(self, call: Call, until: float) -> Mapping[str, str]:
        auth, url = call.spec.auth, call.spec.url
        try:
            if self.renewable is not None:
                return self.renewable.headers_within(auth, url, until - time.monotonic())
            return self.credentials.headers(auth, url)
        except NotConfigured as exc:
            raise _not_sent("auth", str(exc)) from exc
        except Transient as exc:
            raise _not_sent("auth", str(exc), retryable=True) from exc


def _not_sent(kind: str, message: str, *, retryable: bool = False) -> NotSent:
    return NotSent(Failure(kind, one_line(message), retryable))


def _merged(headers: dict[str, str], secret_headers: Mapping[str, str]) -> dict[str, str]:
    """Return both; where both name a header, in whatever case, the configured one wins."""
    if not secret_headers:
        return headers
    names = {name.lower() for name in secret_headers}
    kept = {name: value for name, value in headers.items() if name.lower() not in names}
    return kept | dict(secret_headers)
