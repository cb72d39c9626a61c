"""The endpoint's HTTP server: waitress, with bounds on how long and how much a client may hold.

waitress takes any byte for activity, so a client that drips one each second holds a connection for
ever. Here a request has a time for its header and one for its body, and a newcomer takes the place
of the oldest connection that has not sent a whole request: slow clients lose theirs first.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer

from fanfold.domain.model.errors import NotConfigured

#: How long a client may take from its connection, or from its last answer, to the end of the next
#: request's header, in seconds.
HEADER_S = 10.0

#: How long it may take to the end of the request's body, or to take its answer, in seconds.
BODY_S = 30.0

#: Most connections of one address, and of all.
PER_PEER, CONNECTIONS = 24, 64

#: Largest header of a request, in bytes.
MAX_HEADER_BYTES = 16 * 1024

#: Threads that answer requests.
THREADS = 8

#: Pause of the server when no descriptor is left for a connection, in seconds.
_OUT_OF_DESCRIPTORS_PAUSE_S = 0.05


class Channel(HTTPChannel):
    """One connection. ``waits_since`` is when it was made, or when its last answer was ready."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.waits_since = time.monotonic()
        super().__init__(*args, **kwargs)

    def service(self) -> None:
        """Answer one request, in a thread of the server's."""
        self.waits_since = float("inf")
        try:
            super().service()
        finally:
            self.waits_since = time.monotonic()

    def is_waiting(self) -> bool:
        """Return whether no whole request of it is being answered."""
        return not self.requests

    def is_too_slow(self, now: float) -> bool:
        """Return whether its client used up the time for what it is doing at *now* (monotonic)."""
        has_header = self.request is not None and self.request.headers_finished
        allowed_s = BODY_S if has_header or self.total_outbufs_len else HEADER_S
        return self.is_waiting() and now - self.waits_since > allowed_s


class Server(TcpWSGIServer):
    """Accepts connections, and ends those that are too slow or too many."""

    channel_class = Channel
    _map: dict[int, Any]
    _is_ending = False

    def end(self) -> None:
        """Let the loop end, in its own thread: sockets closed under it would break its wait."""
        self._is_ending = True
        self.pull_trigger()

    def close(self) -> None:
        """Close every socket, once the loop has ended or was never begun."""
        self.task_dispatcher.shutdown()
        for channel in self._of(None):
            channel.handle_close()
        if self.task_dispatcher.threads:
            # An answer that still is being made wakes the loop by the trigger when it is ready: its
            # descriptor must not be another file's by then, so it stays open with its thread.
            wasyncore.dispatcher.close(self)
        else:
            super().close()

    def readable(self) -> bool:
        """Return whether to accept; the loop asks at least once a second.

        Raises:
            SystemExit: To the loop, which ends.
        """
        if self._is_ending:
            raise SystemExit
        now = time.monotonic()
        for channel in self._of(None):
            if channel.is_too_slow(now):
                channel.handle_close()
        return bool(self.accepting)

    def handle_accept(self) -> None:
        """Accept a connection, in the place of another one if there are too many."""
        try:
            accepted = self.accept()
        except OSError:
            if not self._close_oldest(None):
                time.sleep(_OUT_OF_DESCRIPTORS_PAUSE_S)
            return
        if accepted is None:
            return
        connection, address = accepted
        peer = address[0]
        if self._count(peer) >= PER_PEER:
            is_room = self._close_oldest(peer)
        else:
            is_room = self._count(None) < self.adj.connection_limit or self._close_oldest(None)
        if not is_room:
            connection.close()
            return
        self.set_socket_options(connection)
        self.channel_class(self, connection, self.fix_addr(address), self.adj, map=self._map)

    def _of(self, peer: str | None) -> list[Channel]:
        channels: Any = self.active_channels  # a dict, whatever its type stubs say
        return [each for each in channels.values() if peer is None or each.addr[0] == peer]

    def _count(self, peer: str | None) -> int:
        return len(self._of(peer))

    def _close_oldest(self, peer: str | None) -> bool:
        """Close the longest waiting connection of *peer* (None: of all), if there is one."""
        waiting = [each for each in self._of(peer) if each.is_waiting()]
        if waiting:
            min(waiting, key=lambda each: each.waits_since).handle_close()
        return bool(waiting)


def make_server(
    app: Callable[..., Iterable[bytes]],
    host: str,
    port: int,
    *,
    max_body_bytes: int,
    connections: int = CONNECTIONS,
) -> Any:
    """Return the server for *app*, listening on *host* and *port*.

    Raises:
        NotConfigured: *host* names more than one address.
        OSError: The port is taken, or *host* is no address of this machine.
    """
    settings = _settings(host, port, max_body_bytes, connections)
    address: Any = settings.listen[0]
    # Bound before the server is made: one that cannot listen leaves its threads behind.
    listening = _bound(address)
    return Server(app, adj=settings, sockinfo=address, _sock=listening, bind_socket=False)


def _settings(host: str, port: int, max_body_bytes: int, connections: int) -> Adjustments:
    try:
        settings = Adjustments(
            host="127.0.0.1" if host == "localhost" else host,
            port=port,
            threads=THREADS,
            ident="fanfold",
            max_request_header_size=MAX_HEADER_BYTES,
            max_request_body_size=max_body_bytes,
            # Kept in memory: a temporary file would take a descriptor for each.
            inbuf_overflow=max_body_bytes + 1,
            connection_limit=connections,
            # select() takes no descriptor from 1,024 on.
            asyncore_use_poll=True,
        )
    except ValueError as exc:
        raise NotConfigured(f"{host!r} is no address of this machine; listen on 127.0.0.1") from exc
    if len(settings.listen) != 1:
        raise NotConfigured(f"{host!r} names several addresses; listen on one, e.g. 127.0.0.1")
    return settings


def _bound(address: tuple[Any, ...]) -> socket.socket:
    family, kind, protocol, place = address
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(place)
    except BaseException:
        listening.close()
        raise
    return listening
