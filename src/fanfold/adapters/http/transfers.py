"""The transfers that are under way in one loop: libcurl's multi handle and its sockets."""

from __future__ import annotations

import selectors
import socket
import time
from contextlib import suppress

import pycurl

from fanfold.adapters.http.failures import TransferEnd
from fanfold.adapters.http.transfer import end_of, new_handle

#: While nothing is under way, connections that are being closed are looked at this often, for so
#: long, in seconds. A peer that never says goodbye would keep its descriptor.
REST_LOOK_S, REST_LOOKS_S = 1.0, 10.0

#: Connections that may be in their shutdown beside the transfers under way.
SPARE_CONNECTIONS = 16

#: What to watch a socket for, by libcurl's word for it.
_EVENTS = {
    pycurl.POLL_IN: selectors.EVENT_READ,
    pycurl.POLL_OUT: selectors.EVENT_WRITE,
    pycurl.POLL_INOUT: selectors.EVENT_READ | selectors.EVENT_WRITE,
}


class Transfers:
    """Any number of transfers. One thread at a time may use it; any may :meth:`wake` that one.

    Args:
        most: Most transfers that are under way at once.
    """

    def __init__(self, most: int) -> None:
        self.under_way: set[pycurl.Curl] = set()
        self.watched: dict[int, int] = {}
        self._idle: list[pycurl.Curl] = []
        self._timer_at: float | None = None
        self._rest_look_at = self._rest_until = 0.0
        self._is_woken = False
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.settimeout(0)
        self._wake_out.settimeout(0)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake_out, selectors.EVENT_READ)
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        # Connections in their shutdown count: when they are too many, the oldest is dropped.
        self._multi.setopt(pycurl.M_MAX_TOTAL_CONNECTIONS, most + SPARE_CONNECTIONS)

    def handle(self) -> pycurl.Curl:
        """Return a handle that nobody uses."""
        if self._idle:
            return self._idle.pop()
        handle = new_handle()
        handle.setopt(pycurl.NOPROGRESS, 1)  # :meth:`end` breaks a transfer off
        return handle

    def begin(self, handle: pycurl.Curl) -> None:
        """Begin the transfer that *handle* is loaded with."""
        self.under_way.add(handle)
        self._multi.add_handle(handle)

    def end(self, handle: pycurl.Curl, *, keep: bool) -> None:
        """Let go of a transfer; *keep* its handle for another one."""
        self._multi.remove_handle(handle)
        self.under_way.discard(handle)
        if keep:
            self._idle.append(handle)

    def turn(self, wait_s: float) -> None:
        """Wait until something happened, at most *wait_s* seconds, and let libcurl go on."""
        now = time.monotonic()
        due_at = [] if self._timer_at is None else [self._timer_at]
        if self._rest_until and not self.under_way:
            due_at.append(self._rest_look_at)
        self.read(max(0.0, min(wait_s, min(due_at) - now)) if due_at else wait_s)
        if self._timer_at is not None and time.monotonic() >= self._timer_at:
            self._timer_at = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        self._rest(time.monotonic())

    def read(self, wait_s: float) -> bool:
        """Let libcurl use every socket that is ready, or is within *wait_s*; return if any was."""
        ready = self._selector.select(wait_s)
        for key, mask in ready:
            if key.fileobj is self._wake_out:
                # Read before the flag falls: a wake-up in between is seen by what follows, and one
                # that was read away with the flag raised would silence all that come after it.
                self._wake_out.recv(4096)
                self._is_woken = False
            else:
                self._multi.socket_action(key.fd, _flags(mask))
        return bool(ready)

    def ended(self) -> list[tuple[pycurl.Curl, TransferEnd]]:
        """Return the transfers that libcurl has ended; they are to be let go."""
        found: list[tuple[pycurl.Curl, TransferEnd]] = []
        left = 1
        while left:
            left, good, bad = self._multi.info_read()
            found += [(handle, TransferEnd()) for handle in good]
            found += [
                (handle, end_of(handle, pycurl.error(code, message)))
                for handle, code, message in bad
            ]
        return found

    def wake(self) -> None:
        """End the wait of :meth:`turn`, in whatever thread."""
        if not self._is_woken:
            self._is_woken = True
            with suppress(OSError):  # full, so that it wakes all the same; or closed
                self._wake_in.send(b"\0")

    def close(self) -> None:
        """Break everything off. It is not used again."""
        for handle in tuple(self.under_way):
            self.end(handle, keep=False)
        self._multi.close()
        self._selector.close()
        self._wake_in.close()
        self._wake_out.close()

    def _on_socket(self, what: int, fd: int, _multi: object, _data: object) -> None:
        """Watch *fd* as libcurl says. What cannot be watched ends with its call's time."""
        watched = self.watched
        try:
            if what == pycurl.POLL_REMOVE:
                if watched.pop(fd, None) is not None:
                    self._selector.unregister(fd)
                return
            events = _EVENTS[what]
            before, watched[fd] = watched.get(fd), events
            if before is None:
                self._selector.register(fd, events)
            elif before != events:
                self._selector.modify(fd, events)
        except (KeyError, ValueError, OSError):
            return

    def _on_timer(self, timeout_ms: int) -> None:
        self._timer_at = None if timeout_ms < 0 else time.monotonic() + timeout_ms / 1000

    def _rest(self, now: float) -> None:
        """At rest, look after the connections that are being closed.

        While transfers are under way libcurl does so itself; a look beside them would lose events.
        """
        if self.under_way:
            self._rest_look_at, self._rest_until = now + REST_LOOK_S, now + REST_LOOKS_S
        elif self._rest_until and now >= self._rest_look_at:
            self._multi.perform()
            self._rest_look_at = now + REST_LOOK_S
            if now >= self._rest_until:
                self._rest_until = 0.0


def _flags(mask: int) -> int:
    return (pycurl.CSELECT_IN if mask & selectors.EVENT_READ else 0) | (
        pycurl.CSELECT_OUT if mask & selectors.EVENT_WRITE else 0
    )
