"""Opens connections, lookup included, within one deadline."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from typing import Any, cast

#: A silent connection is probed this often, in seconds: NAT forgets it after some minutes.
KEEP_ALIVE_S = 60


def connect(host: str, port: int, timeout_s: float) -> socket.socket:
    """Return a socket connected to *host* within *timeout_s*, lookup included.

    Each address gets its share of the time that is left, so that a dead first one does not take
    all of it.

    Raises:
        TimeoutError: Time ran out.
        OSError: Nobody answered there; or the name does not resolve (:class:`socket.gaierror`).
    """
    deadline = time.monotonic() + timeout_s
    addresses = _lookup(host.strip("[]"), port, deadline)
    failure: OSError = OSError(0, "the name has no address")
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            _tune(sock)
            sock.settimeout(left_s(deadline) / (len(addresses) - tried))
            sock.connect(address)
            sock.settimeout(left_s(deadline))
        except OSError as exc:
            sock.close()
            failure = exc
        else:
            return sock
    raise failure


def _tune(sock: socket.socket) -> None:
    """Send at once; and while a collector works for minutes in silence, keep the way open."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):  # not on every system
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEP_ALIVE_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEP_ALIVE_S)


def _lookup(host: str, port: int, deadline: float) -> list[Any]:
    """Resolve *host* on a thread of its own: the resolver knows no timeout that we could set."""
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as exc:
            answers.put(exc)

    if _is_address(host):
        look_up()
    else:
        threading.Thread(target=look_up, name="fanfold-lookup", daemon=True).start()
    try:
        answer = answers.get(timeout=left_s(deadline))
    except queue.Empty:
        raise TimeoutError(f"no address for {host} in time") from None
    if isinstance(answer, Exception):
        raise answer
    return cast("list[Any]", answer)


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError, ValueError):
            socket.inet_pton(family, host)
            return True
    return False


def left_s(deadline: float) -> float:
    """Return the time until *deadline* (of the monotonic clock), in seconds.

    Raises:
        TimeoutError: There is none.
    """
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("timed out")
    return seconds
