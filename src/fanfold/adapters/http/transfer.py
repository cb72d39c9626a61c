"""One transfer by libcurl: its handle, what it receives, and how it ended.

A handle has the settings that are promises. It is used by one call at a time and kept for the next
one: what it keeps is memory (the certificates as read, TLS sessions), never a connection.
"""

from __future__ import annotations

import os
import re
import time

import pycurl

from fanfold.adapters.http.failures import TransferEnd
from fanfold.adapters.http.preparing import Prepared

#: Largest body that is read, in bytes, as it travels and as it unfolds.
MAX_BODY_BYTES = 1024 * 1024

#: Most lines of one block of headers, and most bytes of all of them, trailers included.
MAX_HEADER_LINES = 100
MAX_HEADER_BYTES = 64 * 1024

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: |\r?\n|$)")

#: What a callback of libcurl returns to break the transfer off: less than it was given.
_REFUSE = 0

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


class Exchange:
    """One call under way. Its methods are libcurl's callbacks, and raise nothing.

    An answer may come after any number of informational ones (1xx), which are skipped. ``status``
    is that of the last block of headers; ``is_complete`` tells whether that block is the final
    answer's and ended as a block ends.
    """

    __slots__ = (
        "_body",
        "_body_bytes",
        "_fields",
        "_header_bytes",
        "_header_lines",
        "is_complete",
        "is_stopped",
        "status",
        "too_large",
    )

    def __init__(self) -> None:
        self.status: int | None = None
        self.is_complete = False
        self.is_stopped = False
        self.too_large = ""
        self._fields: list[bytes] = []
        self._header_lines = 0
        self._header_bytes = 0
        self._body: list[bytes] = []
        self._body_bytes = 0

    def on_header(self, line: bytes) -> int | None:
        """Take one line: a status, a header, a trailer, or the blank line that ends a block."""
        self._header_lines += 1
        self._header_bytes += len(line)
        if not self.is_complete and line.startswith(b"HTTP/"):
            self._begin(line)
        if self._header_lines > MAX_HEADER_LINES + 2 or self._header_bytes > MAX_HEADER_BYTES:
            self.too_large = "more headers than are read"
            return _REFUSE
        if self.is_complete:
            return None
        if line.strip(b"\r\n"):
            self._fields.append(line)
        elif self.status is not None and not (100 <= self.status < 200 and self.status != 101):
            self.is_complete = True
        return None

    def on_body(self, block: bytes) -> int | None:
        """Take a piece of the body, unless it is one too many."""
        self._body_bytes += len(block)
        if self._body_bytes > MAX_BODY_BYTES:
            self.too_large = f"an answer longer than {MAX_BODY_BYTES // 1024} KiB"
            self._body.clear()
            return _REFUSE
        self._body.append(block)
        return None

    def on_progress(self, *_: float) -> int:
        """Return whether the transfer is to be broken off, when libcurl asks."""
        return self.is_stopped

    def body(self) -> bytes:
        """Return the body as far as it came, still encoded."""
        return b"".join(self._body)

    def headers(self) -> dict[str, str]:
        """Return the headers of the last block, names in lower case.

        The last of a name counts; encodings add up, for each is a layer around the body.
        """
        found: dict[str, str] = {}
        for line in self._fields[1:]:
            name, colon, value = line.decode("latin-1").partition(":")
            name = name.strip().lower()
            if colon and name == "content-encoding" and name in found:
                found[name] += f",{value.strip()}"
            elif colon:
                found[name] = value.strip()
        return found

    def _begin(self, status_line: bytes) -> None:
        match = _STATUS.match(status_line)
        self.status = int(match[1]) if match else None
        self._fields.clear()
        self._header_lines = 1


def new_handle() -> pycurl.Curl:
    """Return a handle with what is the same for every call."""
    handle = pycurl.Curl()
    for option, value in FIXED:
        handle.setopt(option, value)
    return handle


def load(
    handle: pycurl.Curl, prepared: Prepared, exchange: Exchange, *, spare_s: float = 0.0
) -> None:
    """Set on *handle* everything that differs from call to call.

    ``spare_s`` is added to libcurl's own limit by a caller who judges the end of the call's time
    itself, in seconds.
    """
    left_ms = max(1, int((prepared.until - time.monotonic() + spare_s) * 1000))
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


def perform(handle: pycurl.Curl) -> TransferEnd:
    """Make the call that *handle* is loaded with, and return how it ended."""
    try:
        handle.perform()
    except pycurl.error as exc:
        return end_of(handle, exc)
    return TransferEnd()


def end_of(handle: pycurl.Curl, exc: pycurl.error) -> TransferEnd:
    """Return how a transfer ended that libcurl calls failed."""
    code, message = (*exc.args, 0, "")[:2] if exc.args else (0, "")
    return TransferEnd(
        code=int(code) or -1,
        message=str(message),
        # The time is only known when the whole way is open, TLS included.
        is_connected=handle.getinfo(pycurl.CONNECT_TIME) > 0
        or handle.getinfo(pycurl.NUM_CONNECTS) > 0,
        is_sent=handle.getinfo(pycurl.REQUEST_SIZE) > 0,
        proxy_status=int(handle.getinfo(pycurl.HTTP_CONNECTCODE)),
        os_errno=int(handle.getinfo(pycurl.OS_ERRNO)),
    )
