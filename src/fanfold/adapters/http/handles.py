"""Handles of libcurl, with the settings that are promises.

A handle is used by one call at a time and kept for the next one: what it keeps is memory (the
certificates as read, TLS sessions), never a connection.
"""

from __future__ import annotations

import os
import time

import pycurl

from fanfold.adapters.http.exchange import MAX_BODY_BYTES, Exchange
from fanfold.adapters.http.failures import End
from fanfold.adapters.http.preparing import Prepared

#: Longest wait for a connection, in seconds.
MAX_CONNECT_S = 10.0

#: A silent connection is probed this often, in seconds: NAT forgets it after some minutes.
KEEP_ALIVE_S = 60

# Options that pycurl has no name for, by libcurl's own names and numbers (curl.h).
_SUPPRESS_CONNECT_HEADERS = 265
_QUICK_EXIT = 322

#: What is the same for every call.
FIXED = (
    # Each call has its own connection. On a used one that dies unanswered, libcurl sends the
    # request again, and what one collector's server sent too much would be another's answer.
    (pycurl.FRESH_CONNECT, 1),
    (pycurl.FORBID_REUSE, 1),
    (pycurl.NOSIGNAL, 1),
    (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
    (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
    (pycurl.HTTP09_ALLOWED, 0),
    (pycurl.FOLLOWLOCATION, 0),
    (pycurl.PATH_AS_IS, 1),
    (pycurl.NETRC, pycurl.NETRC_IGNORED),
    (pycurl.NOPROXY, ""),
    (pycurl.SSL_VERIFYPEER, 1),
    (pycurl.SSL_VERIFYHOST, 2),
    (pycurl.PROXY_SSL_VERIFYPEER, 1),
    (pycurl.PROXY_SSL_VERIFYHOST, 2),
    (pycurl.TCP_NODELAY, 1),
    (pycurl.TCP_KEEPALIVE, 1),
    (pycurl.TCP_KEEPIDLE, KEEP_ALIVE_S),
    (pycurl.TCP_KEEPINTVL, KEEP_ALIVE_S),
    (pycurl.MAXFILESIZE_LARGE, MAX_BODY_BYTES),
    (_SUPPRESS_CONNECT_HEADERS, 1),
    (_QUICK_EXIT, 1),  # a lookup that hangs is left alone at the end of the call's time
    (pycurl.NOPROGRESS, 0),  # so that a call under way can be broken off
)


def new_handle() -> pycurl.Curl:
    """Return a handle with what is the same for every call."""
    handle = pycurl.Curl()
    for option, value in FIXED:
        handle.setopt(option, value)
    return handle


def load(handle: pycurl.Curl, prepared: Prepared, exchange: Exchange) -> None:
    """Set on *handle* everything that differs from call to call."""
    left_ms = max(1, int((prepared.until - time.monotonic()) * 1000))
    for option, value in (
        (pycurl.URL, prepared.url.text),
        (pycurl.PROXY, prepared.way_out.proxy),
        (pycurl.HTTPHEADER, prepared.headers),
        (pycurl.POSTFIELDS, prepared.body),
        (pycurl.TIMEOUT_MS, left_ms),
        (pycurl.CONNECTTIMEOUT_MS, min(left_ms, int(MAX_CONNECT_S * 1000))),
        (pycurl.HEADERFUNCTION, exchange.on_header),
        (pycurl.WRITEFUNCTION, exchange.on_body),
        (pycurl.XFERINFOFUNCTION, exchange.on_progress),
    ):
        handle.setopt(option, value)
    if prepared.authorities is not None:
        _trust(handle, prepared.authorities.path, is_folder=prepared.authorities.is_folder)


def _trust(handle: pycurl.Curl, path: str, *, is_folder: bool) -> None:
    for file, folder in (
        (pycurl.CAINFO, pycurl.CAPATH),
        (pycurl.PROXY_CAINFO, pycurl.PROXY_CAPATH),
    ):
        chosen, other = (folder, file) if is_folder else (file, folder)
        handle.setopt(chosen, os.fspath(path))
        handle.unsetopt(other)


def perform(handle: pycurl.Curl) -> End:
    """Make the call that *handle* is loaded with, and return how it ended."""
    try:
        handle.perform()
    except pycurl.error as exc:
        return end_of(handle, exc)
    return End()


def end_of(handle: pycurl.Curl, exc: pycurl.error) -> End:
    """Return how a transfer ended that libcurl calls failed."""
    code, message = (*exc.args, 0, "")[:2] if exc.args else (0, "")
    return End(
        code=int(code) or -1,
        message=str(message),
        is_connected=handle.getinfo(pycurl.CONNECT_TIME) > 0,
        is_sent=handle.getinfo(pycurl.REQUEST_SIZE) > 0,
        proxy_status=int(handle.getinfo(pycurl.HTTP_CONNECTCODE)),
        os_errno=int(handle.getinfo(pycurl.OS_ERRNO)),
    )
