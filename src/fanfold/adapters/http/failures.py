"""What went wrong on the way, as a Failure: our own words, nothing of the request or the URL."""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass

from urllib3 import exceptions

from fanfold.adapters.http.deadline import BadHeaders
from fanfold.domain.model.run import Failure


@dataclass(frozen=True, slots=True)
class _Row:
    """What errors of *types* mean. ``{place}`` is host and port, ``{reason}`` the error's own."""

    types: tuple[type[BaseException], ...]
    kind: str
    text: str
    retryable: bool = True


#: The first row with the type of the error, or of what urllib3 wrapped in it, decides.
_ROWS = (
    # To urllib3 the first two are also timeouts of the connection.
    _Row((exceptions.NameResolutionError,), "network", "the name of {place} does not resolve"),
    _Row((exceptions.NewConnectionError,), "network", "{place}: {reason}"),
    _Row((exceptions.ConnectTimeoutError,), "network", "no connection to {place} in time"),
    _Row(  # it had all the time it was promised, and most likely still works
        (exceptions.TimeoutError, TimeoutError),
        "timeout",
        "no complete answer from {place} within {timeout_s:g} s",
        retryable=False,
    ),
    _Row(
        (ssl.SSLCertVerificationError,),
        "network",
        "{place} shows no valid certificate: {reason}",
    ),
    _Row((exceptions.SSLError, ssl.SSLError), "network", "TLS with {place} failed"),
    _Row(
        (BadHeaders, exceptions.InvalidHeader, exceptions.HeaderParsingError),
        "bad_response",
        "{place} answered with malformed headers",
        retryable=False,
    ),
    _Row(
        (http.client.RemoteDisconnected, http.client.IncompleteRead),
        "network",
        "{place} closed the connection before its answer was complete",
    ),
    _Row(
        (http.client.BadStatusLine, http.client.UnknownProtocol),
        "bad_response",
        "{place} answered with something that is not HTTP",
        retryable=False,
    ),
    _Row(  # a line too long, too many headers
        (http.client.HTTPException,),
        "too_large",
        "{place} answered with more headers than are read",
        retryable=False,
    ),
    _Row((OSError,), "network", "{place}: {reason}"),
)

_OTHERWISE = _Row((), "network", "the connection to {place} broke")


def failure_of(exc: exceptions.HTTPError, place: str, timeout_s: float) -> Failure:
    """Return the failure that *exc*, raised by urllib3 while talking to *place*, stands for."""
    cause = _cause(exc)
    either = (row for row in _ROWS if isinstance(exc, row.types) or isinstance(cause, row.types))
    row = next(either, _OTHERWISE)
    text = row.text.format(place=place, reason=_reason(cause), timeout_s=timeout_s)
    return Failure(row.kind, text, row.retryable)


def _cause(exc: BaseException) -> BaseException | None:
    """Return what urllib3 wrapped: the last argument, or the error it was raised from."""
    inner = exc.args[-1] if exc.args and isinstance(exc.args[-1], BaseException) else exc.__cause__
    if isinstance(inner, exceptions.HTTPError):
        return _cause(inner) or inner
    return inner


def _reason(cause: BaseException | None) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return cause.verify_message
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    return "the connection broke"
