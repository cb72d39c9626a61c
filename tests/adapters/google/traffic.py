"""What passes between a Firestore client and its server: counted, and broken where a test says.

Counted as the price list does: a document read or written, an empty answer as one read, an
aggregation as one read for each thousand it covers.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any, Self

from google.cloud import firestore


@dataclass
class Tally:
    """Documents read and written, calls made, and commits refused or lost to another writer.

    ``counts`` are the aggregations among the reads.
    """

    reads: int = 0
    writes: int = 0
    calls: int = 0
    refused: int = 0
    counts: int = 0

    def __sub__(self, before: Tally) -> Tally:
        spent = {name: value - getattr(before, name) for name, value in vars(self).items()}
        return Tally(**spent)

    def copy(self) -> Tally:
        return Tally(**vars(self))


class Counted:
    """Stands before a client's generated API and counts what goes through."""

    def __init__(self, client: firestore.Client, tally: Tally) -> None:
        self._api: Any = client._firestore_api
        self._tally = tally
        self._lock = Lock()
        client._firestore_api_internal = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._api, name)

    def commit(self, request: Any, **options: Any) -> Any:
        try:
            reply = self._api.commit(request=request, **options)
        except Exception:  # it goes on: it is only counted
            self._add(refused=1)
            raise
        self._add(writes=len(request["writes"]))
        return reply

    def batch_get_documents(self, request: Any, **options: Any) -> Any:
        self._add(reads=len(request["documents"]))
        return self._api.batch_get_documents(request=request, **options)

    def run_query(self, request: Any, **options: Any) -> Any:
        found = list(self._api.run_query(request=request, **options))
        self._add(reads=max(1, sum("document" in each for each in found)))
        return iter(found)

    def run_aggregation_query(self, request: Any, **options: Any) -> Any:
        self._add(reads=1, counts=1)
        return self._api.run_aggregation_query(request=request, **options)

    def _add(self, *, reads: int = 0, writes: int = 0, refused: int = 0, counts: int = 0) -> None:
        with self._lock:
            self._tally.reads += reads
            self._tally.writes += writes
            self._tally.refused += refused
            self._tally.counts += counts
            self._tally.calls += 1


class Proxy:
    """A way to the emulator that passes everything on, until it is told to lose a reply.

    After :meth:`lose_next_reply`, the next bytes from the server are thrown away and the
    connection is closed: what the client asked for was done, and the client does not know.
    """

    def __init__(self, target: str, *, port: int = 0) -> None:
        host, _, target_port = target.rpartition(":")
        self._target = (host, int(target_port))
        self._listener = socket.create_server(("127.0.0.1", port))
        self._loses = threading.Event()
        self.lost = 0
        self._open: list[socket.socket] = []
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def lose_next_reply(self) -> None:
        self._loses.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            self._open += [client, server]
            for source, sink, is_reply in ((client, server, False), (server, client, True)):
                threading.Thread(
                    target=self._pass_on, args=(source, sink, is_reply), daemon=True
                ).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, is_reply: bool) -> None:
        with suppress(OSError):
            while received := source.recv(65536):
                # A reply has more than the few bytes of HTTP/2's own housekeeping.
                if is_reply and len(received) > 60 and self._loses.is_set():
                    self._loses.clear()
                    self.lost += 1
                    break
                sink.sendall(received)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
