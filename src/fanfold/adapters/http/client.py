"""Invokes collectors with requests: one POST, one deadline, one reply."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from urllib3.exceptions import HTTPError

from fanfold.adapters.http.body import BadBody, TooLarge, read_body
from fanfold.adapters.http.credentials import Renewable
from fanfold.adapters.http.failures import failure_of
from fanfold.adapters.http.redaction import Confidential
from fanfold.adapters.http.transport import BadUrl, Target, Transport
from fanfold.domain.model.collector import AuthKind
from fanfold.domain.model.errors import NotConfigured, Transient
from fanfold.domain.model.run import Failure
from fanfold.domain.protocol.contract import Call, Reply, read_reply, request_body, request_headers
from fanfold.domain.syntax.text import one_line

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

    from fanfold.ports.outside import Credentials


def _now() -> datetime:
    return datetime.now(UTC)


class RequestsCollectorClient:
    """See :class:`fanfold.ports.outside.CollectorClient`.

    Nothing is sent twice: a connection that the collector has closed is seen before it is used
    again, and one that breaks after the request went out is a retryable failure. The one
    exception is a refused id token, fetched anew and tried once more within the same time.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        now: Callable[[], datetime] = _now,
        ca_file: str | None = None,
        connections_per_host: int = 64,
    ) -> None:
        self._credentials = credentials
        self._renewable = credentials if isinstance(credentials, Renewable) else None
        self._now = now
        self._transport = Transport(ca_file=ca_file, connections_per_host=connections_per_host)

    def invoke(self, call: Call) -> Reply:
        """See :meth:`fanfold.ports.outside.CollectorClient.invoke`."""
        until = time.monotonic() + call.timeout_s
        reply = self._attempt(call, until)
        if reply.http_status != 401 or self._renewable is None or time.monotonic() >= until:
            return reply
        if not self._renewable.renew(call.spec.auth, call.spec.url):
            return reply
        return self._attempt(call, until)

    def close(self) -> None:
        """Let go of every connection. A closed client may be used again."""
        self._transport.close()

    def _attempt(self, call: Call, until: float) -> Reply:
        auth, url = call.spec.auth, call.spec.url
        try:
            target = self._transport.target(url)
        except BadUrl as exc:
            return _failed("network", str(exc))
        if auth.kind is not AuthKind.NONE and not target.is_private:
            return _in_the_clear(target)
        try:
            secret_headers = self._secret_headers(call, until)
        except NotConfigured as exc:
            return _failed("auth", str(exc))
        except Transient as exc:
            return _failed("auth", str(exc), retryable=True)
        if secret_headers and not target.is_private:
            return _in_the_clear(target)
        left_s = until - time.monotonic()
        if left_s <= 0:
            return _failed("timeout", f"no time left to call {target.place}", retryable=False)
        headers = _merged(request_headers(call), secret_headers)
        body = json.dumps(request_body(call), separators=(",", ":"), allow_nan=False).encode()
        try:
            response = target.post(headers, body, left_s)
        except HTTPError as exc:
            return Reply(failure=failure_of(exc, target.place, call.timeout_s))
        confidential = Confidential(secret_headers, call.callback, url)
        return self._read(call, target, response, confidential)

    def _secret_headers(self, call: Call, until: float) -> Mapping[str, str]:
        auth, url = call.spec.auth, call.spec.url
        if self._renewable is None:
            return self._credentials.headers(auth, url)
        return self._renewable.headers_within(auth, url, until - time.monotonic())

    def _read(
        self, call: Call, target: Target, response: BaseHTTPResponse, confidential: Confidential
    ) -> Reply:
        body, failure = b"", None
        try:
            body = read_body(response)
        except TooLarge as exc:
            failure = Failure("too_large", str(exc))
        except BadBody as exc:
            failure = Failure("bad_response", str(exc))
        except HTTPError as exc:
            failure = failure_of(exc, target.place, call.timeout_s)
        finally:
            if not response.closed:  # whatever else comes is not read
                response.close()
            response.release_conn()
        status, succeeded = response.status, 200 <= response.status < 300
        if failure is not None and succeeded:
            return Reply(http_status=status, failure=failure)
        # Of a failure, the status decides: its body only says more, where it can be read.
        body = confidential.without(body, failed=not succeeded)
        reply = read_reply(status, response.headers, body, now=self._now())
        return confidential.masked(reply)


def _failed(kind: str, message: str, *, retryable: bool = False) -> Reply:
    return Reply(failure=Failure(kind, one_line(message), retryable))


def _in_the_clear(target: Target) -> Reply:
    message = f"credentials are not sent to {target.place} over plain http: use https"
    return _failed("auth", message)


def _merged(headers: dict[str, str], secret_headers: Mapping[str, str]) -> dict[str, str]:
    """Return both; where both name a header, in whatever case, the configured one wins."""
    if not secret_headers:
        return headers
    names = {name.lower() for name in secret_headers}
    kept = {name: value for name, value in headers.items() if name.lower() not in names}
    return kept | dict(secret_headers)
