"""Connections whose time is counted as a whole, from the first lookup to the last byte.

A socket's timeout starts again with every byte, so a collector that sends one byte a second, of
its headers or its body, would hold its caller for as long as it likes. Here each read is given
what is left of one deadline. urllib3 says when that is: after a request has been sent it sets the
connection's ``timeout`` to what remains of the request's total.
"""

from __future__ import annotations

import http.client
import io
import queue
import socket
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HeaderParsingError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.util.response import assert_header_parsing

from fanfold.adapters.http.dialing import connect, left_s

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: A connection that was idle for longer is not used again, in seconds: whoever stands between
#: (NAT, load balancer, server) may have forgotten it without a word.
MAX_IDLE_S = 60.0

#: Sent in one go, in bytes: a TLS record's most, so that one write is one step of the deadline.
SEND_BYTES = 16_384


class BadHeaders(http.client.HTTPException):
    """The response's headers cannot be read as headers."""


class _Reader(io.RawIOBase):
    """Reads a socket until a deadline; the buffer around it makes lines and blocks of that."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline
        self._raw = sock.makefile("rb", buffering=0)
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        self._sock.settimeout(left_s(self._deadline))
        received = self._raw.readinto(buffer)
        self.ended = received == 0
        return received

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Socket:
    """What :class:`http.client.HTTPResponse` asks of a socket: to be read as a file."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock, self._deadline))


class _Response(http.client.HTTPResponse):
    def begin(self) -> None:
        super().begin()
        if cast("_Reader", self.fp.raw).ended:
            # http.client takes an end in the middle of the headers for the end of the headers.
            raise http.client.IncompleteRead(b"")
        try:
            # urllib3 only logs this, with the URL, and reads on.
            assert_header_parsing(self.msg)
        except HeaderParsingError as exc:
            raise BadHeaders("malformed headers") from exc


def _respond(sock: socket.socket, deadline: float, **options: Any) -> _Response:
    return _Response(cast("socket.socket", _Socket(sock, deadline)), **options)


class _Deadlined(HTTPConnection):
    """Adds the deadline to either kind of connection."""

    _send_deadline = 0.0
    _held: list[bytes] | None = None
    _used_at = 0.0

    def _new_conn(self) -> socket.socket:
        timeout_s = cast("float", self.timeout)
        try:
            return connect(self._dns_host, self.port or self.default_port, timeout_s)
        except (socket.gaierror, UnicodeError) as exc:
            cause = exc if isinstance(exc, socket.gaierror) else socket.gaierror(0, "illegal name")
            raise NameResolutionError(self.host, self, cause) from exc
        except TimeoutError as exc:
            raise ConnectTimeoutError(self, "no connection in time") from exc
        except OSError as exc:
            raise NewConnectionError(self, str(exc.strerror)) from exc

    @property
    def is_connected(self) -> bool:
        return super().is_connected and time.monotonic() - self._used_at < MAX_IDLE_S

    def request(self, *args: Any, **options: Any) -> None:
        self._send_deadline = time.monotonic() + cast("float", self.timeout)
        self._held = []
        try:
            super().request(*args, **options)
            whole = b"".join(self._held)
        finally:
            self._held = None
        self._send_whole(whole)

    def send(self, data: Any) -> None:
        # Headers and body come one after the other; held back, they leave as one packet.
        if self._held is None:
            super().send(data)
        else:
            self._held.append(data)

    def _send_whole(self, whole: bytes) -> None:
        if len(whole) <= SEND_BYTES:
            self.send(whole)
            return
        if self.sock is None:
            self.connect()
        for start in range(0, len(whole), SEND_BYTES):
            self.sock.settimeout(left_s(self._send_deadline))
            self.send(whole[start : start + SEND_BYTES])

    def getresponse(self) -> Any:
        self._used_at = time.monotonic()
        deadline = self._used_at + cast("float", self.timeout)
        self.response_class = cast("Any", partial(_respond, deadline=deadline))
        return super().getresponse()


class _DeadlinedTls(_Deadlined, HTTPSConnection):
    """The same over TLS: Python itself counts a handshake's time as a whole."""


class _Idle:
    """The connections that wait to be used again, newest first, as urllib3 asks for them.

    A plain stack: how many are in use is for others to limit. What does not fit is closed.
    """

    def __init__(self, maxsize: int) -> None:
        self._maxsize = maxsize
        self._idle: deque[HTTPConnection] = deque()

    def get(self, *_: Any, **__: Any) -> HTTPConnection:
        try:
            return self._idle.pop()
        except IndexError:
            raise queue.Empty from None

    def put(self, connection: HTTPConnection | None, *_: Any, **__: Any) -> None:
        if connection is None:
            return
        if len(self._idle) < self._maxsize:
            self._idle.append(connection)
        else:
            connection.close()

    def qsize(self) -> int:
        return len(self._idle)


class DeadlinePool(HTTPConnectionPool):
    """Connections to one origin, in the clear."""

    ConnectionCls = _Deadlined
    QueueCls = cast("Any", _Idle)


class DeadlineTlsPool(HTTPSConnectionPool):
    """Connections to one origin, over TLS."""

    ConnectionCls = _DeadlinedTls
    QueueCls = cast("Any", _Idle)
