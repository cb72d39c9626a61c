"""What every outcome of libcurl means: a kind, a sentence, and whether to try again.

The sentences are ours and hold nothing of the request or of the URL but host and port.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

from fanfold.domain.model.run import Failure
from fanfold.domain.syntax.text import one_line

#: Codes of libcurl that pycurl has no name for, by libcurl's own names (curl.h).
PROXY, TOO_LARGE = 97, 100

#: errno of a process, or a machine, that can open no more files.
_NO_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE})


@dataclass(frozen=True, slots=True)
class TransferEnd:
    """How a transfer ended. ``code`` and ``message`` are libcurl's, 0 where nothing went wrong.

    ``is_connected`` tells whether somebody took the connection, ``is_sent`` whether anything of
    the request went out; ``proxy_status`` is a proxy's answer to CONNECT, 0 if there was none.
    """

    code: int = 0
    message: str = ""
    is_connected: bool = False
    is_sent: bool = False
    proxy_status: int = 0
    os_errno: int = 0


@dataclass(frozen=True, slots=True)
class Way:
    """What the sentences name: ``place`` is the collector's host and port, ``proxy`` a proxy's.

    ``authorities`` is the place of the certificates, ``timeout_s`` the time of the whole call.
    """

    place: str
    timeout_s: float
    proxy: str = ""
    authorities: str = ""


@dataclass(frozen=True, slots=True)
class _Row:
    kind: str
    text: str
    retryable: bool = True


_BROKEN = _Row("network", "{place}: the connection broke")
_CLOSED = _Row("network", "{place} closed the connection before its answer was complete")
_NO_TLS = _Row("network", "TLS with {place} failed")
_NO_TLS_HERE = _Row("network", "TLS cannot be set up here: {reason}", retryable=False)
_NOT_HTTP = _Row("bad_response", "{place} answered with something that is not HTTP")
_BAD_HEADERS = _Row("bad_response", "{place} answered with malformed headers", retryable=False)
_LONG_HEADERS = _Row(
    "too_large", "{place} answered with more headers than are read", retryable=False
)
_NOT_BUILT = _Row("network", "this libcurl cannot make the call: {reason}", retryable=False)

#: By libcurl's code (https://curl.se/libcurl/c/libcurl-errors.html); any other is _BROKEN.
_ROWS = {
    1: _NOT_HTTP,  # UNSUPPORTED_PROTOCOL: as what came is HTTP/0.9, or an unheard-of version
    2: _Row("network", "libcurl could not start the call to {place}"),
    3: _Row("network", "the collector's URL cannot be read by libcurl", retryable=False),
    4: _NOT_BUILT,
    5: _Row("network", "the name of the proxy {proxy} does not resolve"),
    6: _Row("network", "the name of {place} does not resolve"),
    7: _Row("network", "{place}: {reason}"),
    8: _BAD_HEADERS,
    18: _CLOSED,  # PARTIAL_FILE
    27: _Row("network", "this machine had no memory left for the call to {place}"),
    35: _NO_TLS,
    41: _NOT_BUILT,
    42: _Row("network", "the call to {place} was broken off here"),  # ABORTED_BY_CALLBACK
    43: _NOT_BUILT,
    48: _NOT_BUILT,
    52: _Row("network", "{place} closed the connection without an answer"),  # GOT_NOTHING
    53: _NO_TLS_HERE,
    54: _NO_TLS_HERE,
    58: _NO_TLS_HERE,
    59: _NO_TLS_HERE,
    60: _Row("network", "{place} shows no valid certificate: {reason}"),
    61: _Row(
        "bad_response",
        "{place} encoded its answer in a way that was not asked for",
        retryable=False,
    ),
    63: _Row("too_large", "{place} announced an answer that is too long", retryable=False),
    66: _NO_TLS_HERE,
    77: _Row("network", "the certificates at {authorities} cannot be read", retryable=False),
    80: _NO_TLS,
    82: _NO_TLS_HERE,
    83: _NO_TLS,
    90: _NO_TLS,
    91: _NO_TLS,
    98: _NO_TLS_HERE,
    PROXY: _Row("network", "the proxy {proxy} did not open the way to {place}"),
    TOO_LARGE: _LONG_HEADERS,
}

_TIMED_OUT = _Row(  # it had all the time it was promised, and most likely still works
    "timeout", "no complete answer from {place} within {timeout_s:g} s", retryable=False
)
_NOT_REACHED = _Row("network", "no connection to {place} in time")
_SILENT_PROXY = _Row("network", "the proxy {proxy} did not open the way to {place} in time")
_NO_PROXY_THERE = _Row("network", "the proxy {proxy}: {reason}")
_PROXY_NOT_HTTP = _Row("network", "the proxy {proxy} answered with something that is not HTTP")
_PROXY_CLOSED = _Row("network", "the proxy {proxy} closed the connection")
#: By libcurl's code, while the proxy has not opened the way.
_PROXY_ROWS = {
    1: _PROXY_NOT_HTTP,
    7: _NO_PROXY_THERE,
    8: _PROXY_NOT_HTTP,
    28: _SILENT_PROXY,
    52: _PROXY_CLOSED,
    55: _PROXY_CLOSED,
    56: _PROXY_CLOSED,
}
_PROXY_LOGIN = _Row(
    "network",
    "the proxy {proxy} asks for a user and a password (HTTP 407): write them into its URL, as in "
    "http://user:${{secret:proxy-password}}@{proxy}",
    retryable=False,
)
_STARVED = _Row(
    "network",
    "this machine had no free file descriptor for the call to {place}: nothing was sent; raise "
    "the limit (ulimit -n), or lower max_concurrent_collectors",
)


def failure_of(end: TransferEnd, way: Way, *, has_status: bool) -> Failure:
    """Return the failure that *end* stands for; *has_status* if a status line had come."""
    row = _row(end, way, has_status=has_status)
    text = row.text.format(
        place=way.place,
        proxy=way.proxy,
        timeout_s=way.timeout_s,
        authorities=way.authorities,
        reason=_reason(end),
    )
    return Failure(row.kind, one_line(text), row.retryable)


def broken_off(way: Way, *, has_status: bool) -> Failure:
    """Return the failure of a transfer that ended well for libcurl, in the middle of the headers.

    Without a status line that HTTP/1 knows, what came was not HTTP.
    """
    row = _CLOSED if has_status else _NOT_HTTP
    return Failure(row.kind, row.text.format(place=way.place), row.retryable)


def proxy_asks_for_login(way: Way) -> Failure:
    """Return the failure of a call that the proxy, not the collector, answered with 407."""
    text = _PROXY_LOGIN.text.format(proxy=way.proxy)
    return Failure(_PROXY_LOGIN.kind, text, _PROXY_LOGIN.retryable)


def starved(way: Way) -> Failure:
    """Return the failure of a call for which this process could open no file."""
    return Failure(_STARVED.kind, _STARVED.text.format(place=way.place), _STARVED.retryable)


def is_starved(end: TransferEnd) -> bool:
    """Return whether *end* came of this process's own lack of file descriptors.

    libcurl tells it as lack of memory, as a name that does not resolve, or as certificates that
    cannot be read. So a file is opened, to see.
    """
    if end.code == 0 or end.is_sent:
        return False
    if end.os_errno in _NO_DESCRIPTORS:
        return True
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as exc:
        return exc.errno in _NO_DESCRIPTORS
    return False


def _row(end: TransferEnd, way: Way, *, has_status: bool) -> _Row:
    if way.proxy and not end.is_sent and (row := _proxy_row(end)):
        return row
    if end.code == 28:
        return _TIMED_OUT if end.is_connected else _NOT_REACHED
    if end.code == 8 and not has_status:
        return _NOT_HTTP
    return _ROWS.get(end.code, _BROKEN)


def _proxy_row(end: TransferEnd) -> _Row | None:
    """Return what went wrong between here and the end of the proxy's part, if anything did."""
    if end.proxy_status == 407:
        return _PROXY_LOGIN
    if end.proxy_status >= 300:
        is_passing = end.proxy_status >= 500 or end.proxy_status in {408, 429}
        text = "the proxy {proxy} did not open the way to {place}: HTTP " + str(end.proxy_status)
        return _Row("network", text, is_passing)
    if end.proxy_status:
        return None  # the way is open: what follows is the collector's
    return _PROXY_ROWS.get(end.code)


def _reason(end: TransferEnd) -> str:
    """Return libcurl's own reason, or the system's."""
    if end.code == 60:
        for prefix in ("SSL certificate problem: ", "SSL: "):
            end_of_prefix = end.message.find(prefix)
            if end_of_prefix >= 0:
                return end.message[end_of_prefix + len(prefix) :]
        return end.message or "it is not trusted"
    if end.os_errno:
        return os.strerror(end.os_errno).lower()
    return (
        end.message
        if end.code in _ROWS and _ROWS[end.code] in (_NO_TLS_HERE, _NOT_BUILT)
        else ("no connection")
    )
